"""A grid as data: axes, their values, and the cells of their product."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

_MAX_LABEL = 60


class GridError(ValueError):
    """A grid that cannot be expanded.

    Attributes:
        problems: every problem found.
    """

    def __init__(self, problems: Iterable[str], source: str = "grid") -> None:
        self.problems = list(problems)
        count = len(self.problems)
        lines = "\n".join(f"  - {problem}" for problem in self.problems)
        super().__init__(f"{source}: {count} problem{'s' * (count != 1)}\n{lines}")


@dataclass(frozen=True)
class AxisValue:
    """One value of an axis.

    Attributes:
        name: shown in tables and folder names.
        overrides: dotted path of the config -> node that replaces what stands there.
    """

    name: str
    overrides: Mapping[str, Any]


@dataclass(frozen=True)
class Axis:
    """One thing that a grid varies."""

    name: str
    values: tuple[AxisValue, ...]


@dataclass(frozen=True)
class Cell:
    """One point of a grid with one seed.

    Attributes:
        name: the values' names joined, the same for every seed.
        axes: axis name -> value name.
        overrides: dotted path -> node, in the order in which they apply.
        seed: a replicate.
    """

    name: str
    axes: Mapping[str, str]
    overrides: Mapping[str, Any]
    seed: int


def parse_axes(raw: Mapping[str, Sequence[Any]]) -> tuple[Axis, ...]:
    """Read the ``axes`` of a grid file.

    The short form ``{"model.fusion": [dict(type="A"), None]}`` names a path of the config and the
    nodes to put there. The long form ``{"prompts": [dict(name="none", set={path: node, ...})]}``
    names each value and sets several paths.

    Raises:
        GridError: with all problems at once.
    """
    problems: list[str] = []
    axes = []
    for name, values in raw.items():
        if not isinstance(values, (list, tuple)) or not values:
            problems.append(f"axis {name!r}: got {values!r}, wanted a list of values")
            continue
        named = [_is_named(value) for value in values]
        if any(named) and not all(named):
            problems.append(f"axis {name!r}: mixes named values (name, set) with plain nodes")
        elif all(named):
            axes.append(Axis(name, _named_values(name, values, problems)))
        else:
            axes.append(Axis(name, _plain_values(name, values)))
    problems += _repeated_values(axes)
    if problems:
        raise GridError(problems, source="axes")
    return tuple(axes)


def expand(axes: Sequence[Axis], seeds: Sequence[int]) -> list[Cell]:
    """Return the full product of the axes, once for every seed.

    The first seed of every cell comes before the second of any, so that a grid that is stopped
    early still compares all cells.

    Raises:
        GridError: for repeated names, seeds that are no natural numbers, and axes that undo each
            other's settings.
    """
    problems = [
        f"seeds: got {seed!r}, wanted an integer of at least 0"
        for seed in seeds
        if not isinstance(seed, int) or isinstance(seed, bool) or seed < 0
    ]
    if not seeds:
        problems.append("seeds: got none, wanted at least one")
    problems += [f"seeds: {seed} stands more than once" for seed in _repeated(map(str, seeds))]
    problems += _repeated_values(axes)
    combinations = list(product(*(axis.values for axis in axes)))
    names = [", ".join(value.name for value in values) or "base" for values in combinations]
    problems += [f"several cells are named {name!r}" for name in _repeated(names)]
    problems += list(dict.fromkeys(p for values in combinations for p in _undone(axes, values)))
    if problems:
        raise GridError(list(dict.fromkeys(problems)))
    return [
        Cell(
            name=name,
            axes={axis.name: value.name for axis, value in zip(axes, values, strict=True)},
            overrides={path: node for value in values for path, node in value.overrides.items()},
            seed=seed,
        )
        for seed in seeds
        for name, values in zip(names, combinations, strict=True)
    ]


def _is_named(value: Any) -> bool:
    return isinstance(value, Mapping) and "type" not in value and bool({"name", "set"} & set(value))


def _named_values(
    axis: str, values: Sequence[Mapping[str, Any]], problems: list[str]
) -> tuple[AxisValue, ...]:
    read = []
    for index, value in enumerate(values):
        where = f"axis {axis!r}, value {index}"
        extra = sorted(set(value) - {"name", "set"})
        missing = sorted({"name", "set"} - set(value))
        problems += [f"{where}: unknown key {key!r}; known: name, set" for key in extra]
        problems += [f"{where}: missing key {key!r}" for key in missing]
        if missing:
            continue
        if not isinstance(value["name"], str) or not value["name"].strip():
            problems.append(f"{where}: name: got {value['name']!r}, wanted a text")
        elif not isinstance(value["set"], Mapping):
            problems.append(f"{where}: set: got {value['set']!r}, wanted a dict of paths")
        else:
            read.append(AxisValue(value["name"], dict(value["set"])))
    return tuple(read)


def _plain_values(path: str, nodes: Sequence[Any]) -> tuple[AxisValue, ...]:
    leaf = path.rpartition(".")[2]
    return tuple(AxisValue(_label(leaf, node, nodes), {path: node}) for node in nodes)


def _label(leaf: str, node: Any, nodes: Sequence[Any]) -> str:
    """Return the shortest name that tells a node from the others of its axis."""
    if node is None:
        return f"no {leaf}"
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


def _text(value: Any) -> str:
    if isinstance(value, Mapping) and "type" in value:
        return str(value["type"])
    return value if isinstance(value, str) else repr(value)


def _cut(label: str) -> str:
    return label if len(label) <= _MAX_LABEL else label[: _MAX_LABEL - 1] + "…"


def _repeated(names: Iterable[str]) -> list[str]:
    seen: set[str] = set()
    return list(dict.fromkeys(name for name in names if name in seen or seen.add(name)))  # type: ignore[func-returns-value]


def _repeated_values(axes: Sequence[Axis]) -> list[str]:
    return [
        f"axis {axis.name!r}: several values are named {name!r}; give them names with "
        "dict(name=..., set={...})"
        for axis in axes
        for name in _repeated(value.name for value in axis.values)
    ]


def _undone(axes: Sequence[Axis], values: Sequence[AxisValue]) -> list[str]:
    """Return the settings of a combination that a later one replaces."""
    problems = []
    earlier: dict[str, str] = {}
    for axis, value in zip(axes, values, strict=True):
        for path in value.overrides:
            for other, owner in earlier.items():
                if other == path or other.startswith(f"{path}."):
                    problems.append(
                        f"axis {axis.name!r} sets {path} and undoes {other} of axis {owner!r}; "
                        "put it first, or let only one axis set it"
                    )
            earlier[path] = axis.name
    return problems
