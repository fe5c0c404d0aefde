from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib.image
import numpy as np
import pandas as pd
import pytest

from analysis.clips.picks import NoPicksError
from analysis.figures import failures
from analysis.runs.results import Results, load_runs
from tests.analysis.planted import masks_of

CLIPS = ("a", "b", "c")


@pytest.fixture
def results(exact: Callable[..., Path]) -> Results:
    def scores(*values: float) -> dict:
        return {"J": dict(zip(CLIPS, values))}

    swapped = {"test_audio_swapped": scores(0.3, 0.4, 0.1)}
    cells = {
        "none": {"test": scores(0.1, 0.1, 0.1)},
        "b": {"test": scores(0.2, 0.6, 0.4)} | swapped,
        "mid": {"test": scores(0.5, 0.5, 0.5)},
        "best": {"test": scores(0.9, 0.5, 0.9)},
        "good": {"test": scores(0.8, 0.6, 0.8)},
    }
    return load_runs(exact({(cell, 0): held for cell, held in cells.items()}))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, list[str], str, Any]]:
    """Every clip has seven frames; ``mid`` (run 2) has lost its weights."""
    calls: list[tuple[str, list[str], str, Any]] = []

    def planted(run_dir: Path, clips: list[str], *, split: str, **making: Any) -> dict:
        calls.append((run_dir.name, list(clips), split, making))
        if run_dir.name == "2":
            raise KeyError("weights\n  gone")
        masks = np.zeros((7, 6, 8), np.uint8)
        masks[:, 1:4, 1 : 4 + int(run_dir.name)] = 1
        truth = np.zeros_like(masks)
        truth[:, 1:4, 1:5] = 1
        return {clip: masks_of(clip, truth, masks, scores={"J": 0.6}) for clip in clips}

    monkeypatch.setattr(failures, "clip_masks", planted)
    return calls


def test_rows_are_the_reference_and_the_best_others(results: Results, asked: list) -> None:
    numbers = failures.collect(
        results, "lowest", num_clips=2, overrides={"data.root": "there"}, again=True
    )
    assert [call[0] for call in asked] == ["1", "3", "4", "2"]
    making = {"overrides": {"data.root": "there"}, "again": True}
    assert asked[0] == ("1", ["a", "c"], "test", making)
    assert [clip.clip for clip in numbers.clips] == ["a", "c"]
    first = numbers.clips[0]
    assert [row.label for row in first.rows] == ["b", "best", "good"]
    assert [row.score for row in first.rows] == [("J", 0.2), ("J", 0.9), ("J", 0.8)]
    assert first.seconds == (1, 3, 4, 5, 7)
    assert first.rows[0].masks.shape == (5, 6, 8) and first.truth.shape == (5, 6, 8)
    assert numbers.notes[0] == "lowest: no masks of mid: weights gone"
    assert numbers.lost == numbers.notes[:1], "and no warning"
    assert numbers.notes[1].startswith("lowest: b, a: These masks score J 0.600, the run recorded")


def test_another_sound_and_the_compared_cell_are_rows(results: Results, asked: list) -> None:
    numbers = failures.collect(results, "listens-least", num_clips=1, cells=["none"])
    assert [row.label for row in numbers.clips[0].rows] == ["b", "b, audio swapped", "none"]
    assert [call[2] for call in asked] == ["test", "test_audio_swapped", "test"]
    assert numbers.clips[0].rows[1].score == ("J", 0.3)
    gain = failures.collect(results, "largest-gain", num_clips=1, other="none")
    assert [row.label for row in gain.clips[0].rows] == ["b", "none", "best", "good"]


def test_files(results: Results, asked: list, tmp_path: Path) -> None:
    paths = failures.make(results, tmp_path, "largest-loss", num_clips=3, cells=[])
    kinds = ("pdf", "png", "csv")
    assert [path.name for path in paths] == [f"failures_largest_loss.{kind}" for kind in kinds]
    assert matplotlib.image.imread(paths[1]).shape[1] == 1350
    table = pd.read_csv(paths[2])
    assert set(table["clip"]) == {"a", "c"}, "the third one is no loss"
    assert set(table["row"]) == {"b", "best"} and len(table) == 2 * 2 * 5
    assert set(table["rule"]) == {"Largest loss in J of b (seed 0) against best (seed 0) on test"}
    row = table[(table["row"] == "b") & (table["clip"] == "a")].iloc[0]
    assert row["ranked_by"] == pytest.approx(-0.7) and row["score"] == 0.2 and row["iou"] == 1


def test_titles_and_captions(results: Results, asked: list) -> None:
    numbers = failures.collect(results, "lowest", num_clips=2)
    assert failures.title(numbers) == "Lowest J of b (seed 0) on test: 2 of 3 clips, ties by name"
    assert failures.captions(numbers) == ["a\nJ 0.20", "c\nJ 0.40"]


def test_nothing_to_pick_or_no_weights_nothing_drawn(exact, tmp_path: Path) -> None:
    results = load_runs(exact({("b", 0): {"test": {"J": {"x": 0.5}}}}))
    for rule in ("lowest", "listens-least", "largest-gain"):
        assert failures.make(results, tmp_path / "figures", rule) == []
    notes = results.notes
    assert results.lost == notes[:1], "a rule without scores has lost nothing"
    assert not (tmp_path / "figures").exists()
    assert notes[0].startswith("no failure sheet 'lowest': no masks of b: ")
    assert "evaluation.counterfactuals" in notes[1] and "no other cell" in notes[2]
    with pytest.raises(NoPicksError):
        failures.collect(results)
    with pytest.raises(ValueError, match="unknown cell 'y'"):
        failures.make(results, tmp_path, cells=["y"])
