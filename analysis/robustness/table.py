"""What corruptions cost, as a table: Markdown, LaTeX and CSV."""

from __future__ import annotations

from math import inf
from pathlib import Path

import pandas as pd

from analysis.robustness.measure import MEAN, Axis, MeasuredRobustness
from analysis.robustness.scores import CLEAN
from analysis.statistics.crossed_means import CLIPS
from analysis.tables.contrast_rows import rounded
from analysis.tables.latex_text import escape, plain_tabular, table_file
from analysis.tables.make import DECIMALS
from analysis.tables.text import escape_markdown, markdown_table
from auralsam2.text_files import write_text

NAME = "robustness"
DASH = "–"
_WIDE = 7
"""Cells that stand beside each other on a page in letters of the usual size of a table."""


def strength_words(strength: float) -> str:
    """Return a strength as a number with a minus sign; ``off`` for one that is infinite."""
    return "off" if strength == inf else f"{strength:g}".replace("-", "−")


def axis_words(axis: Axis) -> str:
    """Return a corruption with its weakest and strongest strength: ``delay, 0.5 to 2 s``."""
    worse = [s for s in axis.strengths if s != axis.clean]
    ends = dict.fromkeys(strength_words(s) for s in (worse[0], worse[-1]))
    return f"{axis.title}, {' to '.join(ends)}{axis.unit}"


def to_rows(measured: MeasuredRobustness, metric: str) -> pd.DataFrame:
    """Return a row for the clean clips, and one for the change that each corruption makes.

    Returns:
        Columns corruption and the cells; entries are scores, then changes of the mean over the
        strengths with half of their intervals, ``−0.086±0.041``.
    """
    curves = measured.curves
    own = curves[(curves["metric"] == metric) & (curves["strength"] == MEAN)]
    cells = list(dict.fromkeys(curves["cell"]))
    titles = {CLEAN: "clean clips", **{axis.corruption: axis_words(axis) for axis in measured.axes}}
    rows = []
    for corruption, title in titles.items():
        of = own[own["corruption"] == corruption].set_index("cell")
        rows.append((title, *(_entry(of, cell, corruption != CLEAN) for cell in cells)))
    return pd.DataFrame(rows, columns=["corruption", *cells])


def footnote(measured: MeasuredRobustness) -> str:
    """Return what a reader must know."""
    curves = measured.curves
    clips, seeds = curves["num_clips"].max(), curves["num_seeds"].max()
    spread = "clips" if (curves["varies"] == CLIPS).all() else "clips and seeds"
    said = (
        f"First row: the score on {clips} clips as they are, mean over clips and up to {seeds} "
        "seeds; others: its change, paired by seed and clip, in the mean over the strengths, with "
        f"half of the 95 % interval over {spread}. Detection rate: share of frames with an object "
        "whose J is at least 0.5. False-positive area: share of the frame that is predicted and "
        "not of the truth; lower is better."
    )
    names = ", ".join(f"'{cell}'" for cell in measured.deaf)
    deaf = f" Methods that hear nothing: {names}." if names else ""
    return said + deaf


def to_markdown(measured: MeasuredRobustness) -> str:
    """Return a table for each metric, and the footnote, in Markdown."""
    blocks = []
    for metric in measured.metrics:
        rows = to_rows(measured, metric)
        rows["corruption"] = rows["corruption"].map(escape_markdown)
        header = [metric, *rows.columns[1:]]
        blocks.append(markdown_table(header, rows.to_numpy().tolist()))
    return "\n\n".join([*blocks, escape_markdown(footnote(measured))]) + "\n"


def to_latex(measured: MeasuredRobustness) -> str:
    """Return the same in LaTeX, for the booktabs package."""
    tabulars = []
    for metric in measured.metrics:
        rows = to_rows(measured, metric)
        cells = [rf"\parbox[b]{{1.4cm}}{{\raggedleft {escape(c)}}}" for c in rows.columns[1:]]
        tabulars.append(plain_tabular(rows, "l" + "r" * len(cells), [escape(metric), *cells]))
    few = len(cells) <= _WIDE
    return table_file(
        [tabulars],
        caption="Scores under corrupted sound and pictures",
        label=f"{NAME} {measured.runs.title}",
        size=r"\scriptsize" if few else r"\tiny",
        gap=2,
        footnote=footnote(measured),
    )


def write(measured: MeasuredRobustness, folder: Path) -> list[Path]:
    """Write ``robustness.md`` and ``.tex``."""
    texts = {"md": to_markdown(measured), "tex": to_latex(measured)}
    return [write_text(folder / f"{NAME}.{kind}", text) for kind, text in texts.items()]


def _entry(rows: pd.DataFrame, cell: str, of_change: bool) -> str:
    if cell not in rows.index:
        return DASH
    mean, change, low, high = rows.loc[
        [cell], ["mean", "change", "change_low", "change_high"]
    ].to_numpy(dtype=float)[0]
    if not of_change:
        return f"{mean:.3f}"
    said = rounded(change, DECIMALS, signed=True)
    return said if pd.isna(low) else f"{said}±{(high - low) / 2:.3f}"
