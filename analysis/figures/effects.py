"""What the axes of a grid do: mean scores, main effects and interactions, a row of two maps a pair.

The left map has the means of two axes' levels, the right one what a level changes: alone, averaged
over the other axis, in its first row and column, and beyond that together with the other's.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import NDArray

from analysis.figures import style
from analysis.figures.figure_text import wrap_name
from analysis.runs.controls import Column, split_header
from analysis.runs.results import Results, seed_means, select
from analysis.statistics.crossed_means import USUAL
from analysis.statistics.effects import GridEffects, grid_effects
from analysis.tables.contrast_rows import mark, rounded
from analysis.tables.effects import to_frame
from analysis.tables.make import digits

NAME = "effects"
_ALONE = ""
_LETTERS = 13
_ROW_INCHES = 0.38
_MOST_LEVELS = 7
"""Of an axis; more have no room for their numbers."""
_MOST_WITH_INTERVALS = 4
"""Levels beside each other; more have room for the numbers alone."""


class Maps(NamedTuple):
    """Two axes of a grid; rows are levels of the first, columns of the second."""

    axes: tuple[str, str]
    means: pd.DataFrame  # over seeds, clips and the other axes; NaN where there is no cell
    # Rows and columns are `_ALONE` and the levels beside the reference: entries of `to_frame`, or
    # None.
    changes: dict[tuple[str, str], Mapping[Any, Any] | None]


class EffectMaps(NamedTuple):
    """What the figure shows."""

    column: Column  # split and metric
    held: GridEffects  # of it and other columns
    maps: tuple[Maps, ...]  # of each pair of axes
    numbers: pd.DataFrame  # rows of `to_frame` that are shown, and the means
    notes: tuple[str, ...]  # what is left out
    higher_is_better: bool = True


def collect(results: Results) -> EffectMaps | None:
    """Return the effects on the first column that is no control; None where no two axes meet."""
    held = grid_effects(results)
    if held is None:
        return None
    column = next(c for c in held.columns if not _of(held.found, c).empty)
    frame = to_frame(held)
    shown = _of(frame, column)
    levels = held.design.levels
    large = [axis for axis, own in levels.items() if len(own) > _MOST_LEVELS]
    notes = [f"axis {axis}: {len(levels[axis])} levels have no room on a map" for axis in large]
    means = _cell_means(results, held, column)
    pairs = combinations([axis for axis in levels if axis not in large], 2)
    maps = [_maps(held, column, means, pair) for pair in pairs]
    listed = pd.concat([_mean_rows(maps, column), shown], ignore_index=True)
    higher = results.scale(column[1]).higher_is_better
    return EffectMaps(column, held, tuple(maps), listed, (*held.notes, *notes), higher)


def draw(numbers: EffectMaps, panels: NDArray[Any]) -> None:
    """Draw a pair of axes in each row of two panels; all maps of a kind have one scale."""
    found = _of(numbers.held.found, numbers.column)["difference"]
    top, places = float(found.abs().max()) or 1.0, digits(found)
    every = np.concatenate([maps.means.to_numpy().ravel() for maps in numbers.maps])
    ends = float(np.nanmin(every)), float(np.nanmax(every))
    for maps, (left, right) in zip(numbers.maps, panels, strict=True):
        _draw_means(maps, left, ends)
        _draw_changes(maps, right, top, places, numbers.held.design.levels)


def make(results: Results, folder: Path) -> list[Path]:
    """Write ``effects.*`` where two axes meet; the results note what is left out."""
    if (numbers := collect(results)) is None:
        return []
    results.notes.extend(numbers.notes)
    if not numbers.maps:
        return []
    rows = [len(maps.means) + 1 for maps in numbers.maps]
    height = 0.3 + sum(_ROW_INCHES * count + 0.5 for count in rows)
    widest = max(maps.means.shape[1] for maps in numbers.maps)
    ratios = {"height_ratios": rows, "width_ratios": [widest, 1.7 * widest]}
    with style.paper_panels("page", height, len(rows), 2, **ratios) as (figure, panels):
        draw(numbers, panels)
        split, metric = numbers.column
        lower = "" if numbers.higher_is_better else ", lower is better"
        panels[0, 0].set_title(f"mean {metric}, {split_header(split)}{lower}")
        level = f"{USUAL.confidence:.0%} interval"
        panels[0, 1].set_title(f"change of {metric} [{level}]")
        return style.save(figure, numbers.numbers, folder, NAME)


def _draw_means(maps: Maps, panel: Axes, ends: tuple[float, float]) -> None:
    texts = maps.means.map("{:.3f}".format, na_action="ignore").fillna("–").to_numpy()
    scale: dict[str, Any] = {"cmap": "Blues", "vmin": ends[0], "vmax": 2 * ends[1] - ends[0]}
    style.written_matrix(panel, maps.means.to_numpy(float), texts, **scale)
    names = [list(map(str, index)) for index in (maps.means.index, maps.means.columns)]
    _name(panel, names, list(maps.axes))


def _draw_changes(
    maps: Maps,
    panel: Axes,
    top: float,
    places: int,
    levels: Mapping[str, tuple[str, ...]],
) -> None:
    rows, columns = (list(dict.fromkeys(key[n] for key in maps.changes)) for n in (0, 1))
    values = np.full((len(rows), len(columns)), np.nan)
    texts = np.full(values.shape, "–", dtype=object)
    texts[0, 0] = ""
    with_intervals = len(columns) <= _MOST_WITH_INTERVALS
    for (down, across), entry in maps.changes.items():
        at = rows.index(down), columns.index(across)
        if entry is not None:
            values[at], texts[at] = entry["difference"], _lines(entry, places, with_intervals)
    scale: dict[str, Any] = {"cmap": "RdBu", "vmin": -1.3 * top, "vmax": 1.3 * top}
    style.written_matrix(panel, values, texts, dark=0.8 * top, **scale)
    panel.axhline(0.5, color="white", linewidth=3)
    panel.axvline(0.5, color="white", linewidth=3)
    every = [f"mean over {axis}" for axis in maps.axes]
    names = [[every[0], *rows[1:]], [every[1], *columns[1:]]]
    _name(panel, names, [f"{axis}, against {levels[axis][0]}" for axis in maps.axes])


def _lines(entry: Mapping[Any, Any], places: int, with_interval: bool) -> str:
    value, low, high = (
        rounded(entry[n], places, signed=True) for n in ("difference", "low", "high")
    )
    between = f"\n[{low}, {high}]" if with_interval and np.isfinite(entry["low"]) else ""
    return f"{value}{mark(entry)}{between}"


def _name(panel: Axes, levels: list[list[str]], axes: list[str]) -> None:
    down, across = ([wrap_name(name, _LETTERS) for name in names] for names in levels)
    panel.set_yticks(range(len(down)), down)
    panel.set_xticks(range(len(across)), across)
    panel.set_ylabel(wrap_name(axes[0], 2 * _LETTERS))
    panel.set_xlabel(wrap_name(axes[1], 4 * _LETTERS))


def _maps(held: GridEffects, column: Column, means: pd.DataFrame, pair: tuple[str, str]) -> Maps:
    levels = held.design.levels
    # The longer axis runs down, where there is more room.
    down, across = sorted(pair, key=lambda axis: -len(levels[axis]))
    names = {(e.axes, e.levels): e.name for e in held.effects}
    rows = {row["effect"]: row for row in _of(held.found, column).to_dict("records")}
    changes: dict[tuple[str, str], Mapping[Any, Any] | None] = {}
    for of_rows in (_ALONE, *levels[down][1:]):
        for of_columns in (_ALONE, *levels[across][1:]):
            at = {down: of_rows, across: of_columns}
            axes = tuple(axis for axis in pair if at[axis] != _ALONE)
            name = names.get((axes, tuple(at[axis] for axis in axes)))
            changes[of_rows, of_columns] = rows.get(name)
    table = means.pivot_table(index=down, columns=across, values="value", aggfunc="mean")
    table = table.reindex(index=list(levels[down]), columns=list(levels[across]))
    return Maps((down, across), table, changes)


def _cell_means(results: Results, held: GridEffects, column: Column) -> pd.DataFrame:
    """Return a row a cell: its levels, by axis, and its mean over clips and seeds."""
    own = _of(seed_means(results.scores), column).groupby("cell")["value"].mean()
    return pd.DataFrame(
        [
            {**dict(zip(held.design.levels, place, strict=True)), "value": own[cell]}
            for place, cell in held.design.cells.items()
            if cell in own.index
        ]
    )


def _mean_rows(maps: list[Maps], column: Column) -> pd.DataFrame:
    rows = [
        {
            "kind": "mean",
            "axes": " × ".join(one.axes),
            "levels": f"{down} × {across}",
            "split": column[0],
            "metric": column[1],
            "mean": one.means.loc[down, across],
        }
        for one in maps
        for down in one.means.index
        for across in one.means.columns
    ]
    return pd.DataFrame(rows)


def _of(frame: pd.DataFrame, column: Column) -> pd.DataFrame:
    return select(frame, split=column[0], metric=column[1])
