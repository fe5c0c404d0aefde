"""Axes of a grid: what a grid file says about them, read into named values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from auralsam2.messages import ProblemsError, unknown_name

_MAX_LABEL = 60
_NAMED_KEYS = ("name", "config", "set")


class GridError(ProblemsError):
    """A grid that cannot be expanded."""

    source = "grid"


@dataclass(frozen=True)
class AxisValue:
    """One value of an axis, or one cell that a grid file names."""

    name: str  # shown in tables and folder names
    # Dotted path of the config -> node that replaces what stands there.
    overrides: Mapping[str, Any]
    config: str | None = None  # name or path of the config to start from; the grid's own where None


@dataclass(frozen=True)
class Axis:
    """One thing that a grid varies."""

    name: str
    values: tuple[AxisValue, ...]


def parse_axes(raw: Mapping[str, Sequence[Any]], *, may_repeat: bool = False) -> tuple[Axis, ...]:
    """Read the ``axes`` of a grid file, name -> values.

    The short form ``{"model.contrastive_loss": [dict(type="A"), None]}`` names a path of the config
    and the nodes to put there. The long form ``{"prompts": [dict(name="none", set={path: node,
    ...})]}`` names each value and sets several paths; ``config="name"`` starts from another config
    first. In paired lists a value ``may_repeat``.

    Raises:
        GridError: with all problems at once.
    """
    problems: list[str] = []
    axes = []
    for name, values in raw.items():
        if not isinstance(name, str):
            problems.append(f"axis {name!r}: its name must be a text")
            continue
        if not isinstance(values, (list, tuple)) or not values:
            problems.append(f"axis {name!r}: got {values!r}, wanted a list of values")
            continue
        named = [_is_named(value) for value in values]
        if any(named) and not all(named):
            problems.append(f"axis {name!r}: mixes named values (name, set) with plain nodes")
        elif all(named):
            axes.append(Axis(name, _named_values(f"axis {name!r}, value", values, problems)))
        else:
            axes.append(Axis(name, _plain_values(name, values)))
    problems += repeated_values(axes, may_repeat=may_repeat)
    if problems:
        raise GridError(problems, source="axes")
    return tuple(axes)


def parse_named_cells(raw: Sequence[Any]) -> tuple[AxisValue, ...]:
    """Read the ``cells`` of a grid file, each ``dict(name=..., config=..., set={...})``."""
    problems = [
        f"cells: got {cell!r}, wanted dict(name=..., set={{...}})"
        for cell in raw
        if not isinstance(cell, Mapping)
    ]
    read = _named_values("cell", [c for c in raw if isinstance(c, Mapping)], problems)
    problems += [
        f"cells: several are named {name!r}" for name in repeated(cell.name for cell in read)
    ]
    if problems:
        raise GridError(problems, source="cells")
    return read


def repeated(names: Iterable[str]) -> list[str]:
    """Return the names that stand more than once."""
    return [name for name, count in Counter(names).items() if count > 1]


def repeated_values(axes: Sequence[Axis], *, may_repeat: bool = False) -> list[str]:
    """Return one problem for each name of several values, that differ where they may repeat."""
    problems = []
    for axis in axes:
        values = list(axis.values)
        if may_repeat:
            values = [v for i, v in enumerate(values) if v not in values[:i]]
        problems += [
            f"axis {axis.name!r}: several values are named {name!r}; give them names with "
            "dict(name=..., set={...})"
            for name in repeated(value.name for value in values)
        ]
    return problems


def _is_named(value: Any) -> bool:
    return isinstance(value, Mapping) and "type" not in value and bool({*_NAMED_KEYS} & set(value))


def _named_values(
    where: str, values: Sequence[Mapping[str, Any]], problems: list[str]
) -> tuple[AxisValue, ...]:
    read = []
    for index, value in enumerate(values):
        found = list(_problems_of(value))
        called = repr(value["name"]) if isinstance(value.get("name"), str) else index
        problems += [f"{where} {called}: {problem}" for problem in found]
        if not found:
            config = value.get("config")
            read.append(AxisValue(value["name"], dict(value.get("set", {})), config))
    return tuple(read)


def _problems_of(value: Mapping[str, Any]) -> Iterable[str]:
    """What is wrong with one ``dict(name=..., config=..., set={...})``."""
    yield from (unknown_name("key", str(k), _NAMED_KEYS) for k in value if k not in _NAMED_KEYS)
    if "name" not in value:
        yield "missing key 'name'"
    elif not isinstance(value["name"], str) or not value["name"].strip():
        yield f"name: got {value['name']!r}, wanted a text"
    if "set" not in value and value.get("config") is None:
        yield "missing key 'set': a dict of paths, {} to change nothing (or name another config)"
    paths = value.get("set", {})
    if not isinstance(paths, Mapping) or not all(isinstance(path, str) for path in paths):
        yield f"set: got {paths!r}, wanted a dict of paths"
    if not isinstance(value.get("config"), (str, type(None))):
        yield f"config: got {value['config']!r}, wanted the name or path of a config"


def _plain_values(path: str, nodes: Sequence[Any]) -> tuple[AxisValue, ...]:
    leaf = path.rpartition(".")[2]
    return tuple(AxisValue(_label(leaf, node, nodes), {path: node}) for node in nodes)


def _label(leaf: str, node: Any, nodes: Sequence[Any]) -> str:
    """Return the shortest name that tells a node from the others of its axis."""
    if node is None or node == []:
        return f"no {leaf}"
    if isinstance(node, str) and any(_is_component(other) for other in nodes):
        return _cut(node)  # a component by its bare name
    if isinstance(node, (list, tuple)) and all(map(_is_component, node)):
        every = [item for other in nodes if isinstance(other, (list, tuple)) for item in other]
        return _cut(" + ".join(_label(leaf, item, every) for item in node))
    if not isinstance(node, Mapping):
        return _cut(f"{leaf}={_text(node)}")
    kind = str(node.get("type", leaf))
    alike = [n for n in nodes if isinstance(n, Mapping) and str(n.get("type", leaf)) == kind]
    keys = dict.fromkeys(key for other in alike for key in other)
    absent = object()
    differing = [
        key
        for key in keys
        if any(other.get(key, absent) != node.get(key, absent) for other in alike)
    ]
    stated = ", ".join(f"{key}={_text(node[key])}" for key in differing if key in node)
    return _cut(f"{kind}({stated})" if stated else kind)


def _is_component(node: Any) -> bool:
    return isinstance(node, Mapping) and "type" in node


def _text(value: Any) -> str:
    if _is_component(value):
        return str(value["type"])
    return value if isinstance(value, str) else repr(value)


def _cut(label: str) -> str:
    return label if len(label) <= _MAX_LABEL else label[: _MAX_LABEL - 1] + "…"
