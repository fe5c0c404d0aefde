"""Scores to a table, Markdown, LaTeX and CSV, with the origin of every entry."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from rich import box
from rich.console import Console, Group
from rich.table import Table as RichTable
from rich.text import Text

from analysis.results import PROVENANCE, Results, is_control
from analysis.splits import derived_splits, lower_is_better, table_columns, table_means

DECIMALS = 3
SEEDS = ("", "seeds")
ABSENT = "–"


@dataclass(frozen=True)
class Table:
    """Mean and spread over seeds; rows are cells, columns are (split, metric).

    Attributes:
        mean: over seeds of the mean over clips.
        std: sample standard deviation over seeds, NaN for one seed.
        count: number of seeds.
        difference: mean over common seeds of cell minus reference; columns (split, metric) of
            the splits that are no controls; None where not asked for.
        results: what it is made of.
    """

    mean: pd.DataFrame
    std: pd.DataFrame
    count: pd.DataFrame
    difference: pd.DataFrame | None
    results: Results


def make_table(results: Results, *, difference: bool = False) -> Table:
    """Summarise runs over their seeds.

    Args:
        results: the runs.
        difference: also compare every cell with the grid's reference cell.

    Raises:
        ValueError: where a difference is asked for and the grid names no reference, or the
            reference has no finished run.
    """
    seeds = table_means(results).dropna(subset=["value"])
    wide = seeds.pivot(index=["cell", "seed"], columns=["split", "metric"], values="value")
    wide = wide[[column for column in table_columns(results) if column in wide.columns]]
    by_cell = wide.groupby(level="cell", sort=False)
    rows = list(results.cells)
    return Table(
        mean=by_cell.mean().loc[rows],
        std=by_cell.std(ddof=1).loc[rows],
        count=by_cell.count().loc[rows],
        difference=_difference(wide, results).loc[rows] if difference else None,
        results=results,
    )


def best_cells(table: Table) -> pd.DataFrame:
    """Return where a column's best mean stands, as it is printed; controls have none.

    One row alone is not best.
    """
    printed = table.mean.round(DECIMALS)
    best = printed.eq(printed.max())
    for split, metric in pairs(best):
        if lower_is_better(metric):
            best[(split, metric)] = printed[(split, metric)].eq(printed[(split, metric)].min())
        if is_control(split) or len(best) < 2:
            best[(split, metric)] = False
    return best


def pairs(frame: pd.DataFrame) -> list[tuple[str, str]]:
    """Return the columns of one of a table's frames: (split, metric)."""
    columns: list[Any] = frame.columns.to_list()
    return [(str(split), str(metric)) for split, metric in columns]


def texts(table: Table, plus_minus: str = " ± ") -> pd.DataFrame:
    """Return the table's entries as text, rows and columns in order.

    Args:
        table: the numbers.
        plus_minus: between mean and standard deviation.
    """
    shown = {
        column: [
            _entry(mean, std, plus_minus)
            for mean, std in zip(table.mean[column], table.std[column], strict=True)
        ]
        for column in pairs(table.mean)
    }
    if table.difference is not None:
        for split, metric in pairs(table.difference):
            values = table.difference[(split, metric)]
            header = (f"{split} vs {table.results.reference}", metric)
            shown[header] = [ABSENT if pd.isna(v) else f"{v:+.{DECIMALS}f}" for v in values]
    shown[SEEDS] = [str(n) for n in table.count.max(axis=1)]
    return pd.DataFrame(shown, index=table.mean.index.rename(None))


def to_rich(table: Table) -> Group:
    """Return the table for a terminal; differences stand in one of their own."""
    shown = texts(table, plus_minus="±")
    split = [column in table.mean.columns or column == SEEDS for column in pairs(shown)]
    parts = [shown.loc[:, split], shown.loc[:, [not own for own in split]]]
    return Group(
        *(
            _rich(table, part, box.SIMPLE_HEAVY, lambda text: Text(text, style="bold"))
            for part in parts
            if part.shape[1]
        )
    )


