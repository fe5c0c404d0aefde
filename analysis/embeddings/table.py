"""Companions of all runs: one row a run, and the means of cells as a table of a paper."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from analysis.embeddings.companions import COMPANIONS, companions
from analysis.embeddings.points import SPACES, Points, RunPoints
from analysis.tables.latex_text import escape, table_file
from analysis.tables.text import escape_markdown, markdown_table
from auralsam2.text_files import write_text

NAME = "embedding_companions"
_KEYS = ["cell", "seed", "space", "level"]
# Of a page of two columns in \footnotesize, in points.
_WIDTH, _LETTER, _GAP = 500.0, 4.4, 6.0


def companions_of_runs(runs: Mapping[tuple[str, int], Points]) -> pd.DataFrame:
    """Return the companions of every run, space and level.

    Returns:
        Columns cell, seed, space, level (0 the finest), coarsest (whether it is the pyramid's
        last), num_clips, num_points, and those of `COMPANIONS`.
    """
    rows = []
    for (cell, seed), points in runs.items():
        for space in points.vectors:
            for level in range(points.num_levels):
                own, vectors = points.select(space, level)
                row: dict[str, object] = {"cell": cell, "seed": seed, "space": space}
                row |= {"level": level, "coarsest": level == points.num_levels - 1}
                row |= {"num_clips": own["clip"].nunique(), "num_points": len(own)}
                rows.append({**row, **companions(own, vectors)})
    return pd.DataFrame(rows, columns=[*_KEYS, "coarsest", "num_clips", "num_points", *COMPANIONS])


def at_level(companions: pd.DataFrame, level: int) -> pd.DataFrame:
    """Return the rows of a level, counted from each pyramid's end where it is below 0."""
    levels = companions.groupby(["cell", "seed"], sort=False)["level"].transform("max") + 1
    wanted = level if level >= 0 else levels + level
    return companions[companions["level"] == wanted]


def summarise(chosen: pd.DataFrame) -> pd.DataFrame:
    """Return mean ± standard deviation over seeds: rows (space, companion), columns cells."""
    cells = list(dict.fromkeys(chosen["cell"]))
    spaces = [space for space in SPACES if (chosen["space"] == space).any()]
    own = dict(iter(chosen.groupby(["cell", "space"])))
    none = chosen.iloc[:0]
    texts = [
        [_spread(own.get((cell, space), none)[key]) for cell in cells]
        for space in spaces
        for key in COMPANIONS
    ]
    index = pd.MultiIndex.from_product([spaces, COMPANIONS.values()], names=["space", "companion"])
    return pd.DataFrame(texts, index, columns=cells)


def _spread(values: pd.Series) -> str:
    known = values.dropna()
    if known.empty:
        return "–"
    return f"{known.mean():.3f}" + (f" ± {known.std(ddof=1):.3f}" if len(known) > 1 else "")


def to_markdown(chosen: pd.DataFrame, caption: str) -> str:
    """Return the means of the cells in Markdown."""
    table = summarise(chosen).reset_index(allow_duplicates=True)
    rows = table.map(escape_markdown).to_numpy().tolist()
    return f"{markdown_table(list(map(str, table)), rows, words=(0, 1))}\n\n{caption}\n"


def to_latex(chosen: pd.DataFrame, caption: str, title: str = "") -> str:
    """Return the means of the cells in LaTeX, as many side by side as fit on a page.

    The label has the grid's title.
    """
    table = summarise(chosen).map(_entry)
    table.index = pd.MultiIndex.from_tuples(
        [(escape(space), escape(label)) for space, label in table.index]
    )
    tabulars = [_tabular(table[cells].rename(columns=escape)) for cells in _pieces(table)]
    return table_file(
        [tabulars],
        caption=caption,
        label=f"embedding companions {title}",
        size=r"\footnotesize",
        packages="booktabs,multirow",
    )


def write(
    companions: pd.DataFrame, folder: Path, level: int, settings: RunPoints, title: str = ""
) -> list[Path]:
    """Write ``embedding_companions.{csv,md,tex}``; the last two hold one level's means."""
    chosen = at_level(companions, level)
    said = caption(companions, level, settings)
    texts = {
        "csv": companions.to_csv(index=False),
        "md": to_markdown(chosen, said),
        "tex": to_latex(chosen, said, title),
    }
    return [write_text(folder / f"{NAME}.{kind}", text) for kind, text in texts.items()]


def caption(companions: pd.DataFrame, level: int, settings: RunPoints) -> str:
    """Return what the means are of."""
    clips = int(companions["num_clips"].max())
    limited = f"the first {clips} clips" if settings.max_clips is not None else f"{clips} clips"
    counts = sorted(set(companions.groupby("cell", sort=False)["seed"].nunique()))
    several = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    over = "one seed" if counts == [1] else f"mean ± standard deviation over {several} seeds"
    which = {-1: "the pyramid's coarsest level", 0: "the pyramid's finest level"}
    return (
        f"Audio-visual space on the original vectors, {which.get(level, f'level {level}')}, "
        f"{limited} of split {settings.split}; {over}."
    )


def _entry(text: str) -> str:
    return escape(re.sub(r"^-(?=\d)", "−", text))


def _pieces(table: pd.DataFrame) -> list[list[str]]:
    """Return the cells of each tabular."""
    labels = sum(max(map(len, table.index.get_level_values(i))) for i in range(2)) * _LETTER
    pieces: list[list[str]] = [[]]
    used = labels
    for cell in table.columns:
        needed = max(len(cell), 13) * _LETTER + _GAP
        if pieces[-1] and used + needed > _WIDTH:
            pieces.append([])
            used = labels
        pieces[-1].append(cell)
        used += needed
    return pieces


def _tabular(piece: pd.DataFrame) -> str:
    """Return a tabular with booktabs' rules between its groups, and none behind the last."""
    tabular = piece.style.to_latex(
        hrules=True,
        clines="skip-last;data",
        multirow_align="t",
        column_format="ll" + "c" * piece.shape[1],
    )
    ruled = re.sub(r"\\cline\{[\d-]+\}", r"\\midrule", tabular.rstrip("\n"))
    return ruled.replace("\\midrule\n\\bottomrule", "\\bottomrule")
