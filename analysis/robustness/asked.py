"""Which corruptions are asked for, and how strong: names or nodes to what is measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from analysis.options import name_problems
from auralsam2.builder import ComponentArgumentError
from auralsam2.data.corruptions.base import CORRUPTIONS

Node = Mapping[str, Any]
Asked = tuple[tuple[Node, tuple[float, ...]], ...]
"""Nodes, and the strengths of each."""


def asked_corruptions(
    named: Sequence[str | Mapping[str, Any]] | None = None,
    strengths: Sequence[float] | None = None,
) -> Asked:
    """Return nodes of corruptions and their strengths.

    Args:
        named: names, or nodes ``dict(type=..., strengths=(...), ...)``, of which strengths are
            those of that corruption and the rest its arguments; None for all, those of sound first.
        strengths: of all that state none; None for the usual ones of each.

    Raises:
        ValueError: for unknown corruptions, arguments that do not fit, strengths that are out of
            range or change nothing, or ones for corruptions of several units; all problems at once.
    """
    nodes = _nodes(named)
    names = [str(node.get("type")) for node in nodes]
    if problems := name_problems("corruption", names, CORRUPTIONS.names()):
        raise ValueError("\n".join(problems))
    asked, units = [], {}
    for name, node in zip(names, nodes, strict=True):
        own = node.pop("strengths", None)
        try:
            corruption = build(node)
        except ComponentArgumentError as error:
            problems.append(str(error))
            continue
        if own is None:
            own, units[corruption.unit] = strengths or corruption.usual, name
        problems += corruption.problems(own)
        if not set(own) - {corruption.clean}:
            problems.append(f"{name} got no strength that changes anything")
        asked.append((node, tuple(map(float, own))))
    if strengths and len(units) > 1:
        shown = ", ".join(f"{name} ({unit.strip() or 'no unit'})" for unit, name in units.items())
        problems.append(f"strengths {list(strengths)} cannot be those of all of {shown}")
    if problems:
        raise ValueError("\n".join(problems))
    return tuple(asked)


def _nodes(named: Sequence[str | Mapping[str, Any]] | None) -> list[dict[str, Any]]:
    if named is None:
        named = sorted(CORRUPTIONS.names(), key=lambda name: bool(build({"type": name}).seen))
    listed = [named] if isinstance(named, str) else list(named)
    return [{"type": one} if isinstance(one, str) else dict(one) for one in listed]


def build(node: Node) -> Any:
    """Return the corruption of a node."""
    return CORRUPTIONS.build(dict(node))
