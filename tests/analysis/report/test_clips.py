from __future__ import annotations

import base64
import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from analysis.clips.masks import ClipMasks
from analysis.report import clips as clip_views
from analysis.report.clips import (
    LONGEST_SIDE,
    choose,
    collect,
    frame_uri,
    outline,
    spectrogram_uri,
)
from analysis.runs.results import load_runs
from tests.analysis.planted import masks_of

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
    assert list(section.groups) == ["Worst clips", "Best clips"]
    worst = section.groups["Worst clips"][0]
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
        masks = np.ones((1, 4, 4))
        return {clip: masks_of(clip, masks, masks, scores={"J": 0.5}) for clip in clips}

    monkeypatch.setattr(clip_views, "clip_masks", other)
    folder = exact({("b", 0): {"test": {"J": {"kept": 0.503, "lost": 0.7}}}})
    section = collect(load_runs(folder), "b", J, num_clips=3)
    shown = {view.clip: view.warning for group in section.groups.values() for view in group}
    assert shown["kept"] == "" and "score J 0.500, the run recorded 0.700" in shown["lost"]


def test_without_weights_the_saved_clips_are_shown(grid_folder: Path, save_predictions) -> None:
    for run_dir in (grid_folder / "runs").iterdir():
        save_predictions(run_dir, shift=8)
    section = collect(load_runs(grid_folder), "dense", J, num_clips=1)
    assert "the trained weights are gone: no best.safetensors" in section.problem
    assert list(section.groups) == ["Saved clips"]
    views = section.groups["Saved clips"]
    assert [view.clip for view in views] == ["clip_00", "clip_01"]
    assert views[0].sound is None and "seed 0: J 0." in views[0].scores


def test_without_weights_and_saved_clips_only_the_reason_is_left(grid_folder: Path) -> None:
    section = collect(load_runs(grid_folder), "dense", J, num_clips=1)
    assert section.groups == {} and section.rule == "" and "weights are gone" in section.problem


def polygons(path: str) -> list[np.ndarray]:
    return [
        np.array([[float(x) for x in point.split()] for point in line.rstrip("Z").split("L")])
        for line in path.split("M")[1:]
    ]


def area(points: np.ndarray) -> float:
    x, y = points.T
    return abs(float(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1)))) / 2


def test_the_outline_of_a_rectangle_has_its_place_and_corners_cut_by_half_a_pixel() -> None:
    mask = np.zeros((10, 20))
    mask[2:6, 3:9] = 1
    (points,) = polygons(outline(mask))
    assert points.min(0) == pytest.approx([3, 2]) and points.max(0) == pytest.approx([9, 6])
    assert area(points) == pytest.approx(4 * 6 - 4 * 0.125)
    assert len(points) == 8, "points on straight lines are left out"


def test_outlines_are_closed_at_the_border_and_holes_have_their_own() -> None:
    mask = np.ones((5, 6))
    mask[2, 2] = 0
    outer, hole = sorted(polygons(outline(mask)), key=area, reverse=True)
    assert outer.min(0) == pytest.approx([0, 0]) and outer.max(0) == pytest.approx([6, 5])
    assert hole.mean(0) == pytest.approx([2.5, 2.5]) and area(hole) == pytest.approx(0.5)


def test_an_empty_mask_has_no_outline() -> None:
    assert outline(np.zeros((4, 4))) == ""


def decode(uri: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(re.sub("^.*,", "", uri))))


def test_large_frames_are_made_small_and_keep_their_proportions() -> None:
    frame = np.zeros((500, 1000, 3), np.uint8)
    frame[..., 0] = 200
    image = decode(frame_uri(frame))
    assert image.format == "JPEG" and image.size == (LONGEST_SIDE, LONGEST_SIDE // 2)
    assert np.asarray(image).mean((0, 1)) == pytest.approx([200, 0, 0], abs=4)
    assert decode(frame_uri(frame[:8, :8])).size == (8, 8)


def test_a_spectrogram_has_time_to_the_right_and_high_bands_above() -> None:
    log_mel = np.zeros((2, 96, 64))
    log_mel[1, :, 60:] = 1  # a high sound in the second half
    image = np.asarray(decode(spectrogram_uri(log_mel)).convert("L"))
    assert image.shape == (64, 192)
    assert image[:3, 100:].mean() > 200 > 50 > image[5:, :].mean()
    assert np.asarray(decode(spectrogram_uri(np.zeros((1, 96, 64)))).convert("L")).max() < 20
