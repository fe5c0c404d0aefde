"""How the values of a grid's axes are combined: one function for each mode."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import product

from ablations.grids.axes import Axis, AxisValue, GridError
from ablations.grids.conditions import Choice, Conditions

BASE = "base"
"""Name of the cell that nothing is varied in."""

Combine = Callable[[Conditions], Iterator[tuple[str, Choice]]]


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
    names = list(counts)
    for values in zip(*(axis.values for axis in conditions.axes), strict=True):
        yield _joined(values), dict(zip(names, values, strict=True))


MODES: Mapping[str, Combine] = {
    "product": full_product,
    "one_at_a_time": one_at_a_time,
    "paired": paired,
}


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