def to_markdown(table: Table) -> str:
    """Return the table, its footnote and notes in Markdown; the best entries are bold."""
    rendered = _rich(table, texts(table), box.MARKDOWN, lambda text: Text(f"**{text}**"))
    out = io.StringIO()
    Console(file=out, width=10_000, color_system=None).print(rendered)
    rows = "\n".join(line.rstrip() for line in out.getvalue().splitlines() if line.strip())
    notes = "".join(f"- {note}\n" for note in table.results.notes)
    listed = f"\nNotes:\n\n{notes}" if notes else ""
    return f"**{table.results.title}**\n\n{rows}\n\n{footnote(table)}\n{listed}"


def to_latex(table: Table) -> str:
    """Return the table in LaTeX, for the booktabs and multirow packages."""
    shown = texts(table, plus_minus=" $\\pm$ ")
    for column in shown.columns.difference([SEEDS]):
        signed = shown[column].str.replace(r"^[+-].*", r"$\g<0>$", regex=True)
        shown[column] = signed.replace(ABSENT, "--")
    best = best_cells(table)
    marks = pd.DataFrame("", index=shown.index, columns=shown.columns)
    for column in best.columns:
        marks[column] = ["textbf:--rwrap" if is_best else "" for is_best in best[column]]
    shown.columns = pd.MultiIndex.from_tuples([(_split_text(s), m) for s, m in pairs(shown)])
    marks.columns = shown.columns
    styler = shown.style.format(escape="latex-math").apply(lambda _: marks, axis=None)
    styler = styler.format_index(escape="latex", axis=0).format_index(escape="latex", axis=1)
    caption = f"{table.results.title}. {footnote(table)}"
    return str(
        styler.to_latex(
            hrules=True,
            multicol_align="c",
            column_format="l" + "c" * shown.shape[1],
            position="t",
            position_float="centering",
            caption=_latex_text(caption),
            label="tab:" + re.sub(r"[^a-z0-9]+", "-", table.results.title.lower()).strip("-"),
        )
    )


def to_frame(table: Table) -> pd.DataFrame:
    """Return the numbers in long form: cell, split, metric, mean, std, num_seeds, difference."""
    rows = []
    for cell in table.mean.index:
        for split, metric in pairs(table.mean):
            at = (cell, (split, metric))
            row = {"cell": cell, "split": split, "metric": metric}
            row |= {"mean": table.mean.loc[at], "std": table.std.loc[at]}
            row["num_seeds"] = int(table.count.loc[at])
            if table.difference is not None:
                held = (split, metric) in table.difference.columns
                row["difference"] = table.difference.loc[at] if held else None
            rows.append(row)
    return pd.DataFrame(rows)


def footnote(table: Table) -> str:
    """Say what the numbers are and where they come from."""
    results = table.results
    clips = results.scores.groupby("split", sort=False)["clip"].nunique()
    held = ", ".join(f"{clips[s]} clips of {s}" for s in results.splits if s in clips)
    made = derived_splits(results).items()
    held += "".join(f"; {name}: {derived}" for name, derived in made)
    runs = results.runs
    data = ", ".join(sorted({str(f)[:10] for f in runs["data_fingerprint"]}))
    code = ", ".join(sorted(set(runs["code_version"])))
    sources = sorted({str(source) for source in runs["label_source"] if source})
    labels = f"labels of {' | '.join(sources)}, " if sources else ""
    spread = "± sample standard deviation over seeds"
    if bool(table.std.isna().all(axis=None)):
        spread = "one seed each, so no spread"
    return (
        f"Mean over seeds of the mean over clips ({held}), {spread}; "
        f"{len(set(runs['run_id']))} runs, data {data}, {labels}code {code}; "
        "table.provenance.json names the runs of each entry."
    )


