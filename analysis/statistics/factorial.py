"""Main effects of a grid's axes and two-way interactions, as weights of its cells.

    main effect of a level       mean over the other axes of score(level) - score(reference level)
    interaction of two levels    mean over the other axes of the difference of differences,
                                 (a, b) - (a, b') - (a', b) + (a', b'), a' and b' the references

The reference level of an axis is that of the grid's reference cell, or the first one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations, product
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.runs.results import Results
from analysis.statistics.contrasts import Weights

MAIN, INTERACTION = "main effect", "interaction"
Place = tuple[str, ...]
"""A level of every axis."""


class Factorial(NamedTuple):
    """The cells of a grid by their places."""

    levels: Mapping[str, tuple[str, ...]]  # axis -> two levels or more, the reference first
    cells: Mapping[Place, str]  # places that have a cell
    notes: tuple[str, ...]  # which places have none, which cells have no place

    @property
    def full(self) -> bool:
        """Whether every place has a cell."""
        return len(self.cells) == int(np.prod([len(own) for own in self.levels.values()]))


class Effect(NamedTuple):
    """One main effect or interaction."""

    axes: tuple[str, ...]  # one or two
    levels: tuple[str, ...]  # of these axes
    against: tuple[str, ...]  # reference levels of these axes
    weights: Weights  # of the cells; they sum to zero
    num_places: int  # combinations of the other axes that it is averaged over
    of: int  # that there are

    @property
    def kind(self) -> str:
        """`MAIN` or `INTERACTION`."""
        return MAIN if len(self.axes) == 1 else INTERACTION

    @property
    def name(self) -> str:
        """In words, no two alike."""
        pairs = zip(self.axes, self.levels, self.against, strict=True)
        return " × ".join(f"{axis}: {level} − {other}" for axis, level, other in pairs)


def factorial(results: Results) -> Factorial | None:
    """Return the grid's cells by their places on axes of two levels or more.

    Cells that lack one of the axes have no place.

    Returns:
        None where fewer than two axes vary, or two cells have one place.
    """
    held = {cell: results.axes.get(cell, {}) for cell in results.cells}
    several: dict[str, set[str]] = {}
    for own in held.values():
        for axis, level in own.items():
            several.setdefault(axis, set()).add(level)
    axes = [axis for axis, found in several.items() if len(found) > 1]
    placed = {cell: own for cell, own in held.items() if own.keys() >= {*axes}}
    cells = {tuple(own[axis] for axis in axes): cell for cell, own in placed.items()}
    first = placed.get(str(results.reference), {})
    levels = {
        axis: tuple(dict.fromkeys([*([first[axis]] if first else []), *(p[n] for p in cells)]))
        for n, axis in enumerate(axes)
    }
    varied = sum(len(own) > 1 for own in levels.values())
    if len(axes) < 2 or varied < len(axes) or len(cells) < len(placed):
        return None
    strangers = [cell for cell in held if cell not in placed]
    return Factorial(levels, cells, tuple(_notes(levels, cells, strangers)))


def effects(design: Factorial) -> list[Effect]:
    """Return main effects, axis by axis, and interactions, pair by pair, that cells exist for."""
    axes = list(design.levels)
    return [
        effect
        for size in (1, 2)
        for chosen in combinations(axes, size)
        for levels in product(*(design.levels[axis][1:] for axis in chosen))
        if (effect := _effect(design, chosen, levels)) is not None
    ]


def joint_contrasts(design: Factorial, axes: tuple[str, ...]) -> dict[str, Weights]:
    """Return orthonormal contrasts that are all zero where an axis, or a pair's interaction, is.

    They are of the means over the other axes; the grid must be full.
    """
    assert design.full
    own_axes = {axis: design.levels[axis] for axis in axes}
    bases = {
        axis: dict(zip(own, _orthonormal(len(own)), strict=True)) for axis, own in own_axes.items()
    }
    averaged = len(design.cells) / np.prod([len(own) for own in own_axes.values()])
    rows: dict[str, Weights] = {}
    for numbers in np.ndindex(*(len(own) - 1 for own in own_axes.values())):
        rows[str(numbers)] = {
            cell: float(
                np.prod([bases[axis][at[axis]][n] for axis, n in zip(axes, numbers, strict=True)])
                / averaged
            )
            for place, cell in design.cells.items()
            for at in [dict(zip(design.levels, place, strict=True))]
        }
    return rows


def _effect(design: Factorial, axes: tuple[str, ...], levels: tuple[str, ...]) -> Effect | None:
    against = tuple(design.levels[axis][0] for axis in axes)
    others = [own for axis, own in design.levels.items() if axis not in axes]
    weights: dict[str, float] = {}
    num_places = 0
    for rest in product(*others):
        own = {}
        for corner in product((True, False), repeat=len(axes)):
            chosen = iter([a if c else b for c, a, b in zip(corner, levels, against, strict=True)])
            left = iter(rest)
            place = tuple(next(chosen) if axis in axes else next(left) for axis in design.levels)
            own[place] = 1.0 if corner.count(False) % 2 == 0 else -1.0
        if own.keys() <= design.cells.keys():
            num_places += 1
            weights |= {design.cells[place]: weight for place, weight in own.items()}
    if not num_places:
        return None
    shared = {cell: weight / num_places for cell, weight in weights.items()}
    return Effect(axes, levels, against, shared, num_places, int(np.prod([len(o) for o in others])))


def _orthonormal(size: int) -> NDArray[Any]:
    """Return (size, size - 1) columns that are orthonormal and sum to zero."""
    centred = np.eye(size)[:, 1:] - 1 / size
    return np.asarray(np.linalg.qr(centred)[0])


def _notes(
    levels: Mapping[str, tuple[str, ...]], cells: Mapping[Place, str], strangers: list[str]
) -> Iterator[str]:
    missing = [place for place in product(*levels.values()) if place not in cells]
    if missing:
        shown = "; ".join(", ".join(place) for place in missing[:3]) + "; …" * (len(missing) > 3)
        yield (
            f"the grid is not full: {len(missing)} of {len(missing) + len(cells)} combinations "
            f"have no finished cell ({shown}); effects are averaged over those that have what they "
            "compare"
        )
    if strangers:
        yield f"no place on the axes {', '.join(levels)}: {', '.join(strangers)}"
