"""What a reader sees first: what was asked, what came out, what to beware of, where it is from."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone

from analysis.report.tables import Records
from analysis.runs.controls import is_control
from analysis.runs.results import Results, select
from analysis.runs.splits import has_best
from analysis.statistics.crossed_means import CLIPS
from analysis.tables import Table, notes, pairs
from analysis.tables.layout import bounds
from analysis.tables.make import decimals
from auralsam2.engine.metric_scales import OBJECT

Facts = list[tuple[str, str]]
"""Lines of a list: what each is about, and what is said."""


def summary(table: Table, records: Records) -> Facts:
    """Return the facts about a grid."""
    results, column = table.results, primary_column(table)
    split, metric = column
    facts = [("Question", _question(results, f"{metric} on {split}"))]
    best = best_cell(table)
    if best is not None:
        facts.append(("Best cell", f"{best}: {metric} {in_words(table, best, column)}"))
    if results.reference in results.cells:
        reference = str(results.reference)
        score = in_words(table, reference, column)
        facts.append(("Reference cell", f"{reference}: {metric} {score}"))
    if table.comparison is not None and len(table.comparison):
        facts.append(("Compared with it", _comparison(table, column)))
    clips = results.scores.loc[results.scores["split"] == split, "clip"].nunique()
    seeds = sorted({seed for _, seed in records})
    runs = (
        f"{len(results.runs)} finished, {len(results.cells)} cells, "
        f"{'seed' if len(seeds) == 1 else 'seeds'} {', '.join(map(str, seeds))}; "
        f"{clips} clips of {split}"
    )
    return [*facts, ("Runs", runs)]


def primary_column(table: Table) -> tuple[str, str]:
    """Return split and metric that cells and clips are ranked by.

    The first column that is shown of a split that is no control and asks for an object.
    """
    columns, scale = pairs(table.mean), table.results.scale
    ranked = [c for c in columns if not is_control(c[0]) and scale(c[1]).subject == OBJECT]
    return next((c for c in ranked if c[0] in table.results.splits), columns[0])


def best_cell(table: Table) -> str | None:
    """Return the cell with the best mean in the primary column, where that has a best."""
    column = primary_column(table)
    means = table.mean[column].dropna()
    if means.empty or not has_best(table.results, *column):
        return None
    up = table.results.scale(column[1]).higher_is_better
    return str(means.idxmax() if up else means.idxmin())


def in_words(table: Table, cell: str, column: tuple[str, str]) -> str:
    """Return a cell's score with its interval, where there is one."""
    digits = decimals(table, column[1])
    text = f"{float(table.mean[column].loc[cell]):.{digits}f}"
    if (interval := bounds(table.intervals).get((cell, *column))) is None:
        return text
    return f"{text} [{interval[0]:.{digits}f}, {interval[1]:.{digits}f}]"


def all_notes(table: Table, records: Records) -> list[str]:
    """Return what a reader must beware of; what several runs say alike stands once."""
    said: dict[str, list[str]] = {}
    for (cell, seed), record in records.items():
        for note in (*record.notes, *map(_attempt, record.attempts)):
            said.setdefault(note, []).append(f"{cell}, seed {seed}")
    listed = [
        f"{whose[0] if len(whose) == 1 else f'{len(whose)} runs ({whose[0]}, ...)'}: {note}"
        for note, whose in said.items()
    ]
    return [*notes(table), *listed]


def provenance_facts(results: Results, records: Records) -> Facts:
    """Return where the numbers come from."""
    runs = results.runs
    facts = [
        ("Data", ", ".join(sorted({str(f)[:16] for f in runs["data_fingerprint"]}))),
        ("Labels", ", ".join(sorted({str(s) for s in runs["label_source"] if s}))),
        ("Code", ", ".join(sorted(set(runs["code_version"])))),
        *_environments(records),
        ("Page made", f"{datetime.now(timezone.utc):%Y-%m-%d %H:%M} UTC"),
    ]
    return [(term, text) for term, text in facts if text]


def _question(results: Results, score: str) -> str:
    axes: dict[str, dict[str, None]] = {}
    for cell in results.cells:
        for axis, label in results.axes.get(cell, {}).items():
            axes.setdefault(axis, {})[label] = None
    varied = [f"{axis} ({', '.join(labels)})" for axis, labels in axes.items() if len(labels) > 1]
    if len(results.cells) == 1:
        return f"what is {score}?"
    if not varied:
        return f"which of {len(results.cells)} cells has the best {score}?"
    return f"how does {score} depend on {'; '.join(varied)}?"


def _comparison(table: Table, column: tuple[str, str]) -> str:
    frame = table.comparison
    assert frame is not None
    own = select(frame, split=column[0], metric=column[1])
    differs = own[own["significant"].astype(bool)]
    digits = decimals(table, column[1])
    listed = ", ".join(
        f"{r['cell']} {r['difference']:+.{digits}f}" for r in differs.to_dict("records")
    )
    others = "another cell differs" if len(own) == 1 else f"{len(own)} other cells differ"
    # What too few seeds leave open stands here too: it is what gets quoted.
    models = ", for these trained models" if set(own["varies"]) == {CLIPS} else ""
    text = f"{len(differs)} of {others} significantly in {column[1]}{models}"
    return f"{text} ({listed})" if listed else text


def _attempt(attempt: Mapping[str, object]) -> str:
    return "tried before: " + ", ".join(f"{key} {value}" for key, value in attempt.items())


def _environments(records: Records) -> Iterator[tuple[str, str]]:
    """Yield one fact for every environment that runs were made in."""
    counted = Counter(
        json.dumps(
            {k: v for k, v in record.environment.items() if k not in ("git_commit", "speed")},
            sort_keys=True,
            default=str,
        )
        for record in records.values()
    )
    for text, num_runs in counted.items():
        term = "Environment" if len(counted) == 1 else f"Environment of {num_runs} runs"
        parts = []
        for key, value in json.loads(text).items():
            if isinstance(value, Mapping):
                parts.append(", ".join(f"{name} {version}" for name, version in value.items()))
            elif value not in (None, "", []):
                parts.append(f"{key.replace('_', ' ')} {value}")
        yield term, "; ".join(parts)
