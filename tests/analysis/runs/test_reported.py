from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from analysis.runs.reported import load_reported

ROW: dict[str, Any] = {
    "method": "Some Method",
    "source": "A. Author, A Paper, Some Venue 2024",
    "where": "Table 2",
    "protocol": "V1M test, 224 px, mean over frames",
    "scores": {"test": {"J": 0.5, "F": 0.6}},
}


def write(path: Path, *rows: Any, **keys: Any) -> Path:
    path.write_text(json.dumps({"schema": 1, "rows": list(rows), **keys}))
    return path


def test_rows_say_where_they_stand(tmp_path: Path) -> None:
    file = write(
        tmp_path / "r.json", {**ROW, "url": "https://example.org/paper", "note": "rounded"}
    )
    (row,) = load_reported(file)
    assert row.scores == {("test", "J"): 0.5, ("test", "F"): 0.6}
    assert row.citation() == (
        "Some Method: A. Author, A Paper, Some Venue 2024, Table 2; protocol: V1M test, 224 px, "
        "mean over frames; https://example.org/paper; rounded"
    )


def test_every_problem_is_listed(tmp_path: Path) -> None:
    file = write(
        tmp_path / "r.json",
        {**ROW, "source": " ", "scores": {"test": {"J": 54.0, "F": True}}},
        {**ROW, "protocoll": "x", "note": 3, "scores": {}},
        {key: value for key, value in ROW.items() if key != "where"},
        "row",
    )
    with pytest.raises(ValueError) as caught:
        load_reported(file)
    for part in (
        "row 1: source: got ' ', wanted a text",
        "row 1: scores.test.J: got 54.0, wanted a share between 0 and 1",
        "row 1: scores.test.F: got True",
        "row 2: unknown key 'protocoll'; did you mean 'protocol'?",
        "row 2: note: got 3, wanted a text",
        "row 2: scores: wanted split -> metric -> number",
        "row 3: where: got None, wanted a text",
        "row 4: got str, wanted an object",
    ):
        assert part in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "no JSON"),
        ("[]", "wanted a JSON object with schema 1"),
        ('{"schema": 2, "rows": []}', "schema 1"),
        ('{"schema": 1}', "rows: wanted a list"),
        ('{"schema": 1, "schema": 1, "rows": []}', "'schema' is stated twice"),
        ('{"schema": 1, "rows": NaN}', "rows: wanted a list"),
    ],
)
def test_what_is_no_such_file_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "r.json").write_text(text)
    with pytest.raises(ValueError, match=message):
        load_reported(tmp_path / "r.json")
