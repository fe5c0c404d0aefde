"""How much a click helps: scores against corrective clicks, with the sound and without."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from matplotlib.axes import Axes

from analysis.figures import style
from analysis.figures.figure_text import legend_name
from analysis.runs.clicks import UNHEARD, after_clicks, columns_of, gains, shown_metrics
from analysis.runs.controls import base_split, split_header
from analysis.runs.results import Results, select
from analysis.statistics.significance import mean_intervals
from auralsam2.clicked_splits import UNCLICKED, parse_clicked
from auralsam2.engine.metric_scales import MetricScale

NAME = "clicks"
_DODGE = 0.035
_KEYS = ("cell", "split", "metric")


class ClickCurves(NamedTuple):
    """What the figure shows."""

    cells: tuple[str, ...]  # each with its sound, and without
    panels: tuple[tuple[str, str], ...]  # split and metric of each panel, two beside each other
    # Columns cell, base (split), clicks, metric, mean, low, high (NaN where there is no interval);
    # gain, gain_low, gain_high of what clips have gained since no click; varies. Of all metrics,
    # also those without a panel.
    points: pd.DataFrame
    scales: dict[str, MetricScale]  # metric -> how to read it


def collect(results: Results) -> ClickCurves | None:
    """Average over clips and seeds, with intervals; None where nothing was clicked on.

    A split's panels show its first metric, over whole clips and over frames without a click.
    """
    if (clicked := after_clicks(results)) is None:
        return None
    columns = [c for metric in shown_metrics(clicked) for c in columns_of(clicked, metric)]
    points = mean_intervals(clicked, columns)
    gained = mean_intervals(gains(clicked), columns)[[*_KEYS, "mean", "low", "high"]]
    gained.columns = [*_KEYS, "gain", "gain_low", "gain_high"]
    points = points.merge(gained, on=list(_KEYS), how="left")
    parsed = points["split"].map(parse_clicked)
    points.insert(1, "base", [one.base for one in parsed])
    points.insert(2, "clicks", [one.number for one in parsed])
    panels: dict[str, tuple[str, str]] = {}
    for split, metric in columns:
        panels.setdefault(base_split(split), (base_split(split), metric))
    both = tuple((base, f"{of}{m}") for base, m in panels.values() for of in ("", UNCLICKED))
    kept = ["cell", "base", "clicks", "metric", "mean", "low", "high", *gained.columns[3:]]
    scales = {metric: clicked.scale(metric) for metric in clicked.metrics}
    return ClickCurves(clicked.cells, both, points[[*kept, "varies"]], scales)


def draw(numbers: ClickCurves, panels: Sequence[Axes]) -> None:
    """Draw a metric of a split in each panel: a line a cell, dashed without its sound."""
    names = list(dict.fromkeys(cell.removesuffix(UNHEARD) for cell in numbers.cells))
    for (base, metric), panel in zip(numbers.panels, panels, strict=True):
        own = select(numbers.points, base=base, metric=metric)
        for index, cell in enumerate(numbers.cells):
            rows = select(own, cell=cell).sort_values("clicks")
            look = style.look(names.index(cell.removesuffix(UNHEARD)))
            alone = cell.endswith(UNHEARD)
            places = rows["clicks"] + _DODGE * (index - (len(numbers.cells) - 1) / 2)
            panel.errorbar(
                places,
                rows["mean"],
                yerr=[rows["mean"] - rows["low"], rows["high"] - rows["mean"]],
                color=look.colour,
                marker=look.marker,
                markersize=3.5,
                markerfacecolor="white" if alone else look.colour,
                linestyle="--" if alone else "-",
                linewidth=1,
                elinewidth=0.6,
                capsize=1.5,
                label=legend_name(cell),
            )
        panel.set_xticks(sorted(own["clicks"].unique()))
        panel.set_xlabel("corrective clicks")
        panel.set_ylabel(_label(metric, numbers.scales[metric]))
        panel.set_title(_title(base, metric, numbers))
        style.light_grid(panel, "y")


def make(results: Results, folder: Path) -> list[Path]:
    """Write ``clicks.pdf``, ``.png`` and ``.csv``; nothing where nothing was clicked on."""
    if (numbers := collect(results)) is None:
        return []
    rows = len(numbers.panels) // 2
    with style.paper_panels("page", 0.4 + 2.1 * rows, rows, 2, sharey="row") as (figure, panels):
        draw(numbers, list(panels.flat))
        style.legend_above(figure, *panels[0, 0].get_legend_handles_labels())
        return style.save(figure, numbers.points, folder, NAME)


def _label(metric: str, scale: MetricScale) -> str:
    better = "" if scale.higher_is_better else "\nlower is better"
    return f"{metric.removeprefix(UNCLICKED)} (mean over clips){better}"


def _title(base: str, metric: str, numbers: ClickCurves) -> str:
    several = len({split for split, _ in numbers.panels}) > 1
    frames = "frames without a click" if metric.startswith(UNCLICKED) else "whole clips"
    return f"{split_header(base)}, {frames}" if several else frames
