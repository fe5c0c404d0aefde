"""How audio prompts fare on their way through the mask decoder: one line an arm."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from matplotlib.axes import Axes

from analysis.dilution.capture import ALL_HEADS, EVERYWHERE, MASK_TOKENS, NO_PROMPTS
from analysis.dilution.indices import curves
from analysis.figures import style
from analysis.figures.figure_text import beside_maths, legend_name
from analysis.figures.legends import legend_above

NAME = "dilution_curves"
NAME_NO_PROMPTS = "dilution_curves_no_prompts"
SITES = ("block 1", "block 2", "final")


class Panel(NamedTuple):
    """One quantity and what its axis says."""

    quantity: str
    label: str
    causal: bool


PANELS = (
    Panel("gain", "in-mask gain $g_b$", causal=False),
    Panel("js", "causal effect $E_b$ (nats)", causal=True),
    Panel("output_change", "change of what tokens read", causal=True),
    Panel("token_signal", "signal in mask tokens", causal=True),
)


class DilutionCurves(NamedTuple):
    """What the figure shows.

    Attributes:
        arms: in the order of the legend.
        means: rows of `analysis.dilution.indices.curves` that are drawn.
        condition: what the causal panels compare with.
    """

    arms: tuple[str, ...]
    means: pd.DataFrame
    condition: str


def collect(clips: pd.DataFrame, *, condition: str = "swapped") -> DilutionCurves:
    """Choose the mask tokens' means over heads.

    Args:
        clips: of `analysis.dilution.indices.clip_means`.
        condition: the other sound, or `NO_PROMPTS`.
    """
    causal = {panel.quantity: panel.causal for panel in PANELS}
    chosen = clips[
        clips["quantity"].isin(list(causal))
        & (clips["head"] == ALL_HEADS)
        & (clips["tokens"] == MASK_TOKENS)
        & (clips["swapped_at"] == EVERYWHERE)
    ]
    wanted = chosen["quantity"].map(causal).map({True: condition, False: "true"})
    return DilutionCurves(
        arms=tuple(dict.fromkeys(clips["arm"])),
        means=curves(chosen[chosen["condition"] == wanted]),
        condition=condition,
    )


def in_words(condition: str) -> str:
    """Return what an effect compares with, for a label."""
    return {"swapped": "swapped sound", "offscreen": "offscreen sound"}.get(condition, condition)


def draw(numbers: DilutionCurves, panels: Sequence[Axes]) -> None:
    """Draw one quantity in each panel: mean over clips, and its 95 % band.

    Args:
        numbers: of `collect`.
        panels: as many as `PANELS`.
    """
    for what, panel in zip(PANELS, panels, strict=True):
        rows = numbers.means[numbers.means["quantity"] == what.quantity]
        draw_lines(rows, numbers.arms, panel)
        compared = f"\nagainst {in_words(numbers.condition)}" if what.causal else ""
        panel.set_ylabel(what.label + beside_maths(compared), parse_math=True)


def draw_lines(rows: pd.DataFrame, arms: Sequence[str], panel: Axes) -> None:
    """Draw a quantity along the sites, a line an arm.

    Args:
        rows: of `analysis.dilution.indices.curves`, of one quantity.
        arms: all of them, so that each has its colour in every figure; those without rows get no
            line.
        panel: to draw into.
    """
    for index, arm in enumerate(arms):
        own = rows[rows["arm"] == arm].sort_values("site")
        if own.empty:
            continue
        colour = style.PALETTE[index % len(style.PALETTE)]
        panel.plot(
            own["site"],
            own["mean"],
            color=colour,
            # Lines that lie on each other stay visible.
            linestyle=("-", "--", ":", "-.")[index // len(style.PALETTE) % 4],
            marker="osD^vPX"[index % 7],
            markersize=3,
            label=legend_name(arm),
        )
        panel.fill_between(own["site"], own["low"], own["high"], color=colour, alpha=0.15, lw=0)
    panel.axhline(0, color="0.6", linewidth=0.5, zorder=0)
    panel.set_xticks(range(1, len(SITES) + 1), SITES)
    panel.set_xlim(0.8, len(SITES) + 0.2)
    panel.yaxis.grid(True, linewidth=0.4, color="0.88")
    panel.set_axisbelow(True)


def make(
    clips: pd.DataFrame, folder: Path, *, condition: str = "swapped", name: str = NAME
) -> list[Path]:
    """Write ``NAME.pdf``, ``.png`` and ``.csv``; nothing where there are no numbers.

    Args:
        clips: of `analysis.dilution.indices.clip_means`.
        folder: where to.
        condition: what causal effects compare with: a sound, or `NO_PROMPTS`.
        name: of the files.
    """
    numbers = collect(clips, condition=condition)
    if numbers.means.empty:
        return []
    with style.paper_style():
        figure = style.new_figure("page", 3.9)
        panels = figure.subplots(2, 2).ravel()
        draw(numbers, list(panels))
        handles, names = panels[0].get_legend_handles_labels()
        legend_above(figure, handles, names)
        return style.save(figure, numbers.means, folder, name)


def make_no_prompts(clips: pd.DataFrame, folder: Path) -> list[Path]:
    """Write ``dilution_curves_no_prompts.*``: human and audio prompts against none at all.

    Nothing where no arm has prompts.
    """
    if not (clips["condition"] == NO_PROMPTS).any():
        return []
    return make(clips, folder, condition=NO_PROMPTS, name=NAME_NO_PROMPTS)
