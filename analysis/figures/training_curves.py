"""How cells train: every term of the loss by iteration, validation scores by epoch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator, StrMethodFormatter

from analysis.figures import style
from analysis.figures.figure_text import legend_name, wrap_name
from analysis.runs.results import Results, select
from analysis.runs.training_log import TOTAL, loss_terms, read_log, series
from auralsam2.engine.run_record import read_without_clips

NAME = "training_curves"
LOSS, SCORE = "loss", "validation score"
STEPS = {LOSS: "iteration", SCORE: "epoch"}
"""What the steps of each kind count."""
MOST_TOGETHER = 6
"""Cells that share panels; with more, every cell has panels of its own."""
MOST_ON_A_SHEET = 20
SMOOTHED_SHARE = 0.1
"""Of a loss's logged points: the span of the moving average."""
_COLUMNS_OF_CURVES, _COLUMNS_OF_CELLS = 4, 5
_LOG_FROM = 3.0  # the largest number over the smallest
_MARKED_BELOW = 16  # points
_NAME_CHARACTERS = 22
_TITLE_CHARACTERS = 100


class TrainingCurves(NamedTuple):
    """What the figure shows."""

    cells: tuple[str, ...]  # that have something to show, in the order of the grid
    # (kind, name) in order: the total loss, its terms, validation metrics.
    quantities: tuple[tuple[str, str], ...]
    # Columns kind (`LOSS` or `SCORE`), quantity, cell, step (iteration or epoch), mean over the
    # seeds that have logged, low and high (the lowest and highest of them), num_seeds. Losses are
    # smoothed, seed by seed; only steps that all seeds have.
    curves: pd.DataFrame
    reference: str | None  # of the grid, where it is among the cells
    notes: tuple[str, ...]  # cells that are left out, and why


def smooth(values: Sequence[float]) -> list[float]:
    """Return the exponential moving average of a loss, unbiased at its beginning.

    The average at point i is Σ_j w^(i-j) x_j / Σ_j w^(i-j) over j ≤ i with w = (s - 1) / (s + 1),
    where the span s is the share `SMOOTHED_SHARE` of the points, and at least 1: no smoothing.
    """
    span = max(1.0, SMOOTHED_SHARE * len(values))
    return [float(value) for value in pd.Series(values, dtype=float).ewm(span=span).mean()]


def collect(results: Results) -> TrainingCurves:
    """Read the logs of all runs, and average them over the seeds.

    Cells that train nothing are left out.
    """
    columns = ["kind", "quantity", "cell", "seed", "step", "y"]
    rows = pd.DataFrame(_rows(results), columns=columns).astype({"y": float})
    curves = _over_seeds(rows)
    held = set(curves["cell"])
    trained = results.trained_cells
    others = [cell for cell in results.cells if cell not in held]
    still = [cell for cell in others if cell not in trained]
    silent = [cell for cell in others if cell in trained]
    notes = [f"no training curves of {', '.join(still)}: nothing is trained there"] * bool(still)
    notes += [f"no training curves of {', '.join(silent)}: no log is left"] * bool(silent)
    names = rows[["kind", "quantity"]].drop_duplicates().itertuples(index=False, name=None)
    found = [(str(kind), str(quantity)) for kind, quantity in names]
    # A term that only a later cell has still stands before the scores.
    ordered = [q for q in found if q[0] == LOSS] + [(SCORE, m) for m in results.metrics]
    return TrainingCurves(
        cells=tuple(cell for cell in results.cells if cell in held),
        quantities=tuple(quantity for quantity in ordered if quantity in found),
        curves=curves,
        reference=results.reference if results.reference in held else None,
        notes=tuple(notes),
    )


def plot(panel: Axes, rows: pd.DataFrame, **line: Any) -> None:
    """Draw ``mean`` by ``step``, with its band where there is one; few points are marked."""
    marker = "o" if len(rows) < _MARKED_BELOW else None
    style.line_with_band(panel, rows, "step", **{"marker": marker, "markersize": 2, **line})


def finish(panel: Axes, kind: str) -> None:
    """Choose scales and ticks for what has been drawn; only losses stand on logarithmic axes."""
    low, high = panel.dataLim.intervaly
    if kind == LOSS and low > 0 and high / low >= _LOG_FROM:
        panel.set_yscale("log")
        panel.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high / low < 30 else (1,)))
        panel.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        panel.yaxis.set_minor_locator(NullLocator())
    else:
        panel.yaxis.set_major_locator(style.round_ticks(4))
    first, last = panel.dataLim.intervalx
    if first == last:  # of one epoch, whose axis would count in fractions of it
        panel.set_xlim(first - 1, last + 1)
    panel.xaxis.set_major_locator(style.round_ticks(4, integer=True))
    style.light_grid(panel)


def draw(numbers: TrainingCurves, panels: Sequence[Axes]) -> None:
    """Draw a quantity in each panel: a line a cell, a band from the lowest seed to the highest."""
    for (kind, quantity), panel in zip(numbers.quantities, panels, strict=True):
        for index, cell in enumerate(numbers.cells):
            look = style.look(index)
            # Lines that lie on others stay visible.
            line = {"color": look.colour, "linestyle": look.line, "label": legend_name(cell)}
            plot(panel, _select(numbers, (kind, quantity), cell), linewidth=1.0, **line)
        panel.set_title(_title(kind, quantity), pad=3)
        finish(panel, kind)


