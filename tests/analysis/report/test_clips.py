from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from analysis.clips.masks import ClipMasks
from analysis.report import clips as clip_views
from analysis.report.clips import choose, collect
from analysis.runs.results import load_runs

J = ("test", "J")


def test_the_lowest_and_the_highest_scores_are_chosen() -> None:
    scores = {"b": 0.1, "a": 0.1, "c": 0.5, "d": 0.9, "e": 0.9, "f": 0.7, "x": float("nan")}
    assert choose(scores, 2) == (["a", "b"], ["d", "e"])
    assert choose(scores, 1) == (["a"], ["d"])


@pytest.mark.parametrize(("count", "worst", "best"), [(0, 0, 0), (1, 0, 1), (3, 1, 2), (5, 2, 3)])
def test_no_clip_is_both_worst_and_best(count: int, worst: int, best: int) -> None:
    low, high = choose({f"c{index}": index / 10 for index in range(count)}, 3)
    assert (len(low), len(high)) == (worst, best) and not {*low} & {*high}


def test_a_cell_s_clips_are_those_of_its_first_seed(
    exact, planted_masks: list[tuple[Path, list[str]]]
) -> None:
    low = {f"c{index}": index / 10 for index in range(6)}
    high = {clip: 1 - score for clip, score in low.items()}
    folder = exact({("b", 1): {"test": {"J": high}}, ("b", 0): {"test": {"J": low}}})
    section = collect(load_runs(folder), "b", J, num_clips=2)
    assert planted_masks == [(folder / "runs/1", ["c0", "c1", "c5", "c4"])]
    assert "The 2 clips of test with the lowest J and the 2 with the highest, of 6" in section.rule
    assert [group.title for group in section.groups] == ["Worst clips", "Best clips"]
    worst = section.groups[0].clips[0]
    assert worst.scores == "seed 0: J 0.000; seed 1: J 1.000"
    assert (worst.width, worst.height) == (16, 12) and not worst.warning
    # 4 x 4 against 4 x 4, half of them in common.
    assert worst.frames[0].score == f"IoU {8 / 24:.2f}"
    assert worst.frames[1].score == f"nothing to find, {16 / 192:.1%} predicted"
    assert worst.frames[1].truth == "" and worst.frames[1].prediction.startswith("M")
    assert worst.sound is not None and worst.sound.startswith("data:audio/flac;base64,")


def test_masks_that_score_otherwise_than_recorded_carry_a_warning(
    exact, monkeypatch: pytest.MonkeyPatch
) -> None:
    def other(run_dir: Path, clips: list[str], **_: object) -> dict[str, ClipMasks]:
        masks, frames = np.ones((1, 4, 4)), np.zeros((1, 4, 4, 3), np.uint8)
        arrays = (frames, masks, masks, np.zeros((1, 96, 64)))
        return {clip: ClipMasks(clip, *arrays, None, {"J": 0.5}) for clip in clips}

    monkeypatch.setattr(clip_views, "clip_masks", other)
    folder = exact({("b", 0): {"test": {"J": {"kept": 0.503, "lost": 0.7}}}})
    section = collect(load_runs(folder), "b", J, num_clips=3)
    shown = {view.clip: view.warning for group in section.groups for view in group.clips}
    assert shown["kept"] == "" and "score J 0.500, the run recorded 0.700" in shown["lost"]


def test_without_weights_the_saved_clips_are_shown(grid_folder: Path, save_predictions) -> None:
    for run_dir in (grid_folder / "runs").iterdir():
        save_predictions(run_dir, shift=8)
    section = collect(load_runs(grid_folder), "dense", J, num_clips=1)
    assert "the trained weights are gone: no best.safetensors" in section.problem
    (group,) = section.groups
    assert group.title == "Saved clips" and [v.clip for v in group.clips] == ["clip_00", "clip_01"]
    assert group.clips[0].sound is None and "seed 0: J 0." in group.clips[0].scores


def test_without_weights_and_saved_clips_only_the_reason_is_left(grid_folder: Path) -> None:
    section = collect(load_runs(grid_folder), "dense", J, num_clips=1)
    assert section.groups == () and section.rule == "" and "weights are gone" in section.problem
