"""Which values of a grid's axes meet in a cell: the modes, ``when`` and ``exclude``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from ablations.grids.axes import Axis, AxisValue, GridError
from auralsam2.messages import unknown_name

BASE = "base"
"""Name of the cell that nothing is varied in."""
Choice = dict[str, AxisValue]
"""Axis name -> its value, for the axes that apply, in the order in which they are stated."""
Rule = dict[str, frozenset[str]]
"""Axis name -> names of values; it holds where every axis has one of its values."""


@dataclass(frozen=True)
class Conditions:
    """The ``when`` and ``exclude`` of a grid."""

    axes: tuple[Axis, ...]  # in the order in which the grid states them
    order: tuple[Axis, ...]  # each after those that it depends on
    when: Mapping[str, Rule]  # axis name -> the rule under which it applies; without one, always
    exclude: tuple[Rule, ...]  # rules of cells that are left out

    def applies(self, axis: Axis, choice: Choice) -> bool:
        """Return whether an axis means anything for what is chosen so far."""
        return _holds(self.when.get(axis.name, {}), choice)

    def excluded(self, choice: Choice) -> bool:
        """Return whether a cell is left out."""
        return any(_holds(rule, choice) for rule in self.exclude)

    def in_stated_order(self, choice: Choice) -> Choice:
        """Return the same choice, axes in the order in which the grid states them."""
        return {axis.name: choice[axis.name] for axis in self.axes if axis.name in choice}


def parse_conditions(
    axes: Sequence[Axis], when: Mapping[str, Any], exclude: Iterable[Any]
) -> Conditions:
    """Read ``when = {axis: {other: [values]}}`` and ``exclude = [{axis: value, ...}]``.

    A value is given by its name or, on an axis of plain nodes, as the node itself; a list of
    values means any of them.

    Raises:
        GridError: with all unknown axes and values, and axes that wait for each other.
    """
    by_name = {axis.name: axis for axis in axes}
    problems = ["when: " + unknown_name("axis", a, by_name) for a in when if a not in by_name]
    rules = {
        name: _rule(f"when, axis {name!r}", rule, by_name, problems) for name, rule in when.items()
    }
    excluded = [
        _rule(f"exclude, number {index}", rule, by_name, problems)
        for index, rule in enumerate(exclude)
    ]
    order, cycle = _order(axes, rules)
    if cycle:
        problems.append("when: axes wait for each other: " + " -> ".join(map(repr, cycle)))
    if problems:
        raise GridError(problems, source="conditions")
    return Conditions(tuple(axes), tuple(order), rules, tuple(excluded))


def full_product(conditions: Conditions) -> Iterator[tuple[str, Choice]]:
    """Every value of every axis with every value of the others.

    An axis that does not apply to a combination is left out of it, and so of its name.
    """
    for choice in _branches(conditions, 0, {}):
        choice = conditions.in_stated_order(choice)
        yield _joined(choice.values()) or BASE, choice


def one_at_a_time(conditions: Conditions) -> Iterator[tuple[str, Choice]]:
    """The base, which has the first value of every axis, then every other value alone.

    An axis that does not apply to the base is varied where it does: at each of the values that
    its ``when`` names. A cell is named by what differs from the base.
    """
    base = _filled(conditions, {})
    yield BASE, base
    for axis in conditions.axes:
        for changes in _contexts(conditions, axis, base):
            for value in axis.values[1:]:
                varied = _filled(conditions, {**changes, axis.name: value})
                first = {a.name: a.values[0] for a in conditions.axes}
                yield _joined(v for n, v in varied.items() if v is not first[n]), varied


def paired(conditions: Conditions) -> Iterator[tuple[str, Choice]]:
    """The first values of all axes together, then the second values, and so on."""
    counts = {axis.name: len(axis.values) for axis in conditions.axes}
    if len(set(counts.values())) > 1:
        listed = ", ".join(f"{name!r} {count}" for name, count in counts.items())
        raise GridError([f"mode 'paired' needs lists of one length, got {listed}"])
    if conditions.when:
        problem = "mode 'paired' takes no 'when': the lists already say which values meet"
        raise GridError([problem])
    for values in zip(*(axis.values for axis in conditions.axes), strict=True):
        yield _joined(values), dict(zip(counts, values, strict=True))


MODES: Mapping[str, Callable[[Conditions], Iterator[tuple[str, Choice]]]] = {
    "product": full_product,
    "one_at_a_time": one_at_a_time,
    "paired": paired,
}


def _holds(rule: Rule, choice: Choice) -> bool:
    return all(axis in choice and choice[axis].name in names for axis, names in rule.items())


def _rule(where: str, raw: Any, axes: Mapping[str, Axis], problems: list[str]) -> Rule:
    if not isinstance(raw, Mapping) or not raw:
        problems.append(f"{where}: got {raw!r}, wanted a dict of axis -> value or [values]")
        return {}
    rule = {}
    for name, wanted in raw.items():
        if name not in axes:
            problems.append(f"{where}: {unknown_name('axis', str(name), axes)}")
            continue
        several = isinstance(wanted, (list, tuple)) and not _names_of(axes[name], wanted)
        found: set[str] = set()
        for item in wanted if several else [wanted]:
            names = _names_of(axes[name], item)
            if not names:
                known = [value.name for value in axes[name].values]
                unknown = unknown_name("value", str(item), known)
                problems.append(f"{where}: {unknown} (of axis {name!r})")
            found.update(names)
        if several and not wanted:
            problems.append(f"{where}: no value of axis {name!r} is listed")
        rule[name] = frozenset(found)
    return rule


def _names_of(axis: Axis, wanted: Any) -> list[str]:
    """Return the name of the value that is called, or is, ``wanted``; empty where none is."""
    named = [value.name for value in axis.values if value.name == wanted]
    return named or [
        value.name
        for value in axis.values
        if value.config is None
        and dict(value.overrides) == {axis.name: wanted}
        and isinstance(wanted, bool) == isinstance(value.overrides[axis.name], bool)
    ]


def _order(axes: Sequence[Axis], rules: Mapping[str, Rule]) -> tuple[list[Axis], list[str]]:
    """Return the axes, each after those it waits for, or a circle of axes."""
    waiting = {axis.name: axis for axis in axes}
    placed: list[Axis] = []
    while waiting:
        free = [a for n, a in waiting.items() if not set(rules.get(n, {})) & set(waiting)]
        if not free:
            return placed, _cycle(waiting, rules)
        placed.append(waiting.pop(free[0].name))
    return placed, []


def _cycle(waiting: Mapping[str, Axis], rules: Mapping[str, Rule]) -> list[str]:
    walked = [next(iter(waiting))]
    while walked.count(walked[-1]) == 1:
        walked.append(next(name for name in rules[walked[-1]] if name in waiting))
    return walked[walked.index(walked[-1]) :]


def _joined(values: Iterable[AxisValue]) -> str:
    return ", ".join(value.name for value in values)


def _branches(conditions: Conditions, depth: int, choice: Choice) -> Iterator[Choice]:
    if depth == len(conditions.order):
        yield choice
        return
    axis = conditions.order[depth]
    if not conditions.applies(axis, choice):
        yield from _branches(conditions, depth + 1, choice)
        return
    for value in axis.values:
        yield from _branches(conditions, depth + 1, {**choice, axis.name: value})


def _filled(conditions: Conditions, changes: Choice) -> Choice:
    """Return the cell with these values, and the first value of every other axis that applies."""
    choice: Choice = {}
    for axis in conditions.order:
        if conditions.applies(axis, choice):
            choice[axis.name] = changes.get(axis.name, axis.values[0])
    return conditions.in_stated_order(choice)


def _contexts(conditions: Conditions, axis: Axis, base: Choice) -> list[Choice]:
    """Return the smallest changes of the base under which an axis applies."""
    contexts: list[Choice] = [{}]
    axes = {a.name: a for a in conditions.axes}
    for other, names in conditions.when.get(axis.name, {}).items():
        if other in base and base[other].name in names:
            continue
        switches = [
            {**changes, other: value}
            for changes in _contexts(conditions, axes[other], base)
            for value in axes[other].values
            if value.name in names
        ]
        contexts = [{**one, **more} for one, more in product(contexts, switches)]
    return [c for c in contexts if axis.name in _filled(conditions, c)]
