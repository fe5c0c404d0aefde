"""Verdicts as a table: for a terminal, in Markdown, LaTeX and JSON, with the runs behind them."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from rich.box import SIMPLE_HEAVY
from rich.table import Table as RichTable
from rich.text import Text

from analysis.claims.verdict import CONTRADICTED, SUPPORTED, UNDECIDED, Judged, Verdict
from analysis.runs.controls import split_header
from analysis.runs.results import origin
from analysis.statistics.crossed_means import CLIPS
from analysis.tables.contrast_rows import rounded, rows_markdown
from analysis.tables.latex_text import escape, table_file
from analysis.tables.layout import p_text
from analysis.tables.make import DECIMALS
from analysis.tables.write import libraries
from auralsam2.engine.provenance import code_version
from auralsam2.text_files import json_text, write_text

HEADERS = ("claim", "verdict", "measured", "p for", "p against", "data", "would decide it")
_WIDTHS = (0.26, 0.1, 0.21, 0.05, 0.06, 0.09, 0.13)
"""Of the columns in LaTeX, in widths of the page."""
_NUMBERS = (
    *("grid", "answer", "estimate", "low", "high", "p", "p_corrected"),
    *("p_against", "p_against_corrected", "num_seeds", "num_clips", "varies", "remark"),
)
"""Of a verdict, in JSON."""
_ROWS = 14
"""Claims in one float of LaTeX."""


class Row(NamedTuple):
    """A claim as printed; fields are those of `HEADERS`."""

    claim: str
    verdict: str
    measured: str
    p_for: str
    p_against: str
    data: str
    decides: str


def rows(judged: Judged) -> list[Row]:
    """Return a row for each claim that was judged."""
    return [
        Row(
            claim=f"{v.claim.sentence} ({v.claim.origin})" if v.claim.origin else v.claim.sentence,
            verdict=v.answer,
            measured=measured(v),
            p_for=p_text(v.p_corrected).removeprefix("= "),
            p_against=p_text(v.p_against_corrected).removeprefix("= "),
            data=_data(v),
            decides="" if v.needed is None else v.needed.text,
        )
        for v in judged.verdicts
    ]


def measured(verdict: Verdict) -> str:
    """Return what was measured, with its interval, and what the claim says of it."""
    value, *ends = (
        rounded(number, DECIMALS, signed=True)
        for number in (verdict.estimate, verdict.low, verdict.high)
        if math.isfinite(number)
    )
    interval = f" [{', '.join(ends)}]" if ends else ""
    split, column = verdict.claim.split, verdict.claim.metric
    if len({column for _, column in verdict.weakest.bound.weights}) == 1:  # else the words say it
        column += f", {split_header(split)}"
    said = f"{value}{interval}, claimed "
    said += verdict.weakest.bound.asserted.replace("-", "−")
    return f"{verdict.weakest.bound.words} ({column}): {said}"


def caption(judged: Judged) -> str:
    """Say what the table is, and what its numbers mean."""
    counts = Counter(verdict.answer for verdict in judged.verdicts)
    listed = ", ".join(f"{counts[a]} {a}" for a in (SUPPORTED, CONTRADICTED, UNDECIDED))
    total, family = len(judged.claims.claims), judged.claims.family
    missing = total - len(judged.verdicts)
    confidence = 100 * (1 - judged.alpha)
    parts = [
        f"{total} claims: {listed}" + f", {missing} not judged" * bool(missing),
        f"intervals of {confidence:g} %, not corrected; p twice those of one-sided tests, "
        f"corrected by Holm over the {family} claims of the file, for the claim and against it: a "
        f"claim is decided where one of them is below {judged.alpha:g}",
        "of a claim with several parts the one that holds least is shown",
        "what would decide a claim, it would in 80 % of repetitions, if what was measured is true",
    ]
    if any(verdict.varies == CLIPS for verdict in judged.verdicts):
        parts.append("†: of one seed, for these trained models alone")
    return "; ".join(parts) + "."


def notes(judged: Judged) -> list[str]:
    """Return what else a reader must know: claims that were not judged, seeds that do not count."""
    said = [f"not judged: {problem}" for problem in judged.problems]
    said += [f"{v.claim.sentence}: {v.remark}" for v in judged.verdicts if v.remark]
    if others := judged.claims.elsewhere:
        said.append(f"{others} claims of '{judged.claims.name}' are about other grids")
    return said


def to_rich(judged: Judged) -> RichTable:
    """Return the table for a terminal."""
    rich = RichTable(box=SIMPLE_HEAVY, pad_edge=False)
    for header in HEADERS:
        rich.add_column(Text(header), overflow="fold")
    for row in rows(judged):
        rich.add_row(*(Text(" ".join(text.split())) for text in row))
    return rich


def to_markdown(judged: Judged) -> str:
    """Return the table, its caption and notes in Markdown."""
    texts = pd.DataFrame(rows(judged), columns=list(HEADERS))
    words = range(len(HEADERS))
    return rows_markdown(texts, words, judged.claims.title, caption(judged), notes(judged))


def to_latex(judged: Judged) -> str:
    """Return the table in LaTeX (booktabs), in as many floats as its length asks for."""
    held = rows(judged)
    starts = range(0, max(1, len(held)), _ROWS)
    return table_file(
        [[_tabular(held[start : start + _ROWS])] for start in starts],
        caption=judged.claims.title,
        label=" ".join(["claims", judged.claims.name, *judged.grids]),
        size=r"\scriptsize",
        gap=2,
        footnote=caption(judged),
        notes=notes(judged),
    )


def to_json(judged: Judged, folder: Path) -> dict[str, Any]:
    """Return all numbers, and where they come from; run folders are relative to ``folder``."""
    claims = judged.claims
    return {
        "title": claims.title,
        "file": {"name": claims.name, "sha256": _digest(claims.path)},
        "alpha": judged.alpha,
        "family": claims.family,
        "code_version": code_version(),
        "libraries": libraries(),
        "verdicts": [_verdict(verdict) for verdict in judged.verdicts],
        "not_judged": judged.problems,
        "grids": {name: list(_runs(judged, name, folder)) for name in judged.grids},
    }


def texts(judged: Judged, folder: Path) -> dict[str, str]:
    """Return name -> content of ``claims.{md,tex,json}``, for a folder."""
    return {
        "claims.md": to_markdown(judged),
        "claims.tex": to_latex(judged),
        "claims.json": json_text(to_json(judged, folder)),
    }


def write_claims(judged: Judged, out: Path, folder: Path) -> list[Path]:
    """Write the files of `texts`; run folders in them are relative to ``folder``."""
    return [write_text(out / name, text) for name, text in texts(judged, folder).items()]


def _tabular(held: Sequence[Row]) -> str:
    # Narrow columns are ragged: justified words would stand apart.
    columns = "".join(rf"p{{{width}\linewidth}}" for width in _WIDTHS)
    lines = [[rf"\raggedright {escape(text)}" for text in row] for row in held]
    head, *body = [
        " & ".join(line) + r" \tabularnewline" for line in [map(escape, HEADERS), *lines]
    ]
    between = [text for row in body for text in (r"\addlinespace[2pt]", row)][1:]
    rules = [rf"\begin{{tabular}}{{{columns}}}", r"\toprule", head, r"\midrule"]
    return "\n".join([*rules, *between, r"\bottomrule", r"\end{tabular}"])


def _data(verdict: Verdict) -> str:
    seeds = f"{verdict.num_seeds} seed{'s' * (verdict.num_seeds != 1)}"
    return f"{seeds}, {verdict.num_clips} clips" + "†" * (verdict.varies == CLIPS)


def _verdict(verdict: Verdict) -> dict[str, Any]:
    claim = verdict.claim
    stated = dict(vars(claim))
    return {
        **{key: stated.pop(key) for key in ("sentence", "source", "inferred")},
        "claim": {"type": claim.kind, **stated},
        **{key: getattr(verdict, key) for key in _NUMBERS},
        "needed": None if verdict.needed is None else verdict.needed._asdict(),
        "bounds": [
            {
                "words": one.bound.words,
                "asserted": one.bound.asserted,
                "estimate": one.estimate,
                "low": one.low,
                "high": one.high,
                "num_seeds": one.sample.values.shape[1],
                "num_clips": one.sample.values.shape[2],
            }
            for one in verdict.bounds
        ],
    }


def _runs(judged: Judged, grid: str, folder: Path) -> Iterator[dict[str, Any]]:
    for run in judged.grids[grid].runs.to_dict("records"):
        yield {"cell": run["cell"], "seed": run["seed"], **origin(run, folder)}


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
