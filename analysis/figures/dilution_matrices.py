"""Prompts and heads of the mask decoder, site by site, as matrices: a panel an arm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import SubFigure
from matplotlib.image import AxesImage

from analysis.dilution.indices import curves, site_matrix
from analysis.dilution.readings import ALL_HEADS, EVERYWHERE, MASK_TOKENS
from analysis.figures import style
from analysis.figures.dilution_curves import SITES, against
from analysis.figures.figure_text import wrap_name
from analysis.runs.results import select
from analysis.tables.contrast_rows import rounded

_MOST_A_ROW = 4
_PANEL_INCHES = 1.75
_TITLE_CHARACTERS = 24


class Matrices(NamedTuple):
    """One quantity of several arms."""

    quantity: str  # as the CSV names it
    label: str  # of the colour bar
    # Arm -> numbers, rows heads or sites, columns sites, both from 1.
    by_arm: Mapping[str, pd.DataFrame]
    axes: tuple[str, str] = ("head", "")  # what rows and columns are, in words
    signed: bool = False  # whether 0 is in the middle of the colours
    decimals: int = 2  # of the entries


def collect_sites(clips: pd.DataFrame, *, condition: str = "swapped") -> Matrices:
    """Return E[s, b] of every arm that injects prompts: exchanged at s, attention read at b.

    Args:
        clips: of `analysis.dilution.indices.over_seeds`.
        condition: the other sound.
    """
    means = curves(select(clips, quantity="js", condition=condition, head=ALL_HEADS))
    found = {arm: site_matrix(means, arm, condition) for arm in dict.fromkeys(means["arm"])}
    held = {arm: matrix for arm, matrix in found.items() if not matrix.empty}
    axes = ("prompts exchanged at", "attention read at")
    return Matrices("js", "$E[s, b]$ (nats)" + against(condition), held, axes, decimals=3)


def collect_heads(clips: pd.DataFrame, *, condition: str = "swapped") -> list[Matrices]:
    """Average the mask tokens' gains and effects over clips, head by head, counted from 1.

    Returns:
        Gains of all arms, and effects of those that the condition changes, where there are any.
    """
    single = select(clips[clips["head"] != ALL_HEADS], swapped_at=EVERYWHERE, tokens=MASK_TOKENS)
    single = single.assign(head=single["head"] + 1)
    gain = select(single, quantity="gain", condition="true")
    effect = select(single, quantity="js", condition=condition)
    label = "causal effect $E_b$ (nats)" + against(condition)
    both = [
        Matrices("gain", "in-mask gain $g_b$", _by_arm(gain), signed=True),
        Matrices("js", label, _by_arm(effect)),
    ]
    return [numbers for numbers in both if numbers.by_arm]


def draw(numbers: Matrices, panels: Sequence[Axes]) -> AxesImage:
    """Draw an arm in each panel, all on one scale, every entry written out; return an image."""
    top = max(float(np.nanmax(np.abs(matrix))) for matrix in numbers.by_arm.values()) or 1.0
    low, colours = (-top, "RdBu") if numbers.signed else (0.0, "Blues")
    scale: dict[str, Any] = {"cmap": colours, "vmin": low, "vmax": top}
    for (arm, matrix), panel in zip(numbers.by_arm.items(), panels, strict=True):
        texts = matrix.map(rounded, places=numbers.decimals).to_numpy()
        image = style.written_matrix(panel, matrix.to_numpy(), texts, dark=0.6 * top, **scale)
        panel.set_xticks(range(matrix.shape[1]), _names(matrix.columns))
        panel.set_yticks(range(matrix.shape[0]), _names(matrix.index))
        panel.set_title(wrap_name(arm, _TITLE_CHARACTERS), fontsize=style.SMALLEST_PT + 1)
    return image


def make(
    clips: pd.DataFrame, folder: Path, *, condition: str = "swapped", heads: bool = False
) -> list[Path]:
    """Write ``site_matrix.*`` and, where asked, ``dilution_heads.*``; nothing without numbers."""
    paths: list[Path] = []
    sites = collect_sites(clips, condition=condition)
    if sites.by_arm:
        frame = _to_frame(sites, ["arm", "swapped_at", "site", "effect"])
        paths += _write("site_matrix", [sites], frame, folder)
    of_heads = collect_heads(clips, condition=condition) if heads else []
    if of_heads:
        columns = ["arm", "quantity", "head", "site", "mean"]
        frame = pd.concat([_to_frame(own, columns) for own in of_heads], ignore_index=True)
        paths += _write("dilution_heads", of_heads, frame, folder)
    return paths


def _to_frame(numbers: Matrices, columns: list[str]) -> pd.DataFrame:
    """Return the numbers in long form; the last column is that of the values."""
    parts = [
        matrix.reset_index()
        .melt(str(matrix.index.name), var_name="site", value_name=columns[-1])
        .assign(arm=arm, quantity=numbers.quantity)[columns]
        for arm, matrix in numbers.by_arm.items()
    ]
    return pd.concat(parts, ignore_index=True)


def _by_arm(rows: pd.DataFrame) -> dict[str, pd.DataFrame]:
    return {
        str(arm): group.pivot_table(index="head", columns="site", values="value", aggfunc="mean")
        for arm, group in rows.groupby("arm", sort=False)
    }


def _names(index: pd.Index) -> list[str]:
    return [str(head) if index.name == "head" else SITES[int(head) - 1] for head in index]


def _write(name: str, shown: Sequence[Matrices], frame: pd.DataFrame, folder: Path) -> list[Path]:
    """Draw quantities one above the other, as many arms side by side in all of them."""
    most = max(len(numbers.by_arm) for numbers in shown)
    columns = -(-most // -(-most // _MOST_A_ROW))
    rows = [-(-len(numbers.by_arm) // columns) for numbers in shown]
    with style.paper_style():
        figure = style.new_figure("page", 0.35 * len(rows) + _PANEL_INCHES * sum(rows))
        parts = figure.subfigures(len(shown), 1, squeeze=False, height_ratios=rows)
        for numbers, part, count in zip(shown, parts.ravel(), rows, strict=True):
            _draw_part(numbers, part, (count, columns))
        return style.save(figure, frame, folder, name)


def _draw_part(numbers: Matrices, part: SubFigure, shape: tuple[int, int]) -> None:
    grid = part.subplots(*shape, squeeze=False)
    count = len(numbers.by_arm)
    for panel in grid.flat[count:]:
        panel.set_axis_off()
    image = draw(numbers, list(grid.flat[:count]))
    for row in grid:
        row[0].set_ylabel(numbers.axes[0])
    for last in grid.flat[max(0, count - shape[1]) : count]:
        last.set_xlabel(numbers.axes[1])
    part.colorbar(image, ax=grid, shrink=0.8).set_label(numbers.label, parse_math=True)
