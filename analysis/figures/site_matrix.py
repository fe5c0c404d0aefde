"""Which site's prompts move the attention at which site: a matrix an arm."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.image import AxesImage

from analysis.dilution.capture import ALL_HEADS
from analysis.dilution.indices import curves, site_matrix
from analysis.figures import style
from analysis.figures.cell_names import wrap_name
from analysis.figures.dilution_curves import SITES, in_words
from analysis.figures.figure_text import beside_maths

NAME = "site_matrix"
_MOST_A_ROW = 4


class SiteMatrices(NamedTuple):
    """What the figure shows.

    Attributes:
        matrices: arm -> E[s, b], rows s and columns b counted from 1.
        condition: the other sound.
    """

    matrices: dict[str, pd.DataFrame]
    condition: str


def collect(clips: pd.DataFrame, *, condition: str = "swapped") -> SiteMatrices:
    """Return the matrix of every arm that injects prompts.

    Args:
        clips: of `analysis.dilution.indices.clip_means`.
        condition: the other sound.
    """
    chosen = (clips["quantity"] == "js") & (clips["condition"] == condition)
    means = curves(clips[chosen & (clips["head"] == ALL_HEADS)])
    found = {arm: site_matrix(means, arm, condition) for arm in dict.fromkeys(means["arm"])}
    return SiteMatrices({arm: m for arm, m in found.items() if not m.empty}, condition)


def to_frame(numbers: SiteMatrices) -> pd.DataFrame:
    """Return the numbers in long form: arm, swapped_at, site, effect."""
    parts = [
        matrix.reset_index()
        .melt("swapped_at", var_name="site", value_name="effect")
        .assign(arm=arm)[["arm", "swapped_at", "site", "effect"]]
        for arm, matrix in numbers.matrices.items()
    ]
    return pd.concat(parts, ignore_index=True)


def draw(numbers: SiteMatrices, panels: Sequence[Axes]) -> AxesImage:
    """Draw a matrix in each panel on one scale, every entry written out.

    Args:
        numbers: of `collect`.
        panels: as many as matrices.

    Returns:
        An image for the colour bar.
    """
    top = max(float(matrix.to_numpy().max()) for matrix in numbers.matrices.values()) or 1.0
    for (arm, matrix), panel in zip(numbers.matrices.items(), panels, strict=True):
        effects = matrix.to_numpy()
        image = panel.imshow(effects, cmap="Blues", vmin=0, vmax=top)
        for (row, column), value in np.ndenumerate(effects):
            panel.text(
                column,
                row,
                f"{value:.3f}",
                ha="center",
                va="center",
                color="white" if value > 0.6 * top else "black",
                fontsize=style.SMALLEST_PT,
            )
        panel.set_xticks(range(len(matrix.columns)), [SITES[int(b) - 1] for b in matrix.columns])
        panel.set_yticks(range(len(matrix.index)), [SITES[int(s) - 1] for s in matrix.index])
        panel.tick_params(length=0)
        panel.spines[:].set_visible(False)
        panel.set_title(wrap_name(arm, 24), fontsize=style.SMALLEST_PT + 1)
    return image


def make(clips: pd.DataFrame, folder: Path, *, condition: str = "swapped") -> list[Path]:
    """Write ``site_matrix.pdf``, ``.png`` and ``.csv``; nothing where no arm injects prompts."""
    numbers = collect(clips, condition=condition)
    if not numbers.matrices:
        return []
    count = len(numbers.matrices)
    columns = min(count, _MOST_A_ROW)
    rows = -(-count // columns)
    with style.paper_style():
        figure = style.new_figure("page", 0.35 + 1.75 * rows)
        grid = figure.subplots(rows, columns, squeeze=False)
        panels = list(grid.ravel())
        for panel in panels[count:]:
            panel.set_visible(False)
        image = draw(numbers, panels[:count])
        for row in grid:
            row[0].set_ylabel("prompts exchanged at")
        for index in range(columns):
            last = max(i for i in range(index, count, columns))
            panels[last].set_xlabel("attention read at")
        label = f"$E[s, b]$ (nats)\nagainst {beside_maths(in_words(condition))}"
        figure.colorbar(image, ax=panels[:count], shrink=0.8).set_label(label, parse_math=True)
        return style.save(figure, to_frame(numbers), folder, NAME)
