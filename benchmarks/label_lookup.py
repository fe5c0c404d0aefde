"""Measure what the released rule for labels does to the pixels that the contrastive loss draws.

Objects of a given area stand at random places; the sampling code of the loss draws from each frame
once with the labels of the release and once with the pixels' own, from the same seed.

python benchmarks/label_lookup.py --out work_dirs/label_lookup
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator, PercentFormatter
from torch import Tensor

from analysis.figures import style
from auralsam2.losses.released_sampling import RELEASED, draw_pixels

AREAS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6)
RULES = {"own": "own label (corrected)", "looked_up": "looked up by rank (released)"}
CHANCE = "a random pixel's label"
QUANTITIES = {
    "kept": "labelled object, of anchors on it",
    "labelled": "labelled object, of all anchors",
}
_TICKS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 0.6)


def random_object(area: float, size: int, generator: torch.Generator) -> Tensor:
    """Return the mask of an ellipse that lies in the frame where it fits, (E * E,) in {0, 1}.

    Its area, a share of the frame, is met to half a token; place and proportions (1:2 to 2:1) are
    drawn.
    """
    draws = torch.rand(3, generator=generator).tolist()
    root = math.sqrt(area / math.pi)
    # A half-axis of at most half the frame.
    most = min(2.0, (0.5 / root) ** 2)
    stretch = most ** (draws[0] - 0.5)
    half = torch.tensor([root * stretch, root / stretch])
    centre = half + torch.tensor(draws[1:]) * (1 - 2 * half)
    ticks = (torch.arange(size) + 0.5) / size
    rows, columns = ((ticks - c) / h for c, h in zip(centre, half))
    distance = (rows[:, None] ** 2 + columns[None] ** 2).flatten()
    values = torch.zeros(size * size, dtype=torch.long)
    # By rank, so that discretisation does not change the area.
    values[distance.argsort(stable=True)[: max(1, round(area * size * size))]] = 1
    return values


def measure(values: Tensor, max_samples: int, labels: str, seed: int) -> dict[str, float]:
    """Draw pixels of a frame, of random logits, and compare their labels with their values (N,).

    Returns:
        ``kept``, the share of drawn object pixels that are labelled object; ``labelled`` and
        ``truly``, the shares of all drawn pixels that are labelled object, and that are; ``wrong``,
        the share of all drawn pixels with a wrong label.
    """
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(len(values), generator=generator)
    rules = RELEASED._replace(labels=labels)
    positions, given = draw_pixels(values, logits, max_samples, rules, generator)
    truth = values[positions]
    return {
        "kept": float(given[truth == 1].double().mean()),
        "labelled": float(given.double().mean()),
        "truly": float(truth.double().mean()),
        "wrong": float((given != truth).double().mean()),
    }


def run_trials(
    areas: tuple[float, ...], placements: int, size: int, max_samples: int, seed: int
) -> pd.DataFrame:
    """Measure both rules on the same objects; a row a placement and rule."""
    generator = torch.Generator().manual_seed(seed)
    rows = []
    for area in areas:
        for placement in range(placements):
            values = random_object(area, size, generator)
            for labels in RULES:
                numbers = measure(values, max_samples, labels, seed + placement)
                rows.append({"labels": labels, "area": area, "placement": placement, **numbers})
    return pd.DataFrame(rows)


def summarise(trials: pd.DataFrame) -> pd.DataFrame:
    """Summarise the placements of each size, a row a rule, area and quantity of `QUANTITIES`.

    ``low`` and ``high`` are the quantiles of a tenth and nine tenths.
    """
    long = trials.melt(["labels", "area"], list(QUANTITIES), var_name="quantity")
    groups = long.groupby(["labels", "area", "quantity"], sort=False)["value"]
    summary = groups.agg(
        num_trials="size",
        mean="mean",
        low=lambda values: values.quantile(0.1),
        high=lambda values: values.quantile(0.9),
    )
    return summary.reset_index()


def draw(summary: pd.DataFrame, panels: Sequence[Axes]) -> None:
    """Draw a quantity in each panel: a line for the mean, a band between the quantiles."""
    for (quantity, title), panel in zip(QUANTITIES.items(), panels):
        for index, (labels, name) in enumerate(RULES.items()):
            chosen = (summary["labels"] == labels) & (summary["quantity"] == quantity)
            line = {"color": style.look(index).colour, "marker": "o", "markersize": 2.5}
            style.line_with_band(panel, summary[chosen], "area", label=name, **line)
        areas = np.geomspace(summary["area"].min(), summary["area"].max(), 100)
        # A pixel drawn at random belongs to the object as often as the object is large.
        panel.plot(areas, areas, color="0.35", linewidth=0.8, linestyle="--", label=CHANCE)
        panel.set_xscale("log")
        panel.xaxis.set_major_locator(FixedLocator(_TICKS))
        panel.xaxis.set_minor_locator(NullLocator())
        panel.xaxis.set_major_formatter(FuncFormatter(lambda area, _: f"{100 * area:g}%"))
        panel.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        style.light_grid(panel, "y")
        panel.set_ylim(0, 1.04)
        panel.set_ylabel(title)
        panel.set_xlabel("object's share of the frame")


def make(trials: pd.DataFrame, folder: Path) -> list[Path]:
    """Write ``label_lookup.pdf``, ``.png`` and ``.csv``."""
    summary = summarise(trials)
    with style.paper_style():
        figure = style.new_figure("page", 2.35)
        panels = figure.subplots(1, len(QUANTITIES), sharey=True)
        draw(summary, list(panels))
        style.legend_above(figure, *panels[0].get_legend_handles_labels())
        return style.save(figure, summary, folder, "label_lookup")


def main(argv: list[str] | None = None) -> None:
    """Write the figure and its numbers; print the means."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("work_dirs/label_lookup"))
    parser.add_argument("--placements", type=int, default=200, help="objects of each size")
    parser.add_argument("--size", type=int, default=64, help="side of the token grid")
    parser.add_argument("--max-samples", type=int, default=128, help="K")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(argv)
    torch.set_num_threads(1)
    trials = run_trials(AREAS, options.placements, options.size, options.max_samples, options.seed)
    columns = ["kept", "labelled", "truly", "wrong"]
    print(trials.groupby(["labels", "area"])[columns].mean().round(4).to_string())
    missed = trials.assign(missed=trials["kept"] == 0).groupby(["labels", "area"])["missed"]
    print("share of placements whose object pixels all become background:")
    print(missed.mean().unstack("labels").round(3).to_string())
    print("\n".join(map(str, make(trials, options.out))))


if __name__ == "__main__":
    main()
