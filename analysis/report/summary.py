"""What a reader sees first: what was asked, what came out, what to beware of, where it is from."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import NamedTuple

from analysis.report.run_tables import Records
from analysis.report.score_table import best_cell, in_words, primary_column
from analysis.runs.results import Results
from analysis.statistics.significance import CLIPS
from analysis.tables import Table, notes
from analysis.tables.make import decimals
from auralsam2.engine.run_record import RunRecord


class Fact(NamedTuple):
    """A line of a list.

    Attributes:
        term: what it is about.
        text: what is said.
    """

    term: str
    text: str


def summary(table: Table, records: Records) -> list[Fact]:
    """Return the facts about a grid."""
    results = table.results
    split, metric = primary_column(table)
    facts = [Fact("Question", _question(results, f"{metric} on {split}"))]
    found = best_cell(table)
    if found is not None:
        cell, column = found
        facts.append(Fact("Best cell", f"{cell}: {column[1]} {in_words(table, cell, column)}"))
    if results.reference in results.cells:
        reference = str(results.reference)
        score = in_words(table, reference, (split, metric))
        facts.append(Fact("Reference cell", f"{reference}: {metric} {score}"))
    if table.comparison is not None and len(table.comparison):
        facts.append(Fact("Compared with it", _comparison(table, (split, metric))))
    clips = results.scores.loc[results.scores["split"] == split, "clip"].nunique()
    seeds = sorted({seed for _, seed in records})
    facts.append(Fact("Runs", _runs(results, seeds, clips, split)))
    return facts


def all_notes(table: Table, records: Records) -> list[str]:
    """Return what a reader must beware of; what several runs say alike stands once."""
    said: dict[str, list[str]] = {}
    for (cell, seed), record in records.items():
        own = [*record.notes, *map(_attempt, record.attempts)]
        for note in own:
            said.setdefault(note, []).append(f"{cell}, seed {seed}")
    listed = [
        f"{whose[0] if len(whose) == 1 else f'{len(whose)} runs ({whose[0]}, ...)'}: {note}"
        for note, whose in said.items()
    ]
    return [*notes(table), *listed]


def provenance_facts(results: Results, records: Records) -> list[Fact]:
    """Return where the numbers come from."""
    runs = results.runs
    facts = [
        Fact("Data", ", ".join(sorted({str(f)[:16] for f in runs["data_fingerprint"]}))),
        Fact("Labels", ", ".join(sorted({str(s) for s in runs["label_source"] if s}))),
        Fact("Code", ", ".join(sorted(set(runs["code_version"])))),
    ]
    facts += _environments(list(records.values()))
    facts.append(Fact("Page made", f"{datetime.now(timezone.utc):%Y-%m-%d %H:%M} UTC"))
    return [fact for fact in facts if fact.text]


def _question(results: Results, score: str) -> str:
    axes: dict[str, list[str]] = {}
    for cell in results.cells:
        for axis, label in results.axes.get(cell, {}).items():
            if label not in axes.setdefault(axis, []):
                axes[axis].append(label)
    varied = {axis: labels for axis, labels in axes.items() if len(labels) > 1}
    if len(results.cells) == 1:
        return f"what is {score}?"
    if not varied:
        return f"which of {len(results.cells)} cells has the best {score}?"
    named = "; ".join(f"{axis} ({', '.join(labels)})" for axis, labels in varied.items())
    return f"how does {score} depend on {named}?"


def _comparison(table: Table, column: tuple[str, str]) -> str:
    frame = table.comparison
    assert frame is not None
    own = frame[(frame["split"] == column[0]) & (frame["metric"] == column[1])]
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


def _runs(results: Results, seeds: Sequence[int], clips: int, split: str) -> str:
    shown = ", ".join(map(str, seeds))
    word = "seed" if len(seeds) == 1 else "seeds"
    return (
        f"{len(results.runs)} finished, {len(results.cells)} cells, {word} {shown}; "
        f"{clips} clips of {split}"
    )


def _attempt(attempt: Mapping[str, object]) -> str:
    return "tried before: " + ", ".join(f"{key} {value}" for key, value in attempt.items())


def _environments(records: Sequence[RunRecord]) -> list[Fact]:
    """Return one fact for every environment that runs were made in."""
    counted: dict[str, int] = {}
    for record in records:
        held = {k: v for k, v in record.environment.items() if k not in ("git_commit", "speed")}
        key = json.dumps(held, sort_keys=True, default=str)
        counted[key] = counted.get(key, 0) + 1
    several = len(counted) > 1
    return [
        Fact(f"Environment of {n} runs" if several else "Environment", _in_words(json.loads(text)))
        for text, n in counted.items()
    ]


def _in_words(environment: Mapping[str, object]) -> str:
    parts = []
    for key, value in environment.items():
        if isinstance(value, Mapping):
            parts.append(", ".join(f"{name} {version}" for name, version in value.items()))
        elif value not in (None, "", []):
            parts.append(f"{key.replace('_', ' ')} {value}")
    return "; ".join(parts)
