"""What a score costs: every cell's score against its speed and its trained parameters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, FixedLocator, MaxNLocator, NullLocator

from analysis.figures import style
from analysis.figures.cell_names import wrap_name
from analysis.figures.figure_text import settle
from analysis.figures.point_labels import label_points
from analysis.runs.controls import split_header
from analysis.runs.results import SPEED, Results, is_control, seed_means
from analysis.runs.splits import table_columns
from analysis.statistics.pareto import pareto_front

NAME = "efficiency"
PARAMETERS = "num_trainable"
_NARROW, _WIDE = 16, 32  # characters
_DOT = 3.6
_BARS = ["cost_std", "score_std"]
_FAINT: dict[str, Any] = {"alpha": 0.3, "elinewidth": 0.5, "zorder": 1.8}
_STEPS = (1, 2, 2.5, 5, 10)


class Measure(NamedTuple):
    """What stands on a horizontal axis.

    Attributes:
        column: of `Results.runs`.
        label: of the axis.
        larger_is_better: otherwise smaller is.
        timed: whether it hangs on the conditions of the measurement.
    """

    column: str
    label: str
    larger_is_better: bool
    timed: bool


MEASURES = (
    Measure(f"{SPEED}decoder_fps", "frames/s, mask decoder", True, True),
    Measure(f"{SPEED}fps", "frames/s, whole model", True, True),
    Measure(PARAMETERS, "trained parameters", False, False),
)


class Efficiency(NamedTuple):
    """What the figure shows.

    Attributes:
        split: first one that is no control.
        metric: first one that is shown of it.
        measures: that cells have.
        points: columns cell, measure, cost, cost_std, split, metric, score, score_std, num_seeds,
            front (no other cell is at least as good in both and better in one), conditions (of
            timed measures, else empty). Means over seeds; standard deviations have S - 1 degrees
            of freedom and are NaN for one seed.
        notes: cells that are left out, and why; the conditions of the times.
        higher_is_better: direction of the score.
    """

    split: str
    metric: str
    measures: tuple[Measure, ...]
    points: pd.DataFrame
    notes: tuple[str, ...]
    higher_is_better: bool = True


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
    conditions, notes = _conditions(results)
    means = seed_means(results.scores)
    own = means[(means["split"] == shown[0]) & (means["metric"] == shown[1])].dropna()
    scores = own.groupby("cell").agg(
        score=("value", "mean"), score_std=("value", "std"), num_seeds=("value", "size")
    )
    higher = results.scale(shown[1]).higher_is_better
    points = []
    measures = []
    for measure in MEASURES:
        costs = _costs(results, measure, conditions)
        rows = list(_points(results, measure, costs, scores))
        if not rows:
            continue
        measures.append(measure)
        frame = pd.DataFrame(rows)
        signs = np.array([-1.0 if larger else 1.0 for larger in (measure.larger_is_better, higher)])
        frame["front"] = pareto_front(frame[["cost", "score"]].to_numpy() * signs)
        frame["conditions"] = conditions if measure.timed else ""
        points.append(frame)
    if not points:
        return None
    table = pd.concat(points, ignore_index=True)
    table.insert(4, "split", shown[0])
    table.insert(5, "metric", shown[1])
    return Efficiency(*shown, tuple(measures), table, tuple(notes), higher)


def draw(numbers: Efficiency, panels: Sequence[Axes]) -> None:
    """Draw the score over each measure: a point a cell, bars of one standard deviation.

    A light line joins the cells that no other one beats in both. Names are written by `label`.

    Args:
        numbers: of `collect`.
        panels: as many as measures.
    """
    looks = _looks(numbers)
    for measure, panel in zip(numbers.measures, panels, strict=True):
        rows = numbers.points[numbers.points["measure"] == measure.column]
        _scale(panel, rows, measure)
        for row in rows.fillna(dict.fromkeys(_BARS, 0.0)).to_dict("records"):
            colour, marker, _ = looks[str(row["cell"])]
            x, y = row["cost"], row["score"]
            # How busy a machine was says little about a model.
            panel.errorbar(x, y, xerr=row["cost_std"], fmt="none", ecolor=colour, **_FAINT)
            dot: dict[str, Any] = {
                "fmt": marker,
                "markersize": _DOT,
                "color": colour,
                "elinewidth": 0.7,
            }
            panel.errorbar(x, y, yerr=row["score_std"], **dot)
        front = rows[rows["front"]].sort_values("cost")
        # Between two cells of the front the worse score is what can be had.
        where: Literal["pre", "post"] = "pre" if measure.larger_is_better else "post"
        panel.step(
            front["cost"], front["score"], where=where, color="0.85", linewidth=0.8, zorder=1
        )
        panel.set_xlabel(measure.label)
        style.light_grid(panel)
        panel.yaxis.set_major_locator(MaxNLocator(5, steps=_STEPS))
        panel.margins(x=0.12, y=0.14)


def label(numbers: Efficiency, panels: Sequence[Axes], *, width: int) -> bool:
    """Write the cells' names beside their points; call it when the layout is final.

    Args:
        numbers: of `collect`.
        panels: that `draw` has drawn in.
        width: of a name's line in characters.

    Returns:
        Whether no name hides anything.
    """
    looks = _looks(numbers)
    free = True
    for measure, panel in zip(numbers.measures, panels, strict=True):
        rows = numbers.points[numbers.points["measure"] == measure.column]
        cells = [str(cell) for cell in rows["cell"]]
        written = label_points(
            panel,
            list(rows[["cost", "score"]].itertuples(index=False, name=None)),
            [wrap_name(cell, width) for cell in cells],
            colours=[looks[cell].colour for cell in cells],
            fontsize=style.SMALLEST_PT,
            bars=[(0.0, float(half)) for half in rows["score_std"].fillna(0.0)],
        )
        free = free and all(place.free for place in written)
    return free


def make(results: Results, folder: Path, *, notes: list[str] | None = None) -> list[Path]:
    """Write ``efficiency.pdf``, ``.png`` and ``.csv``; nothing where nothing is measured.

    Panels lie side by side; where names would hide something there, one below the other.

    Args:
        results: the runs.
        folder: for the files.
        notes: gets what is left out, and why.
    """
    numbers = collect(results)
    if numbers is None:
        return []
    if notes is not None:
        notes += numbers.notes
    with style.paper_style():
        figure, fits = _figure(numbers, beside=True)
        if not fits:
            figure, _ = _figure(numbers, beside=False)
        return style.save(figure, numbers.points, folder, NAME)


def _figure(numbers: Efficiency, *, beside: bool) -> tuple[Figure, bool]:
    count = len(numbers.measures)
    if beside:
        figure = style.new_figure("page" if count > 1 else "column", 2.3)
        panels = list(figure.subplots(1, count, sharey=True, squeeze=False)[0])
    else:
        figure = style.new_figure("page", 2.2 * count)
        panels = list(figure.subplots(count, 1, sharey=True, squeeze=False)[:, 0])
    draw(numbers, panels)
    lower = "" if numbers.higher_is_better else " (lower is better)"
    text = f"{numbers.metric}, {split_header(numbers.split)}{lower}"
    for panel in panels[:1] if beside else panels:
        panel.set_ylabel(text)
    settle(figure)  # what is laid out below must be what is drawn
    figure.draw_without_rendering()
    figure.set_layout_engine("none")  # names are placed in what has been laid out
    return figure, label(numbers, panels, width=_NARROW if beside else _WIDE)


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


def _points(
    results: Results, measure: Measure, costs: pd.DataFrame, scores: pd.DataFrame
) -> Iterator[dict[str, Any]]:
    held = costs.join(scores, how="inner").to_dict("index")
    for cell in results.cells:
        if cell in held:
            row = {str(name): float(value) for name, value in held[cell].items()}
            row["num_seeds"] = int(row["num_seeds"])
            yield {"cell": cell, "measure": measure.column, **row}


def _looks(numbers: Efficiency) -> dict[str, style.Look]:
    cells = dict.fromkeys(map(str, numbers.points["cell"]))
    return {cell: style.look(index) for index, cell in enumerate(cells)}


def _scale(panel: Axes, rows: pd.DataFrame, measure: Measure) -> None:
    """Let sizes stand on a logarithmic axis with a place for zero."""
    if measure.column != PARAMETERS:
        panel.xaxis.set_major_locator(MaxNLocator(5, steps=_STEPS))
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
            ticks = [float(t) for t in MaxNLocator(4, steps=_STEPS).tick_values(low, high)]
    panel.xaxis.set_major_locator(FixedLocator(ticks))
    panel.xaxis.set_minor_locator(NullLocator())
    panel.xaxis.set_major_formatter(EngFormatter(sep=""))
