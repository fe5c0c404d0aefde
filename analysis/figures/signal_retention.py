"""What is left of a prompt at each site: in the mask tokens, and in the image's keys."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from matplotlib.axes import Axes

from analysis.dilution.capture import EVERYWHERE
from analysis.dilution.indices import curves
from analysis.figures import style
from analysis.figures.cell_names import wrap_name
from analysis.figures.dilution_curves import draw_lines, in_words

NAME = "signal_retention"
PANELS = {
    "token_signal": "signal, mask tokens",
    "key_signal_inside": "signal, keys inside mask",
    "key_signal_outside": "signal, keys outside mask",
    "token_cosine": "cosine with block 1, tokens",
    "key_cosine": "cosine with block 1, keys",
}


class SignalRetention(NamedTuple):
    """What the figure shows.

    Attributes:
        arms: in the order of their colours, also those that the condition does not change.
        means: rows of `analysis.dilution.indices.curves` that are drawn.
        condition: what signals are differences from.
    """

    arms: tuple[str, ...]
    means: pd.DataFrame
    condition: str


def collect(clips: pd.DataFrame, *, condition: str = "swapped") -> SignalRetention:
    """Choose the quantities of the signal.

    Args:
        clips: of `analysis.dilution.indices.clip_means`.
        condition: the other sound, or `NO_PROMPTS`.
    """
    chosen = clips[
        clips["quantity"].isin(list(PANELS))
        & (clips["condition"] == condition)
        & (clips["swapped_at"] == EVERYWHERE)
    ]
    return SignalRetention(tuple(dict.fromkeys(clips["arm"])), curves(chosen), condition)


def draw(numbers: SignalRetention, panels: Sequence[Axes]) -> None:
    """Draw one quantity in each panel: mean over clips, and its 95 % band.

    Args:
        numbers: of `collect`.
        panels: as many as `PANELS`.
    """
    for (quantity, label), panel in zip(PANELS.items(), panels, strict=True):
        draw_lines(numbers.means[numbers.means["quantity"] == quantity], numbers.arms, panel)
        panel.set_ylabel(label)


def make(clips: pd.DataFrame, folder: Path, *, condition: str = "swapped") -> list[Path]:
    """Write ``signal_retention.pdf``, ``.png`` and ``.csv``; nothing where there is no signal."""
    numbers = collect(clips, condition=condition)
    if numbers.means.empty:
        return []
    with style.paper_style():
        figure = style.new_figure("page", 3.6)
        *panels, last = figure.subplots(2, 3).ravel()
        draw(numbers, panels)
        last.set_axis_off()
        handles, names = panels[0].get_legend_handles_labels()
        compared = f"Signal: difference from {in_words(condition)}"
        shown = [wrap_name(name, 26) for name in names]
        last.legend(handles, shown, loc="center", title=wrap_name(compared, 26))
        return style.save(figure, numbers.means, folder, NAME)
