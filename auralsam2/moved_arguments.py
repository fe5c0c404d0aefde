"""Arguments that a class has left to another one, and names that are no more.

Configs that state a moved argument at its old class hold; who states a name that is no more is told
what took its place.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class Move(NamedTuple):
    """The class that takes arguments now, beside all of the old one's."""

    to: str
    arguments: frozenset[str]


MOVES = {
    "AuralSAM2": Move("ReleasedAuralSAM2", frozenset({"join_clips", "constant_audio_position"})),
    "StepwiseInjection": Move("ReleasedInjection", frozenset({"leak_into_position"})),
}
_EARLIER = {move.to: old for old, move in MOVES.items()}


_ENCODER = "of model.image_encoder=dict(type='ResNetStages')"
REPLACED = {
    "AudioTokenSAM2": "AVSAM, after the abstract of AV-SAM, and GAVS for the sound as a token",
    "AdapterSAM2": "SAMAAVS, which takes hidden_channels and no stages, tracker=None and "
    "mask_loss=dict(type='BinaryMaskLoss', iou_weight=1.0)",
    "TPAVINetwork.resnet": f"the argument kind {_ENCODER}",
    "TPAVINetwork.resnet_width": f"the argument width {_ENCODER}",
    "TPAVINetwork.resnet_weights": f"the argument weights {_ENCODER}",
}
"""Class, or Class.argument, that is no more -> what took its place."""


def replacement(name: object, argument: str = "") -> str:
    """Say what took the place of a class, or of its argument; "" where nothing is known of it."""
    key = f"{name}.{argument}" if argument else str(name)
    return f"; in its place there is {REPLACED[key]}" if key in REPLACED else ""


def follow_moves(value: Any) -> None:
    """Name, in place, the class of today in every node that states an argument that has moved."""
    if isinstance(value, Mapping):
        for key, item in list(value.items()):
            follow_move(value, key)
            follow_moves(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            follow_moves(item)


def follow_move(node: Any, key: str) -> None:
    """Name, in place, the class of today where a node's own has left the argument ``key`` to it."""
    if key in moved_from(node):
        node["type"] = MOVES[_class_name(node)].to


def moved_from(node: Any) -> frozenset[str]:
    """Arguments that a node may state although the class that it names has left them to another."""
    move = MOVES.get(_class_name(node))
    return frozenset() if move is None else move.arguments


def _class_name(node: Any) -> str:
    kind = node.get("type") if isinstance(node, Mapping) else None
    return kind.rpartition(".")[2] if isinstance(kind, str) else ""


def earlier_type(key: str, value: Any) -> Any:
    """What the class that a node's ``type`` names was called when it had its arguments.

    Runs from before a move are so the same runs. Items of other keys stay as they are.
    """
    return _EARLIER.get(value, value) if key == "type" and isinstance(value, str) else value
