"""One table; its status says whether something required is missing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from auralsam2_tools.doctor import main

from auralsam2.engine import doctor
from auralsam2.engine.doctor import Row

FINE, LACKING = Row("a", True, "1.0"), Row("extra [b]", False, "no c", "pip install c")


@pytest.fixture(autouse=True)
def rows(monkeypatch: pytest.MonkeyPatch) -> list[Row]:
    """What is installed, in the test's words."""
    told = [FINE, LACKING]
    monkeypatch.setattr(doctor, "installed", lambda: iter(told))
    return told


def test_what_is_optional_and_missing_is_no_failure(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    shown = capsys.readouterr().out
    (line,) = [line for line in shown.splitlines() if "extra [b]" in line]
    assert [cell.strip() for cell in line.split("│")[1:-1]] == [
        *("extra [b]", "not here", "no c", "pip install c")
    ]
    assert "executor inline" in shown and "fonts" in shown and "GPU" in shown


def test_what_is_required_and_missing_is_one(
    rows: list[Row], capsys: pytest.CaptureFixture[str]
) -> None:
    rows.append(Row("torch", False, "no torch", "pip install torch", required=True))
    assert main(["--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told[:3] == [row._asdict() for row in rows]
    assert {"part", "usable", "found", "remedy", "required"} == set(told[0])


def test_executors_say_themselves_what_they_lack(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["--json"]) == 0
    told = {row["part"]: row for row in json.loads(capsys.readouterr().out)}
    assert told["executor inline"]["usable"] and not told["executor slurm"]["usable"]
    assert "no sbatch, squeue, scancel on this machine" in told["executor slurm"]["found"]


def test_letters_without_a_face_are_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        "analysis.figures.figure_text.family_with", lambda letter: None if letter == "日" else "X"
    )
    assert main(["--json"]) == 0
    (row,) = [r for r in json.loads(capsys.readouterr().out) if r["part"].startswith("fonts")]
    assert not row["usable"] and "日" in row["found"] and "fonts-noto-cjk" in row["remedy"]


def test_a_config_adds_its_rows(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["auralsam2/mini_v1m", "--set", f"data.root={tmp_path}", "--json"]) == 1
    told = {row["part"]: row for row in json.loads(capsys.readouterr().out)}
    assert told["weights of model.backbone"]["found"] == "builtin://sam2-mini"
    assert str(tmp_path) in told["data"]["found"]


def test_a_config_that_can_run_is_usable(
    write_tiny: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_tiny(tmp_path, (3, 2, 6), seed=3)
    assert main([str(path), "--json"]) == 0
    rows = [row for row in json.loads(capsys.readouterr().out) if row["required"]]
    assert {row["usable"] for row in rows} == {True} and len(rows) == 3
    sizes = rows[-1]["found"].removeprefix(f"{tmp_path / 'clips'}: ")
    assert rows[-1]["part"] == "data"
    assert sizes.startswith(
        "train 3 clips, val 2 clips, test 6 clips, test_audio_swapped 6 clips"
    ), sizes


def test_options_of_a_config_want_one(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--set", "optim.epochs=1"])
    assert "without a CONFIG" in capsys.readouterr().err
