"""The cells of a grid: its axes combined, and every seed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ablations.grids.axes import Axis, AxisValue, GridError, repeated, repeated_values
from ablations.grids.modes import BASE, MODES, Choice, parse_conditions
from auralsam2.messages import unknown_name


@dataclass(frozen=True)
class Cell:
    """One point of a grid with one seed."""

    name: str  # the values' names joined, the same for every seed
    axes: Mapping[str, str]  # axis name -> value name, of the axes that apply
    overrides: Mapping[str, Any]  # dotted path -> node, in the order in which they apply
    seed: int  # a replicate
    config: str | None = None  # to start from; the grid's own where None


def expand(
    axes: Sequence[Axis],
    seeds: Sequence[int],
    *,
    mode: str = "product",
    when: Mapping[str, Any] | None = None,
    exclude: Iterable[Any] = (),
    named_cells: Sequence[AxisValue] = (),
) -> list[Cell]:
    """Return the cells of a grid, once for every seed.

    The first seed of every cell comes before the second of any, so that a grid that is stopped
    early still compares all cells.

    Args:
        axes: what varies.
        seeds: the replicates of every cell.
        mode: ``product``, ``one_at_a_time`` or ``paired``, see `ablations.grids.modes`.
        when: axis -> other axis -> values under which the first one applies.
        exclude: combinations of values that are left out.
        named_cells: cells of their own; they come last.

    Raises:
        GridError: with all problems at once: seeds that are no natural numbers, names that are
            not unique, unknown modes, axes and values, axes that wait for each other or undo
            each other's settings, and grids or axes without a cell.
    """
    problems = seed_problems(seeds) + repeated_values(axes, may_repeat=mode == "paired")
    choices: list[tuple[str, Choice]] = []
    try:
        choices = _choices(axes, mode, when or {}, exclude, alone=not named_cells)
    except GridError as error:
        problems += error.problems
    problems += _name_problems([*(name for name, _ in choices), *(c.name for c in named_cells)])
    problems += [said for name, choice in choices for said in _contradictions(name, choice)]
    if problems:
        raise GridError(dict.fromkeys(problems))
    cells = [_cell(name, choice) for name, choice in choices]
    cells += [Cell(c.name, {}, dict(c.overrides), 0, c.config) for c in named_cells]
    return [replace(cell, seed=seed) for seed in seeds for cell in cells]


def _name_problems(names: Iterable[str]) -> list[str]:
    return [
        f"several cells are named {name!r}; give their values names of their own"
        for name in repeated(names)
    ]


def _cell(name: str, choice: Choice) -> Cell:
    values = choice.values()
    return Cell(
        name=name,
        axes={axis: value.name for axis, value in choice.items()},
        overrides={path: node for value in values for path, node in value.overrides.items()},
        seed=0,
        config=next((value.config for value in values if value.config), None),
    )


def _choices(
    axes: Sequence[Axis], mode: str, when: Mapping[str, Any], exclude: Iterable[Any], alone: bool
) -> list[tuple[str, Choice]]:
    """Return the cells of the axes; without axes the base, where no other cell is named."""
    problems = [] if mode in MODES else [unknown_name("mode", str(mode), MODES)]
    try:
        conditions = parse_conditions(axes, when, exclude)
    except GridError as error:
        raise GridError([*problems, *error.problems]) from error
    if problems:
        raise GridError(problems)
    if not axes:
        return [(BASE, {})] if alone else []
    every = list(MODES[mode](conditions))
    kept = [(name, choice) for name, choice in every if not conditions.excluded(choice)]
    if not kept:
        problems.append(f"exclude leaves out every cell ({len(every)} of {len(every)})")
    elif mode == "one_at_a_time" and kept[0][0] != BASE:
        problems.append("exclude leaves out the base, the first value of every axis; reorder them")
    used = {axis for _, choice in kept for axis in choice}
    if kept:
        problems += [
            f"axis {axis.name!r} applies to no cell; look at when and exclude"
            for axis in axes
            if axis.name not in used
        ]
    if problems:
        raise GridError(problems)
    return kept


def seed_problems(seeds: Sequence[Any]) -> list[str]:
    """Say what is wrong with a list of seeds."""
    problems = [
        f"seeds: got {seed!r}, wanted an integer of at least 0"
        for seed in seeds
        if not isinstance(seed, int) or isinstance(seed, bool) or seed < 0
    ]
    if not seeds:
        problems.append("seeds: got none, wanted at least one")
    problems += [f"seeds: {seed} stands more than once" for seed in repeated(map(str, seeds))]
    return problems


def _contradictions(name: str, choice: Choice) -> list[str]:
    """Return the settings of a cell that a later axis replaces."""
    problems = []
    earlier: dict[str, str] = {}
    for axis, value in choice.items():
        for path in value.overrides:
            for other, owner in earlier.items():
                if other == path or other.startswith(f"{path}."):
                    problems.append(
                        f"axis {axis!r} sets {path} and undoes {other} of axis {owner!r}; "
                        "put it first, or let only one axis set it"
                    )
            earlier[path] = axis
    started = [axis for axis, value in choice.items() if value.config]
    if len(started) > 1:
        listed = " and ".join(map(repr, started))
        problems.append(f"cell {name!r}: axes {listed} both name a config; only one can be loaded")
    return problems
