"""D1 and D2 of every arm as a table: Markdown and LaTeX."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analysis.dilution.indices import CONFIDENCE, POOLED
from analysis.tables.contrast_rows import rounded
from analysis.tables.latex_text import escape, fitting_size, plain_tabular, table_file
from analysis.tables.text import escape_markdown, markdown_table
from auralsam2.text_files import write_text

NAME = "dilution_indices"
COLUMNS = ("arm", "g_1", "g_final", "D1", "compared with", "E_1", "E_final", "D2", "D2 outputs")
_WORDS = (COLUMNS.index("arm"), COLUMNS.index("compared with"))
DASH = "–"
Entry = Mapping[Any, Any]
_FIRST = {"D1": "g_1", "D2": "E_1", "D2 outputs": "the change of what is read at block 1"}
"""Index -> what it is a share of."""
_ROOM = 410.0
"""For the letters of a row, in points: a page of two columns less what stands between entries."""
_LONG_NAME = 30
_LATEX = {
    "g_1": "$g_1$",
    "g_final": r"$g_\mathrm{final}$",
    "D1": "$D_1$",
    "E_1": "$E_1$",
    "E_final": r"$E_\mathrm{final}$",
    "D2": "$D_2$",
    "D2 outputs": r"$D_2$ outputs",
}


def to_rows(indices: pd.DataFrame) -> pd.DataFrame:
    """Return what the table says of `analysis.dilution.indices.dilution_indices`, in words.

    Returns:
        Columns `COLUMNS`; one row an arm and condition, gains in the first row of each arm.
    """
    pooled = indices[indices["seed"] == POOLED]
    rows = []
    for arm, own in pooled.groupby("arm", sort=False):
        entries: dict[tuple[str, str], Entry] = {
            (str(r["index"]), str(r["condition"])): r for r in own.to_dict("records")
        }
        # An arm without any has one row of gains.
        conditions = list(dict.fromkeys(c for index, c in entries if index == "D2")) or [DASH]
        gain = entries.get(("D1", "true"))
        for number, condition in enumerate(conditions):
            effect, outputs = (entries.get((i, condition)) for i in ("D2", "D2 outputs"))
            gains = ("", "", "", "") if number else (str(arm), *_ends(gain), _index(gain))
            rows.append((*gains, condition, *_ends(effect), _index(effect), _index(outputs)))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def footnote(indices: pd.DataFrame) -> str:
    """Return what a reader must know."""
    pooled = indices[indices["seed"] == POOLED]
    if pooled.empty:
        return "No frame has a gain, and nothing has an effect."
    most = pooled["num_clips"]
    seeds = indices[indices["seed"] != POOLED].groupby("arm")["seed"].nunique()
    averaged = f", each the mean of up to {seeds.max()} seeds" if len(seeds) else ""
    return (
        f"g: in-mask gain, E: causal effect in nats, D = 1 - final / first. In brackets the "
        f"{CONFIDENCE:.0%} interval over clips (up to {most.max()} of them{averaged}) for these "
        "trained models, which says nothing of training anew. "
        f"{DASH}: not defined, since there is nothing at block 1 to lose, or not applicable, "
        f"since the arm has no prompts or its prompts do not hang on the sound.{_open(pooled)}"
    )


def _open(pooled: pd.DataFrame) -> str:
    """Say why there are indices without an interval; nothing where there are none."""
    bare = pooled[pooled["value"].notna() & pooled["low"].isna()]
    unclear = set(bare[bare["num_clips"] > 1]["index"])
    names = [name for index, name in _FIRST.items() if index in unclear]
    reasons = [f"{' or '.join(names)} is not clearly above 0"] if names else []
    reasons += ["there is one clip alone"] if (bare["num_clips"] == 1).any() else []
    return f" [{DASH}]: no interval: {', or '.join(reasons)}." if reasons else ""


def to_markdown(indices: pd.DataFrame) -> str:
    """Return the table and its footnote in Markdown."""
    rows = to_rows(indices).map(escape_markdown).to_numpy().tolist()
    lines = markdown_table(COLUMNS, rows, words=_WORDS)
    return f"{lines}\n\n{escape_markdown(footnote(indices))}\n"


def to_latex(indices: pd.DataFrame, title: str = "") -> str:
    """Return the table in LaTeX, for the booktabs package; its label has the grid's title."""
    rows = to_rows(indices)
    longest = [min(_LONG_NAME, max(map(len, [*rows[name], name]))) for name in COLUMNS]
    arm = "l" if longest[0] < _LONG_NAME else r"p{0.18\linewidth}"
    others = "".join("l" if index in _WORDS else "r" for index in range(1, len(COLUMNS)))
    header = [_LATEX.get(name, escape(name)) for name in COLUMNS]
    return table_file(
        [[plain_tabular(rows, arm + others, header)]],
        caption="Dilution in the mask decoder",
        label=f"dilution {title}",
        size=fitting_size(sum(longest), _ROOM),
        footnote=footnote(indices),
    )


def write(indices: pd.DataFrame, folder: Path, title: str = "") -> list[Path]:
    """Write ``dilution_indices.md``, ``.tex`` and ``.csv``; the last with single seeds, too."""
    texts = {
        "md": to_markdown(indices),
        "tex": to_latex(indices, title),
        "csv": indices.to_csv(index=False),
    }
    return [write_text(folder / f"{NAME}.{kind}", text) for kind, text in texts.items()]


def _ends(entry: Entry | None) -> tuple[str, str]:
    if entry is None:
        return DASH, DASH
    return rounded(entry["first"], 3), rounded(entry["final"], 3)


def _index(entry: Entry | None) -> str:
    if entry is None or not np.isfinite(entry["value"]):
        return DASH
    value = rounded(entry["value"], 2)
    if not np.isfinite(entry["low"]):
        return f"{value} [{DASH}]"
    return f"{value} [{rounded(entry['low'], 2)}, {rounded(entry['high'], 2)}]"
