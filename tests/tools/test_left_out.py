"""Clips that cannot be read and are skipped: every command that scores or shows clips says so."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from auralsam2_tools.__main__ import find_tools
from auralsam2_tools.__main__ import main as dispatch

from auralsam2 import config as configs
from auralsam2.engine import run_record
from auralsam2.engine.train import train

SKIPPING = {
    "data.on_corrupt": "skip",
    "runtime.tensorboard": False,
    "optim.epochs": 1,
    "evaluation.num_saved_clips": 1,
    "model.mask_loss.loss_size": 32,
}
SCORING = {
    "eval-checkpoint": ["{run}", "--json", "{out}"],
    "eval-protocols": ["{run}", "--sizes", "32", "--out", "{out}"],
    "make-tables": ["{grid}"],
    "predict": ["{run}", "--split", "test", "--out", "{out}"],
}
SHOWING = {
    "check-claims", "make-figures", "measure-dilution", "measure-embeddings", "measure-robustness",
    "plan-grid", "report",
}  # fmt: skip
"""Show the notes of the runs that they load, as make-tables does; they take seconds."""
BY_TRAINING = {"train", "run-grid", "run-sweep", "make-paper"}
"""What they say is in the records, which the commands above read."""
STOPS = {"guess-baselines"}
"""Takes no config, and skips nothing."""
NO_SCORES = {
    "benchmark", "check-config", "check-data", "check-parity", "convert-checkpoint", "demo",
    "doctor",
    "grid-status", "list-components", "make-synthetic", "prepare-data", "pretrain-audio",
    "pretrain-auralsam2", "pretrain-mini", "read-answers", "segment",
}  # fmt: skip


@pytest.fixture(scope="module")
def made(
    write_tiny: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, str]:
    """A trained run over data of which one clip of val and one of test are cut off."""
    folder = tmp_path_factory.mktemp("left_out")
    config = write_tiny(folder, (2, 2, 4), seed=3, **SKIPPING)
    clips = [next((folder / "clips" / "v1m").glob(f"clip0000{n}_*")) for n in (2, 5)]
    for clip in clips:
        (clip / "audio.wav").write_bytes(b"RIFF")
    train(configs.load(config), folder / "grid" / "run")
    return folder / "grid", clips[1].name


def test_every_command_is_known() -> None:
    assert set(find_tools()) == {*SCORING, *SHOWING, *BY_TRAINING, *STOPS, *NO_SCORES}


@pytest.mark.parametrize("command", sorted(SHOWING))
def test_a_command_shows_the_notes_of_its_runs(command: str) -> None:
    source = find_tools()[command].read_text()
    assert "read_runs(" in source and "results.notes" in source


def test_the_record_says_it(made: tuple[Path, str]) -> None:
    grid, clip = made
    record = run_record.read(grid / "run")
    assert record.skipped["test"] == record.skipped["val"] == 1
    assert any(note.startswith("test: ") and clip in note for note in record.notes)


@pytest.mark.parametrize("command", SCORING)
def test_a_command_says_it_and_its_file_names_the_clip(
    made: tuple[Path, str],
    command: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    grid, clip = made
    own, out = Path(shutil.copytree(grid, tmp_path / "grid")), tmp_path / "out"
    arguments = [a.format(grid=own, run=own / "run", out=out) for a in SCORING[command]]
    assert dispatch([command, *arguments]) == 0
    told = capsys.readouterr()
    said = told.out + told.err + caplog.text
    assert "left out" in said or clip in said, said
    if command == "predict":
        record = json.loads((out / "predictions.json").read_text())
        assert list(record["left_out"]) == [clip] and record["clips"] == 3
    if command == "eval-checkpoint":
        scores = json.loads(out.read_text())["test"]
        assert list(scores["left_out"]) == [clip] and "audio.wav" in scores["left_out"][clip]
        assert len(scores["per_clip"]["J"]) == 3
    if command == "eval-protocols":
        with out.open(newline="") as file:
            counts = {(row["num_clips"], row["left_out"]) for row in csv.DictReader(file)}
        assert counts == {("3", "1"), ("2", "2")}  # one clip was to hear the corrupt sound


def test_guesses_stop(made: tuple[Path, str], capsys: pytest.CaptureFixture[str]) -> None:
    grid, clip = made
    assert dispatch(["guess-baselines", str(grid.parent / "clips")]) == 2
    assert clip in capsys.readouterr().err