def provenance(table: Table, folder: Path) -> dict[str, Any]:
    """Return the runs behind every entry, their folders relative to ``folder``."""
    runs = {(r["cell"], r["seed"]): r for r in table.results.runs.to_dict("records")}
    entries: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for score in table_means(table.results).to_dict("records"):
        run = runs[(score["cell"], score["seed"])]
        source = {"seed": int(score["seed"]), "value": score["value"]}
        source |= {key: run[key] for key in PROVENANCE}
        run_dir = Path(str(run["run_dir"]))
        if run_dir.is_relative_to(folder):
            source["run_dir"] = run_dir.relative_to(folder).as_posix()
        key = (str(score["cell"]), str(score["split"]), str(score["metric"]))
        entries.setdefault(key, []).append(source)
    made = derived_splits(table.results).items()
    return {
        "title": table.results.title,
        "notes": table.results.notes,
        "derived_splits": {name: derived._asdict() for name, derived in made},
        "entries": [
            {"cell": cell, "split": split, "metric": metric, "runs": sources}
            for (cell, split, metric), sources in entries.items()
        ],
    }


def write_tables(table: Table, folder: Path) -> list[Path]:
    """Write ``table.md``, ``table.tex``, ``table.csv`` and ``table.provenance.json``."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"table.{kind}" for kind in ("md", "tex", "csv", "provenance.json")]
    paths[0].write_text(to_markdown(table), encoding="utf-8")
    paths[1].write_text(to_latex(table), encoding="utf-8")
    to_frame(table).to_csv(paths[2], index=False)
    content = json.dumps(provenance(table, folder), indent=1)
    paths[3].write_text(content + "\n", encoding="utf-8")
    return paths


def _difference(wide: pd.DataFrame, results: Results) -> pd.DataFrame:
    reference = results.reference
    if reference is None:
        raise ValueError("the grid names no reference cell: state reference = '...' in its file")
    if reference not in results.cells:
        raise ValueError(f"the reference cell {reference!r} has no finished run")
    base = wide.xs(reference, level="cell")
    paired = wide.sub(base.reindex(wide.index, level="seed"))
    compared = [column for column in wide.columns if not is_control(column[0])]
    mean = paired[compared].groupby(level="cell", sort=False).mean()
    mean.loc[reference] = float("nan")
    return mean


def _entry(mean: float, std: float, plus_minus: str) -> str:
    if pd.isna(mean):
        return ABSENT
    if pd.isna(std):
        return f"{mean:.{DECIMALS}f}"
    return f"{mean:.{DECIMALS}f}{plus_minus}{std:.{DECIMALS}f}"


def _split_text(split: str) -> str:
    return split.replace("_", " ")


def _rich(
    table: Table, shown: pd.DataFrame, style: box.Box, bold: Callable[[str], Text]
) -> RichTable:
    best = best_cells(table)
    rich = RichTable(box=style, pad_edge=style is box.MARKDOWN)
    rich.add_column("cell", overflow="fold")
    for split, metric in pairs(shown):
        rich.add_column(f"{_split_text(split)} {metric}".strip(), justify="right", overflow="fold")
    for index, cell in enumerate(shown.index):
        row = []
        for column in shown.columns:
            text = str(shown[column].iloc[index])
            marked = column in best.columns and bool(best[column].iloc[index])
            row.append(bold(text) if marked else Text(text))
        name = str(cell).replace("|", "\\|") if style is box.MARKDOWN else str(cell)
        rich.add_row(Text(name), *row)
    return rich


_LATEX: dict[str, str | int | None] = {
    "\\": r"\textbackslash{}",
    "±": r"$\pm$",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    **{mark: f"\\{mark}" for mark in "&%$#_{}"},
}


def _latex_text(text: str) -> str:
    """Escape what pandas leaves alone: captions."""
    return text.translate(str.maketrans(_LATEX))
