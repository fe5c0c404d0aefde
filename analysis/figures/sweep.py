"""All figures of a sweep; here how it went, and what it trades."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import EngFormatter, MaxNLocator

from analysis.figures import style, sweep_importance, sweep_slice
from analysis.runs.sweep_results import SIZE, SweepResults, load_sweep_results
from analysis.statistics.pareto import pareto_front

_COUNTS = {"num_trainable": "trainable parameters", "num_parameters": "parameters"}
_DOTS: dict[str, Any] = dict(linestyle="none", marker="o", markersize=3)


def make(sweep: Path, folder: Path) -> list[Path]:
    """Write each figure that there are numbers for, as PDF, PNG and CSV, and return the paths."""
    results = load_sweep_results(sweep)
    return [path for make_figure in FIGURES for path in make_figure(results, folder)]


def collect_history(results: SweepResults) -> pd.DataFrame:
    """Follow the best value of each objective over the trials.

    Returns:
        Columns objective, number, state, base, value, best_so_far; a trial without a value has
        none; the best so far is that of complete trials.
    """
    parts = []
    for objective, direction in results.directions.items():
        part = results.trials[["number", "state", "base"]].copy()
        part.insert(0, "objective", objective)
        part["value"] = results.trials[objective]
        complete = part["value"].where(part["state"] == "complete")
        part["best_so_far"] = complete.cummax() if direction == "maximize" else complete.cummin()
        part["best_so_far"] = part["best_so_far"].ffill()
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def draw_history(points: pd.DataFrame, panels: Sequence[Axes]) -> None:
    """Draw an objective of `collect_history` in each panel."""
    for (objective, rows), panel in zip(
        points.groupby("objective", sort=False), panels, strict=True
    ):
        line = rows.dropna(subset="best_so_far")
        panel.step(
            line["number"], line["best_so_far"], where="post", color=style.BLUE, label="best so far"
        )
        _draw_trials(panel, rows[rows["state"] == "complete"], "complete", color=style.BLUE)
        pruned = dict(color=style.GREY, markerfacecolor="white")
        _draw_trials(panel, rows[rows["state"] == "pruned"], "pruned, last score", **pruned)
        for base in rows["value"][rows["base"]].dropna()[:1]:
            panel.axhline(base, color="0.35", linewidth=0.8, linestyle="--", label="base")
        bottom = panel.get_ylim()[0]
        failed = rows[rows["state"] == "failed"].assign(value=bottom)
        crosses = dict(marker="x", markersize=3.5, color=style.RED, clip_on=False)
        _draw_trials(panel, failed, "failed", **crosses)
        if len(failed):
            panel.set_ylim(bottom=bottom)
        panel.set_ylabel(str(objective))
        style.light_grid(panel, "y")
        panel.xaxis.set_major_locator(MaxNLocator(integer=True))
    panels[-1].set_xlabel("trial")


def _draw_trials(panel: Axes, rows: pd.DataFrame, label: str, **look: Any) -> None:
    if len(rows):
        panel.plot(rows["number"], rows["value"], **{**_DOTS, **look}, label=label)


def make_history(results: SweepResults, folder: Path) -> list[Path]:
    """Write ``sweep_history.pdf``, ``.png`` and ``.csv``; nothing where nothing has ended."""
    points = collect_history(results)
    if points["value"].notna().sum() == 0:
        return []
    count = len(results.directions)
    with style.paper_panels("column", 1.35 * count + 0.75, count, sharex=True) as (figure, panels):
        draw_history(points, list(panels[:, 0]))
        entries = {
            label: handle
            for panel in panels[:, 0]
            for handle, label in zip(*panel.get_legend_handles_labels(), strict=True)
        }
        figure.legend(
            entries.values(), entries.keys(), loc="outside upper center", ncols=2, handlelength=1.4
        )
        return style.save(figure, points, folder, "sweep_history")


class SweepFront(NamedTuple):
    """One objective against another, or a single one against the model's size."""

    vertical: str  # the first objective
    horizontal: tuple[str, ...]  # the others, a panel each
    directions: dict[str, str]  # of all of them
    # Of complete trials; columns number, base, front (whether no other trial is at least as good in
    # everything and better in something), and the objectives.
    points: pd.DataFrame


def collect_front(results: SweepResults) -> SweepFront | None:
    """Find the trials that no other one beats.

    Returns:
        None where there is nothing to trade: one objective, and no sizes beside it.
    """
    directions = dict(results.directions)
    if len(directions) == 1 and SIZE in results.trials:
        directions.setdefault(SIZE, "minimize")
    names = list(directions)
    points = results.complete().dropna(subset=names)[["number", "base", *names]]
    if len(names) < 2 or points.empty:
        return None
    signs = np.array([1.0 if directions[name] == "minimize" else -1.0 for name in names])
    losses = points[names].to_numpy(float) * signs
    points = points.reset_index(drop=True)
    points.insert(2, "front", pareto_front(losses))
    return SweepFront(names[0], tuple(names[1:]), directions, points)


def draw_front(numbers: SweepFront, panels: Sequence[Axes]) -> None:
    """Draw the first objective over each of the others."""
    points = numbers.points
    for name, panel in zip(numbers.horizontal, panels, strict=True):
        others, front = points[~points["front"]], points[points["front"]].sort_values(name)
        panel.plot(others[name], others[numbers.vertical], color=style.GREY, label="trial", **_DOTS)
        if len(numbers.horizontal) == 1:
            larger = numbers.directions[name] == "maximize"
            style.front_line(panel, front[name], front[numbers.vertical], larger, color=style.RED)
        panel.plot(front[name], front[numbers.vertical], color=style.RED, label="front", **_DOTS)
        base = points[points["base"]]
        diamond = dict(marker="D", markersize=6, color="0.2", markerfacecolor="none")
        panel.plot(base[name], base[numbers.vertical], label="base", **{**_DOTS, **diamond})
        if name in _COUNTS:
            panel.xaxis.set_major_formatter(EngFormatter(sep=""))
        panel.set_xlabel(_COUNTS.get(name, name))
        style.light_grid(panel, "y")
    panels[0].set_ylabel(numbers.vertical)


def make_front(results: SweepResults, folder: Path) -> list[Path]:
    """Write ``sweep_pareto.pdf``, ``.png`` and ``.csv``; nothing where `collect_front` has none."""
    numbers = collect_front(results)
    if numbers is None:
        return []
    count = len(numbers.horizontal)
    width = "column" if count == 1 else "page"
    with style.paper_panels(width, 2.2, 1, count, sharey=True) as (figure, (panels,)):
        draw_front(numbers, panels)
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=3)
        return style.save(figure, numbers.points, folder, "sweep_pareto")


FIGURES = (make_history, sweep_importance.make, sweep_slice.make, make_front)
