"""The parts of a model as its config states them, parts of parts included."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from auralsam2.registry import REGISTRIES


class Part(NamedTuple):
    """A part that a registry knows."""

    path: str  # in the config, such as ``model.image_encoder.backbone``
    kind: str  # key of its registry, the last word of the path
    component: Any  # the registered class
    arguments: dict[str, Any]  # of its node, less ``type``


def parts_of(node: Mapping[str, Any], path: str = "model") -> Iterator[Part]:
    """Yield a model and all its parts, whoever holds a part before it."""
    kind = path.rpartition(".")[2]
    if kind in REGISTRIES and "type" in node:
        arguments = {key: value for key, value in node.items() if key != "type"}
        yield Part(path, kind, REGISTRIES[kind].lookup(node["type"]), arguments)
    for key, part in node.items():
        if isinstance(part, Mapping):
            yield from parts_of(part, f"{path}.{key}")
