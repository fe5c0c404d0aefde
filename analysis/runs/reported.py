"""Numbers that other papers report, read from a file that says where each stands.

Layout, schema 1: a JSON object with ``schema`` and ``rows``; a row has

* ``method``: name in the table;
* ``source``: authors, title, venue, year;
* ``where``: table or page of the number;
* ``protocol``: data, resolution, split and metric as that paper has them;
* ``scores``: split -> metric -> number, named as in our tables, and as shares (0.54, not 54);
* ``url``, ``note``: optional texts.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from auralsam2.messages import ProblemsError, unknown_name

SCHEMA = 1
MARK = "reported, not measured"
_TEXTS = ("method", "source", "where", "protocol")
_OPTIONAL = ("url", "note")


class ReportedRow(NamedTuple):
    """One method as another paper reports it."""

    method: str  # name
    source: str  # authors, title, venue, year
    where: str  # table or page
    protocol: str  # how it was measured there
    scores: Mapping[tuple[str, str], float]  # (split, metric) -> number
    url: str = ""  # of the paper; may be empty
    note: str = ""  # may be empty

    def citation(self) -> str:
        """Return where the numbers come from, and how they were measured."""
        parts = [f"{self.method}: {self.source}, {self.where}"]
        parts += [f"protocol: {self.protocol}", self.url, self.note]
        return "; ".join(part for part in parts if part)


def load_reported(path: str | Path) -> list[ReportedRow]:
    """Read a file of reported numbers.

    Raises:
        FileNotFoundError: where there is no such file.
        ProblemsError: where it is none; a `ValueError`.
    """
    file = Path(path)
    problems: list[str] = []

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        keys = [key for key, _ in pairs]
        problems.extend(
            f"{key!r} is stated twice" for key in {k for k in keys if keys.count(k) > 1}
        )
        return dict(pairs)

    try:
        content = json.loads(file.read_text(encoding="utf-8"), object_pairs_hook=once)
    except json.JSONDecodeError as error:
        raise ValueError(f"{file}: no JSON ({error})") from error
    rows = content.get("rows") if isinstance(content, dict) else None
    if not isinstance(content, dict) or content.get("schema") != SCHEMA:
        problems.append(f"wanted a JSON object with schema {SCHEMA}")
    elif not isinstance(rows, list):
        problems.append("rows: wanted a list of objects")
    for number, row in enumerate(rows if isinstance(rows, list) else [], start=1):
        problems += [f"row {number}: {problem}" for problem in _row_problems(row)]
    if problems:
        raise ProblemsError(problems, f"{file}: no file of reported numbers")
    return [_row(row) for row in content["rows"]]


def _row(row: Mapping[str, Any]) -> ReportedRow:
    scores = {
        (split, metric): float(value)
        for split, metrics in row["scores"].items()
        for metric, value in metrics.items()
    }
    texts = {key: row[key].strip() for key in (*_TEXTS, *_OPTIONAL) if key in row}
    return ReportedRow(**texts, scores=scores)


def _row_problems(row: Any) -> list[str]:
    if not isinstance(row, dict):
        return [f"got {type(row).__name__}, wanted an object"]
    known = (*_TEXTS, "scores", *_OPTIONAL)
    problems = [unknown_name("key", key, known) for key in row if key not in known]
    for key in _TEXTS:
        if not isinstance(row.get(key), str) or not row[key].strip():
            problems.append(f"{key}: got {row.get(key)!r}, wanted a text")
    for key in _OPTIONAL:
        if not isinstance(row.get(key, ""), str):
            problems.append(f"{key}: got {row[key]!r}, wanted a text")
    scores = row.get("scores")
    if not isinstance(scores, dict) or not scores:
        return [*problems, "scores: wanted split -> metric -> number"]
    for split, metrics in scores.items():
        if not isinstance(metrics, dict) or not metrics:
            problems.append(f"scores.{split}: wanted metric -> number")
            continue
        problems += [
            f"scores.{split}.{metric}: got {value!r}, wanted a share between 0 and 1"
            for metric, value in metrics.items()
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1
        ]
    return problems
