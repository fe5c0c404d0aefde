"""Which clips carry the difference of two cells: a line a bin of clips, as figure and table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from analysis.clips.labels import clip_labels
from analysis.clips.picks import best_other, first_column
from analysis.figures import style
from analysis.figures.figure_text import wrap_name
from analysis.runs.controls import Column, split_header
from analysis.runs.results import Results
from analysis.runs.saved_clips import check_cells
from analysis.runs.splits import derived_splits
from analysis.statistics.breakdowns import Bin, attribute_bins, break_down, part_bins
from analysis.statistics.crossed_means import USUAL
from analysis.statistics.score_arrays import score_arrays
from analysis.statistics.significance import reference_cell
from analysis.tables.breakdown import NAME, write

_MOST_CLASSES = 24
"""In the figure: those of most clips; the table has all."""
_ROW_INCHES = 0.16
_LETTERS, _TITLE_LETTERS = 30, 110
_DOT: dict[str, Any] = {"markersize": 3.6}


class Breakdown(NamedTuple):
    """What figure and table show."""

    cells: tuple[str, str]  # the first one minus the second
    column: Column  # split and metric
    found: pd.DataFrame  # of `break_down`
    notes: tuple[str, ...]  # attributes that are left out, and why
    lost: tuple[str, ...]  # of these, what is not known since the data are gone


def collect(
    results: Results,
    *,
    other: str | None = None,
    overrides: Mapping[str, Any] | None = None,
) -> Breakdown | None:
    """Break down the reference's difference from another cell, on the first test split.

    Of seen and unseen objects that are splits of their own, both.

    Args:
        results: the runs.
        other: the other cell; None for the best one that was trained.
        overrides: of the runs' configs, e.g. ``{"data.root": ...}`` where the data have moved.

    Returns:
        None without another cell, without scores, or where nothing is known of the clips.

    Raises:
        ValueError: for an unknown cell, or without a reference.
    """
    if (pair := _pair(results, other)) is None:
        return None
    cells, column = pair
    column, parts = _whole(results, column)
    labels, lost = clip_labels(results, cells, parts, overrides)
    bins: list[Bin] = []
    notes: list[str] = []
    if len(parts) > 1:
        bins += part_bins(score_arrays(results, [column])[column], parts)
        labels = {s: own.assign(clip=f"{s}/" + own["clip"]) for s, own in labels.items()}
    if labels:
        of_labels, notes = attribute_bins(pd.concat(labels.values(), ignore_index=True))
        bins += of_labels
    found = break_down(results, cells, column, bins)
    return Breakdown(cells, column, found, (*lost, *notes), tuple(lost))


def draw(numbers: Breakdown, panels: Sequence[Axes]) -> None:
    """Draw the difference of each bin, and how far it is from that of the other clips."""
    rows, gaps = _rows(numbers.found)
    places = np.arange(len(rows)) + gaps
    for panel, before in zip(panels, ("", "apart_"), strict=True):
        panel.axvline(0, color="0.6", linewidth=0.6)
        for place, row in zip(places, rows, strict=True):
            value, low, high = (row[f"{before}{n}"] for n in ("difference", "low", "high"))
            found = row[f"{before}significant"]
            if np.isfinite(low):
                panel.plot([low, high], [place, place], color=style.BLUE, linewidth=0.8)
            if np.isfinite(value):
                face = style.BLUE if found else "white"
                panel.plot([value], [place], "o", color=style.BLUE, markerfacecolor=face, **_DOT)
        style.light_grid(panel, "x")
        panel.xaxis.set_major_locator(style.round_ticks(5))
        panel.set_ylim(places[-1] + 0.6, -0.6)
    names = [f"{wrap_name(row['bin'], _LETTERS)} ({row['num_clips']})" for row in rows]
    panels[0].set_yticks(places, names)
    panels[1].tick_params(axis="y", left=False)
    look: dict[str, Any] = {"ha": "right", "va": "center", "style": "italic"}
    look["transform"] = panels[0].get_yaxis_transform()
    said = ""
    for place, row in zip(places, rows, strict=True):
        if row["attribute"] != said:
            said = row["attribute"]
            panels[0].text(-0.02, place - 1, said, **look)
    split, metric = numbers.column
    panels[0].set_xlabel(f"difference in {metric}, {split_header(split)}")
    panels[1].set_xlabel("minus that of the other clips")


def make(results: Results, folder: Path, **asked: Any) -> list[Path]:
    """Write ``breakdown.pdf``, ``.png``, ``.csv``, ``.md`` and ``.tex``; nothing without a bin.

    The results note what is left out, and why; ``asked`` is for `collect`.
    """
    if (numbers := collect(results, **asked)) is None:
        return []
    results.notes.extend(numbers.notes)
    results.lost.extend(numbers.lost)
    if len(numbers.found) < 2:
        return []
    rows, gaps = _rows(numbers.found)
    height = 0.75 + _ROW_INCHES * (len(rows) + float(gaps[-1]))
    with style.paper_panels("page", height, 1, 2, sharey=True) as (figure, (panels,)):
        draw(numbers, panels)
        compared = wrap_name(" minus ".join(numbers.cells), _TITLE_LETTERS)
        filled = f"filled: p < {USUAL.alpha:g} after Holm's correction"
        figure.suptitle(f"{compared}\n{filled}", fontsize=style.SMALLEST_PT + 1)
        paths = style.save(figure, numbers.found, folder, NAME)
    shown = (numbers.found, numbers.cells, numbers.column)
    paths += write(*shown, folder, results.title)
    return list(dict.fromkeys(paths))


def _pair(results: Results, other: str | None) -> tuple[tuple[str, str], Column] | None:
    """Return the reference and the other cell, and what is compared."""
    first = reference_cell(results)
    if other is not None:
        check_cells(results, [other])
    if (column := first_column(results)) is None:
        return None
    second = other or best_other(results, column, first)
    return None if second in (None, first) else ((first, str(second)), column)


def _whole(results: Results, column: Column) -> tuple[Column, tuple[str, ...]]:
    """Return the derived split that a column is part of, and its parts; else the column itself."""
    for name, parts in derived_splits(results).items():
        if column[0] in parts:
            return (name, column[1]), parts
    return column, (column[0],)


def _rows(found: pd.DataFrame) -> tuple[list[dict[Any, Any]], Any]:
    """Return the rows that are drawn, and how many headings stand above each."""
    classes = found[found["attribute"] == "class"]
    few = classes.nlargest(_MOST_CLASSES, "num_clips", keep="first").index
    shown = found.loc[(found["attribute"] != "class") | found.index.isin(few)]
    headings = shown["attribute"].ne(shown["attribute"].shift(fill_value="")).cumsum()
    return shown.to_dict("records"), headings.to_numpy()
