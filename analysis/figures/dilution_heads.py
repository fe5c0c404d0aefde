"""Each head of the mask decoder's token-to-image attention, site by site: a small panel an arm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import SubFigure
from matplotlib.image import AxesImage

from analysis.dilution.capture import ALL_HEADS, EVERYWHERE, MASK_TOKENS
from analysis.figures import style
from analysis.figures.cell_names import wrap_name
from analysis.figures.dilution_curves import SITES, in_words
from analysis.figures.figure_text import beside_maths

NAME = "dilution_heads"
_MOST_A_ROW = 4
_GAIN, _EFFECT = "gain", "js"
_LABELS = {_GAIN: "in-mask gain $g_b$", _EFFECT: "causal effect $E_b$ (nats)"}


class HeadMatrices(NamedTuple):
    """What the figure shows.

    Attributes:
        matrices: quantity (``gain``, ``js``) -> arm -> rows heads from 1, columns sites from 1.
        condition: what effects are differences from.
    """

    matrices: Mapping[str, Mapping[str, pd.DataFrame]]
    condition: str


def collect(clips: pd.DataFrame, *, condition: str = "swapped") -> HeadMatrices:
    """Average the mask tokens' gains and effects over clips, head by head.

    Args:
        clips: of `analysis.dilution.indices.clip_means`.
        condition: the other sound, or `NO_PROMPTS`.
    """
    single = clips[
        (clips["head"] != ALL_HEADS)
        & (clips["swapped_at"] == EVERYWHERE)
        & (clips["tokens"] == MASK_TOKENS)
    ]
    matrices: dict[str, dict[str, pd.DataFrame]] = {}
    for quantity, wanted in ((_GAIN, "true"), (_EFFECT, condition)):
        chosen = single[(single["quantity"] == quantity) & (single["condition"] == wanted)]
        matrices[quantity] = {
            str(arm): group.assign(head=group["head"] + 1).pivot_table(
                index="head", columns="site", values="value", aggfunc="mean"
            )
            for arm, group in chosen.groupby("arm", sort=False)
        }
    return HeadMatrices(matrices, condition)


def to_frame(numbers: HeadMatrices) -> pd.DataFrame:
    """Return the numbers in long form: arm, quantity, head, site, mean."""
    parts = [
        matrix.reset_index()
        .melt("head", var_name="site", value_name="mean")
        .assign(arm=arm, quantity=quantity)[["arm", "quantity", "head", "site", "mean"]]
        for quantity, by_arm in numbers.matrices.items()
        for arm, matrix in by_arm.items()
    ]
    return pd.concat(parts, ignore_index=True)


def draw(numbers: HeadMatrices, quantity: str, panels: Sequence[Axes]) -> AxesImage:
    """Draw one quantity, an arm in each panel, on one scale; every entry is written out.

    Args:
        numbers: of `collect`.
        quantity: ``"gain"`` or ``"js"``.
        panels: as many as the quantity has arms.

    Returns:
        An image for the colour bar.
    """
    by_arm = numbers.matrices[quantity]
    top = max(float(np.nanmax(np.abs(matrix))) for matrix in by_arm.values()) or 1.0
    low, colours = (0.0, "Blues") if quantity == _EFFECT else (-top, "RdBu")
    for (arm, matrix), panel in zip(by_arm.items(), panels, strict=True):
        values = matrix.to_numpy()
        image = panel.imshow(values, cmap=colours, vmin=low, vmax=top, aspect="auto")
        for (row, column), value in np.ndenumerate(values):
            panel.text(
                column,
                row,
                f"{round(value, 2) + 0.0:.2f}".replace("-", "\u2212"),
                ha="center",
                va="center",
                color="white" if abs(value) > 0.6 * top else "black",
                fontsize=style.SMALLEST_PT,
            )
        panel.set_xticks(range(len(matrix.columns)), [SITES[int(b) - 1] for b in matrix.columns])
        panel.set_yticks(range(len(matrix.index)), [str(head) for head in matrix.index])
        panel.tick_params(length=0)
        panel.spines[:].set_visible(False)
        panel.set_title(wrap_name(arm, 24), fontsize=style.SMALLEST_PT + 1)
    return image


def make(clips: pd.DataFrame, folder: Path, *, condition: str = "swapped") -> list[Path]:
    """Write ``dilution_heads.pdf``, ``.png`` and ``.csv``; nothing where there are no numbers.

    Gains of all arms stand above, effects of those that the condition changes below.
    """
    numbers = collect(clips, condition=condition)
    shown = [quantity for quantity, by_arm in numbers.matrices.items() if by_arm]
    if not shown:
        return []
    counts = {quantity: len(numbers.matrices[quantity]) for quantity in shown}
    most = max(counts.values())
    columns = -(-most // -(-most // _MOST_A_ROW))
    rows = [-(-counts[quantity] // columns) for quantity in shown]
    with style.paper_style():
        figure = style.new_figure("page", 0.2 * len(rows) + 1.75 * sum(rows))
        parts = figure.subfigures(len(shown), 1, squeeze=False, height_ratios=rows)
        for quantity, part, count in zip(shown, parts.ravel(), rows, strict=True):
            _draw_part(numbers, quantity, part, (count, columns))
        return style.save(figure, to_frame(numbers), folder, NAME)


def _draw_part(
    numbers: HeadMatrices, quantity: str, part: SubFigure, shape: tuple[int, int]
) -> None:
    count = len(numbers.matrices[quantity])
    grid = part.subplots(*shape, squeeze=False)
    panels = list(grid.ravel())
    for panel in panels[count:]:
        panel.set_axis_off()
    image = draw(numbers, quantity, panels[:count])
    for row in grid:
        row[0].set_ylabel("head")
    compared = f"\nagainst {in_words(numbers.condition)}" if quantity == _EFFECT else ""
    bar = part.colorbar(image, ax=panels, shrink=0.8)
    bar.set_label(_LABELS[quantity] + beside_maths(compared), parse_math=True)
