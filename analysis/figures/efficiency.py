"""What a score costs: every cell's score against its speed and its trained parameters."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import EngFormatter, FixedLocator, NullLocator

from analysis.figures import style
from analysis.figures.figure_text import legend_name
from analysis.runs.controls import is_control, split_header
from analysis.runs.measures import SPEED
from analysis.runs.results import Results, seed_means, select
from analysis.runs.splits import table_columns
from analysis.statistics.pareto import pareto_front

NAME = "efficiency"
PARAMETERS = "num_trainable"
_COLUMNS = (
    *("cell", "measure", "cost", "cost_std", "split", "metric"),
    *("score", "score_std", "num_seeds", "front", "conditions"),
)
_DOT = 3.6
_FAINT: dict[str, Any] = {"alpha": 0.3, "elinewidth": 0.5, "zorder": 1.8}


class Measure(NamedTuple):
    """What stands on a horizontal axis."""

    column: str  # of `Results.runs`
    label: str  # of the axis
    larger_is_better: bool  # otherwise smaller is
    timed: bool  # whether it hangs on the conditions of the measurement


MEASURES = (
    Measure(f"{SPEED}decoder_fps", "frames/s, mask decoder", True, True),
    Measure(f"{SPEED}fps", "frames/s, whole model", True, True),
    Measure(PARAMETERS, "trained parameters", False, False),
)


class Efficiency(NamedTuple):
    """What the figure shows."""

    split: str  # first one that is no control
    metric: str  # first one that is shown of it
    measures: tuple[Measure, ...]  # that cells have
    # Columns `_COLUMNS`; front: no other cell is at least as good in both and better in one;
    # conditions: of timed measures, else empty. Means over seeds; standard deviations have S - 1
    # degrees of freedom and are NaN for one seed.
    points: pd.DataFrame
    notes: tuple[str, ...]  # cells that are left out, and why; the conditions of the times
    higher_is_better: bool = True  # direction of the score


def collect(results: Results) -> Efficiency | None:
    """Average scores, speeds and sizes over the seeds of each cell.

    Times measured under different conditions do not compare: the conditions of most runs count
    (of equally many the first), and runs that were timed under others count as not timed.

    Returns:
        None where no split has a score, or no run a speed or a size.
    """
    shown = next((c for c in table_columns(results) if not is_control(c[0])), None)
    if shown is None:
        return None
    split, metric = shown
    conditions, notes = _conditions(results)
    own = select(seed_means(results.scores), split=split, metric=metric).dropna()
    scores = own.groupby("cell")["value"].agg(score="mean", score_std="std", num_seeds="size")
    higher = results.scale(metric).higher_is_better
    tables = []
    for measure in MEASURES:
        held = _costs(results, measure, conditions).join(scores, how="inner")
        if held.empty:
            continue
        signs = [-1.0 if larger else 1.0 for larger in (measure.larger_is_better, higher)]
        held["front"] = pareto_front(held[["cost", "score"]].to_numpy() * signs)
        held["conditions"] = conditions if measure.timed else ""
        table = held.loc[[cell for cell in results.cells if cell in held.index]]
        tables.append(table.rename_axis("cell").reset_index().assign(measure=measure.column))
    if not tables:
        return None
    points = pd.concat(tables, ignore_index=True).assign(split=split, metric=metric)
    held_measures = tuple(m for m in MEASURES if m.column in set(points["measure"]))
    return Efficiency(split, metric, held_measures, points[list(_COLUMNS)], tuple(notes), higher)


def draw(numbers: Efficiency, panels: Sequence[Axes]) -> None:
    """Draw the score over each measure: a point a cell, bars of one standard deviation.

    A light line joins the cells that no other one beats in both.
    """
    looks = _looks(numbers)
    for measure, panel in zip(numbers.measures, panels, strict=True):
        rows = numbers.points[numbers.points["measure"] == measure.column]
        _scale(panel, rows, measure)
        for row in rows.fillna({"cost_std": 0.0, "score_std": 0.0}).to_dict("records"):
            colour, marker, _ = looks[str(row["cell"])]
            x, y = row["cost"], row["score"]
            # How busy a machine was says little about a model.
            panel.errorbar(x, y, xerr=row["cost_std"], fmt="none", ecolor=colour, **_FAINT)
            dot: dict[str, Any] = {"fmt": marker, "markersize": _DOT, "color": colour}
            panel.errorbar(x, y, yerr=row["score_std"], elinewidth=0.7, **dot)
        front = rows[rows["front"]].sort_values("cost")
        ends = front["cost"], front["score"], measure.larger_is_better
        style.front_line(panel, *ends, color="0.85", zorder=1)
        panel.set_xlabel(measure.label)
        style.light_grid(panel)
        panel.yaxis.set_major_locator(style.round_ticks(5))
        panel.margins(x=0.12, y=0.14)
    lower = "" if numbers.higher_is_better else " (lower is better)"
    panels[0].set_ylabel(f"{numbers.metric}, {split_header(numbers.split)}{lower}")


def make(results: Results, folder: Path) -> list[Path]:
    """Write ``efficiency.*`` where anything is measured; the results note what is left out."""
    if (numbers := collect(results)) is None:
        return []
    results.notes.extend(numbers.notes)
    count = len(numbers.measures)
    width = "page" if count > 1 else "column"
    with style.paper_panels(width, 2.3, 1, count, sharey=True) as (figure, (panels,)):
        draw(numbers, panels)
        looks = _looks(numbers)
        dots = [style.dot(own.marker, own.colour, _DOT) for own in looks.values()]
        names = [legend_name(cell) for cell in looks]
        style.legend_above(figure, dots, names, handlelength=0.8, handletextpad=0.4)
        return style.save(figure, numbers.points, folder, NAME)


def _conditions(results: Results) -> tuple[str, list[str]]:
    """Return the conditions that count, and what has to be said."""
    timed = [m.column for m in MEASURES if m.timed and m.column in results.runs]
    runs = results.runs
    held = runs[runs[timed].notna().any(axis=1)] if timed else runs.iloc[:0]
    if held.empty:
        return "", ["no speeds: no run was timed"]
    counts = held["speed_conditions"].value_counts(sort=False)
    chosen = str(counts.idxmax())
    notes = [f"speeds are those measured under: {chosen or 'no recorded conditions'}"]
    alike = set(held.loc[held["speed_conditions"] == chosen, "cell"])
    for cell in results.cells:
        if cell in alike:
            continue
        other = held.loc[held["cell"] == cell, "speed_conditions"]
        why = f"timed under other conditions ({other.iloc[0]})" if len(other) else "not timed"
        notes.append(f"no speed of {cell}: {why}")
    return chosen, notes


def _costs(results: Results, measure: Measure, conditions: str) -> pd.DataFrame:
    runs = results.runs
    if measure.column not in runs:
        return pd.DataFrame(columns=["cost", "cost_std"])
    if measure.timed:
        runs = runs[runs["speed_conditions"] == conditions]
    kept = runs.dropna(subset=[measure.column])
    return kept.groupby("cell").agg(cost=(measure.column, "mean"), cost_std=(measure.column, "std"))


def _looks(numbers: Efficiency) -> dict[str, style.Look]:
    cells = dict.fromkeys(map(str, numbers.points["cell"]))
    return {cell: style.look(index) for index, cell in enumerate(cells)}


def _scale(panel: Axes, rows: pd.DataFrame, measure: Measure) -> None:
    """Let sizes stand on a logarithmic axis with a place for zero."""
    if measure.column != PARAMETERS:
        panel.xaxis.set_major_locator(style.round_ticks(5))
        return
    positive = rows.loc[rows["cost"] > 0, "cost"]
    if positive.empty:
        return
    low, high = float(positive.min()), float(positive.max())
    ticks = [10.0**e for e in range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)]
    if len(positive) < len(rows):
        # Linear below the first power of ten, where nothing but zero is.
        panel.set_xscale("symlog", linthresh=ticks[0], linscale=0.5)
        ticks = [0.0, *ticks]
    else:
        panel.set_xscale("log")
        if high / low < 10:
            ticks = [float(t) for t in style.round_ticks(3).tick_values(low, high)]
    panel.xaxis.set_major_locator(FixedLocator(ticks))
    panel.xaxis.set_minor_locator(NullLocator())
    panel.xaxis.set_major_formatter(EngFormatter(sep=""))
