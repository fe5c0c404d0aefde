"""One table; its status says whether something required is missing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from auralsam2.engine import doctor
from auralsam2.engine.doctor import Row

FINE, LACKING = Row("a", True, "1.0"), Row("extra [b]", False, "no c", "pip install c")


@pytest.fixture(autouse=True)
def rows(monkeypatch: pytest.MonkeyPatch) -> list[Row]:
    """What is installed, in the test's words."""
    told = [FINE, LACKING]
    monkeypatch.setattr(doctor, "installed", lambda: iter(told))
    return told


def test_what_is_optional_and_missing_is_no_failure(run) -> None:
    shown = run("doctor")
    (line,) = [line for line in shown.splitlines() if "extra [b]" in line]
    assert [cell.strip() for cell in line.split("│")[1:-1]] == [
        *("extra [b]", "not here", "no c", "pip install c")
    ]
    assert "executor inline" in shown and "fonts" in shown and "GPU" in shown


def test_what_is_required_and_missing_is_one(rows: list[Row], run) -> None:
    rows.append(Row("torch", False, "no torch", "pip install torch", required=True))
    told = json.loads(run("doctor", "--json", status=1))
    assert told[:3] == [row._asdict() for row in rows]
    assert {"part", "usable", "found", "remedy", "required"} == set(told[0])


def test_executors_say_themselves_what_they_lack(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, run
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    told = {row["part"]: row for row in json.loads(run("doctor", "--json"))}
    assert told["executor inline"]["usable"] and not told["executor slurm"]["usable"]
    assert "no sbatch, squeue, scancel on this machine" in told["executor slurm"]["found"]


def test_letters_without_a_face_are_told(monkeypatch: pytest.MonkeyPatch, run) -> None:
    monkeypatch.setattr(
        "analysis.figures.figure_text.family_with", lambda letter: None if letter == "日" else "X"
    )
    (row,) = [r for r in json.loads(run("doctor", "--json")) if r["part"].startswith("fonts")]
    assert not row["usable"] and "日" in row["found"] and "fonts-noto-cjk" in row["remedy"]


def test_a_config_adds_its_rows(run, tmp_path: Path) -> None:
    command = ["doctor", "auralsam2/mini_v1m", "--set", f"data.root={tmp_path}", "--json"]
    told = {row["part"]: row for row in json.loads(run(*command, status=1))}
    assert told["weights of model.backbone"]["found"] == "builtin://sam2-mini"
    assert str(tmp_path) in told["data"]["found"]


def test_a_config_that_can_run_is_usable(
    write_tiny: Callable[..., Path], tmp_path: Path, run
) -> None:
    path = write_tiny(tmp_path, (3, 2, 6), seed=3)
    rows = [row for row in json.loads(run("doctor", path, "--json")) if row["required"]]
    assert {row["usable"] for row in rows} == {True} and len(rows) == 4
    sizes = rows[-1]["found"].removeprefix(f"{tmp_path / 'clips'}: ")
    assert rows[-1]["part"] == "data"
    assert sizes.startswith(
        "train 3 clips, val 2 clips, test 6 clips, test_audio_swapped 6 clips"
    ), sizes


def test_options_of_a_config_want_one(run) -> None:
    assert "without a CONFIG" in run("doctor", "--set", "optim.epochs=1", status=2)
