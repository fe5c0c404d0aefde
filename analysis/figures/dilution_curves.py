"""How audio prompts fare on their way through the mask decoder, site by site: one line an arm."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from matplotlib.axes import Axes

from analysis.dilution.indices import curves
from analysis.dilution.readings import ALL_HEADS, EVERYWHERE, MASK_TOKENS, NO_PROMPTS
from analysis.figures import style
from analysis.figures.figure_text import beside_maths, legend_name, wrap_name
from analysis.runs.results import select

SITES = ("block 1", "block 2", "final")
_LEGEND_CHARACTERS = 26


class Panel(NamedTuple):
    """One quantity, what its axis says, and whether it compares with another condition."""

    quantity: str
    label: str
    causal: bool = True


ATTENTION = (
    Panel("gain", "in-mask gain $g_b$", causal=False),
    Panel("js", "causal effect $E_b$ (nats)"),
    Panel("output_change", "change of what tokens read"),
    Panel("token_signal", "signal in mask tokens"),
)
SIGNAL = (
    Panel("token_signal", "signal, mask tokens"),
    Panel("key_signal_inside", "signal, keys inside mask"),
    Panel("key_signal_outside", "signal, keys outside mask"),
    Panel("token_cosine", "cosine with block 1, tokens"),
    Panel("key_cosine", "cosine with block 1, keys"),
)


class DilutionCurves(NamedTuple):
    """What a figure shows."""

    panels: tuple[Panel, ...]  # its quantities
    arms: tuple[str, ...]  # in the order of their looks, also those without a line
    means: pd.DataFrame  # rows of `analysis.dilution.indices.curves` that are drawn
    condition: str  # what the causal panels compare with


def collect(
    clips: pd.DataFrame, panels: tuple[Panel, ...] = ATTENTION, *, condition: str = "swapped"
) -> DilutionCurves:
    """Choose the mask tokens' means over heads from `analysis.dilution.indices.over_seeds`.

    The panels are `ATTENTION` or `SIGNAL`, the condition is the other sound, or `NO_PROMPTS`.
    """
    wanted = {panel.quantity: condition if panel.causal else "true" for panel in panels}
    whole = select(clips, head=ALL_HEADS, tokens=MASK_TOKENS, swapped_at=EVERYWHERE)
    chosen = whole[whole["condition"] == whole["quantity"].map(wanted)]
    return DilutionCurves(panels, tuple(dict.fromkeys(clips["arm"])), curves(chosen), condition)


def against(condition: str) -> str:
    """Return what an effect compares with, as the second line of a label with maths."""
    sounds = {"swapped": "swapped sound", "offscreen": "offscreen sound"}
    return beside_maths(f"\nagainst {sounds.get(condition, condition)}")


def draw(numbers: DilutionCurves, axes: Sequence[Axes]) -> None:
    """Draw one quantity in each panel: mean over clips, and its 95 % band."""
    for panel, ax in zip(numbers.panels, axes, strict=True):
        rows = select(numbers.means, quantity=panel.quantity)
        for index, arm in enumerate(numbers.arms):
            own = select(rows, arm=arm).sort_values("site")
            if not own.empty:
                look = style.look(index)
                line: dict[str, Any] = {"color": look.colour, "marker": look.marker}
                style.line_with_band(ax, own, "site", label=legend_name(arm), markersize=3, **line)
        ax.axhline(0, color="0.6", linewidth=0.5, zorder=0)
        ax.set_xticks(range(1, len(SITES) + 1), SITES)
        ax.set_xlim(0.8, len(SITES) + 0.2)
        ax.set_ylabel(
            panel.label + (against(numbers.condition) if panel.causal else ""), parse_math=True
        )
        style.light_grid(ax, "y")


def make(clips: pd.DataFrame, folder: Path, *, condition: str = "swapped") -> list[Path]:
    """Write ``dilution_curves.*``, ``dilution_curves_no_prompts.*`` and ``signal_retention.*``.

    The second one shows human and audio prompts against none at all. Those without numbers are
    left out. Arguments are those of `collect`.
    """
    figures = {"dilution_curves": collect(clips, condition=condition)}
    if (clips["condition"] == NO_PROMPTS).any():
        figures["dilution_curves_no_prompts"] = collect(clips, condition=NO_PROMPTS)
    figures["signal_retention"] = collect(clips, SIGNAL, condition=condition)
    shown = {name: numbers for name, numbers in figures.items() if not numbers.means.empty}
    return [path for name, own in shown.items() for path in _write(own, folder, name)]


def _write(numbers: DilutionCurves, folder: Path, name: str) -> list[Path]:
    count = len(numbers.panels)
    with style.paper_panels("page", 3.9, 2, -(-count // 2)) as (figure, grid):
        draw(numbers, list(grid.flat[:count]))
        handles, names = grid[0, 0].get_legend_handles_labels()
        if grid.size > count:
            spare = grid.flat[count]
            spare.set_axis_off()
            shown = [wrap_name(name, _LEGEND_CHARACTERS) for name in names]
            spare.legend(handles, shown, loc="center")
        else:
            style.legend_above(figure, handles, names)
        return style.save(figure, numbers.means, folder, name)
