from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from analysis.runs.results import Results, load_runs
from analysis.runs.saved_clips import load_clips, to_frame
from auralsam2.engine import run_record


@pytest.fixture
def results(grid_folder: Path, save_predictions: Callable[..., None]) -> Results:
    shifts = {"none": 40, "sparse": 5, "dense": 3, "sparse+dense": 0}
    for cell, shift in shifts.items():
        for seed in (0, 1):
            save_predictions(grid_folder / "runs" / f"{cell}-s{seed}-x", shift + 100 * seed)
    return load_runs(grid_folder)


def test_first_clips_of_the_first_seed(results: Results) -> None:
    clips = load_clips(results, num_clips=2, most_frames=5)
    assert [clip.clip for clip in clips] == ["clip_00", "clip_01"]
    first = clips[0]
    assert first.seconds == (1, 2, 3, 4, 5)
    assert first.frames.shape == (5, 64, 64, 3) and first.truth.shape == (5, 96, 128)
    assert first.log_mel.shape == (5, 96, 64)
    assert [row.label for row in first.rows] == [
        "none",
        "sparse",
        "dense",
        "sparse+dense",
        "sparse+dense, audio swapped",
    ]
    assert {row.seed for row in first.rows} == {0}
    np.testing.assert_array_equal(first.rows[3].masks, first.truth)


def test_scores_are_the_recorded_ones(results: Results, grid_folder: Path) -> None:
    clip = load_clips(results, num_clips=1, most_frames=5)[0]
    record = run_record.read(grid_folder / "runs" / "sparse+dense-s0-x")
    recorded = {
        entry["split"]: entry["value"]
        for entry in record.per_clip
        if (entry["clip"], entry["metric"]) == ("clip_00", "J")
    }
    assert clip.rows[3].score == ("J", recorded["test"])
    assert clip.rows[4].score == ("J", recorded["test_audio_swapped"])


def test_long_clips_are_thinned_evenly(grid_folder: Path, save_predictions) -> None:
    save_predictions(grid_folder / "runs" / "none-s0-x", 0, num_frames=10)
    (clip,) = load_clips(load_runs(grid_folder), num_clips=1, most_frames=4)
    assert clip.seconds == (1, 4, 7, 10)
    assert len(clip.frames) == len(clip.truth) == len(clip.rows[0].masks) == 4


def test_only_clips_that_all_runs_saved(grid_folder: Path, save_predictions) -> None:
    runs = grid_folder / "runs"
    save_predictions(runs / "none-s0-x", 0, clips=("clip_00", "clip_01"))
    save_predictions(runs / "dense-s0-x", 0, clips=("clip_01", "clip_02"))
    clips = load_clips(load_runs(grid_folder), num_clips=3, most_frames=5)
    assert [clip.clip for clip in clips] == ["clip_01"]
    assert [row.label for row in clips[0].rows] == ["none", "dense"]


def test_nothing_saved(grid_folder: Path) -> None:
    assert load_clips(load_runs(grid_folder), num_clips=2, most_frames=5) == []


def test_numbers_of_what_is_drawn(results: Results) -> None:
    frame = to_frame(load_clips(results, num_clips=2, most_frames=5))
    assert len(frame) == 2 * 5 * 5
    exact = frame[(frame["row"] == "sparse+dense") & (frame["clip"] == "clip_00")]
    # The third second is silent: nothing to find and nothing found.
    assert exact["iou"].isna().tolist() == [False, False, True, False, False]
    assert exact["iou"].dropna().eq(1.0).all()
    shifted = frame[(frame["row"] == "none") & (frame["second"] == 1)]
    assert shifted["iou"].eq(0.0).all()
    assert shifted["truth_area"].iloc[0] == pytest.approx(shifted["predicted_area"].iloc[0])