def draw_cells(
    numbers: TrainingCurves, cells: Sequence[str], panels: Sequence[Sequence[Axes]]
) -> None:
    """Draw some cells in rows of panels, of each `main_quantities`, with the reference behind."""
    for position, quantity in enumerate(main_quantities(numbers)):
        own = [row[position] for row in panels]
        for cell, panel in zip(cells, own, strict=True):
            if numbers.reference not in (None, cell):
                behind = _select(numbers, quantity, str(numbers.reference))
                plot(panel, behind, linewidth=1.0, color="0.65")
            plot(panel, _select(numbers, quantity, cell), linewidth=1.0, color=style.BLUE)
        low = min(panel.dataLim.y0 for panel in own)
        high = max(panel.dataLim.y1 for panel in own)
        for panel in own:
            panel.dataLim.intervaly = (low, high)
            finish(panel, quantity[0])
            panel.autoscale_view()
    for cell, row in zip(cells, panels, strict=True):
        row[0].set_title(wrap_name(cell, _NAME_CHARACTERS), pad=3, fontsize=style.SMALLEST_PT)


def main_quantities(numbers: TrainingCurves) -> list[tuple[str, str]]:
    """Return what is shown of many cells: the total loss and the first metric, where logged."""
    kinds: dict[str, tuple[str, str]] = {}
    for quantity in numbers.quantities:
        kinds.setdefault(quantity[0], quantity)
    return list(kinds.values())


def make(results: Results, folder: Path) -> list[Path]:
    """Write ``training_curves.pdf``, ``.png`` and ``.csv``; nothing where nothing is logged.

    Of more than `MOST_TOGETHER` cells each has its own panels; beyond `MOST_ON_A_SHEET` they go on
    in ``training_curves_2.*``. The results' notes get what is left out, and why.
    """
    numbers = collect(results)
    results.notes.extend(numbers.notes)
    if not numbers.cells:
        return []
    with style.paper_style():
        if len(numbers.cells) <= MOST_TOGETHER:
            return style.save(_together(numbers), numbers.curves, folder, NAME)
        paths: list[Path] = []
        rest = iter(numbers.cells)
        while cells := list(islice(rest, MOST_ON_A_SHEET)):
            shown = numbers.curves[numbers.curves["cell"].isin([*cells, numbers.reference])]
            name = f"{NAME}_{len(paths) // 3 + 1}" if paths else NAME
            paths += style.save(_apart(numbers, cells), shown, folder, name)
        return paths


def _rows(results: Results) -> Iterator[tuple[str, str, str, int, int, float]]:
    for run in results.runs.to_dict("records"):
        run_dir = Path(str(run["run_dir"]))
        log = read_log(read_without_clips(run_dir), run_dir)
        whose = (str(run["cell"]), int(run["seed"]))
        for name, short in {TOTAL: "total", **loss_terms(log.training)}.items():
            steps, values = series(log.training, name)
            for step, value in zip(steps, smooth(values), strict=True):
                yield (LOSS, short, *whose, step, value)
        for metric in results.metrics:
            for step, value in zip(*series(log.validation, metric), strict=True):
                yield (SCORE, metric, *whose, step, value)


def _over_seeds(rows: pd.DataFrame) -> pd.DataFrame:
    """Average over seeds where all of them have a number: a line may not jump as seeds end."""
    keys = ["kind", "quantity", "cell"]
    rows = rows.assign(num_seeds=rows.groupby(keys)["seed"].transform("nunique"))
    groups = rows.groupby([*keys, "num_seeds", "step"], sort=False)["y"]
    curves = groups.agg(mean="mean", low="min", high="max", held="size").reset_index()
    full = curves[curves["held"] == curves["num_seeds"]]
    return full[[*keys, "step", "mean", "low", "high", "num_seeds"]].reset_index(drop=True)


def _select(numbers: TrainingCurves, quantity: tuple[str, str], cell: str) -> pd.DataFrame:
    return select(numbers.curves, kind=quantity[0], quantity=quantity[1], cell=cell)


def _together(numbers: TrainingCurves) -> Figure:
    count = len(numbers.quantities)
    columns = min(count, _COLUMNS_OF_CURVES)
    rows = -(-count // columns)
    figure = style.new_figure("page" if count > 2 else "column", 1.45 * rows + 0.45)
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for unused in panels[count:]:
        unused.remove()
    draw(numbers, list(panels[:count]))
    for (kind, _), panel in zip(numbers.quantities, panels, strict=False):
        panel.set_xlabel(STEPS[kind])
    style.legend_above(figure, *panels[0].get_legend_handles_labels())
    return figure


def _apart(numbers: TrainingCurves, cells: Sequence[str]) -> Figure:
    quantities, columns = main_quantities(numbers), _COLUMNS_OF_CELLS
    rows = -(-len(cells) // columns)
    figure = style.new_figure("page", (0.85 * len(quantities) + 0.35) * rows + 0.3)
    grid = figure.subplots(rows * len(quantities), columns, squeeze=False)
    # A row of panels a cell.
    blocks = grid.reshape(rows, -1, columns).swapaxes(1, 2).reshape(rows * columns, -1)
    for unused in blocks[len(cells) :].flat:
        unused.remove()
    draw_cells(numbers, cells, list(blocks[: len(cells)]))
    for index, block in enumerate(blocks[: len(cells)]):
        for (kind, quantity), panel in zip(quantities, block, strict=True):
            if index % columns == 0:
                panel.set_ylabel(_title(kind, quantity))
            else:
                panel.tick_params(axis="y", labelleft=False)
            if index // columns == rows - 1:
                panel.set_xlabel(STEPS[kind])
    if numbers.reference is not None:
        title = wrap_name(f"grey: the reference, {numbers.reference}", _TITLE_CHARACTERS)
        figure.suptitle(title, fontsize=style.SMALLEST_PT + 1)
    return figure


def _title(kind: str, quantity: str) -> str:
    return f"{quantity}, validation" if kind == SCORE else f"{quantity} loss"
