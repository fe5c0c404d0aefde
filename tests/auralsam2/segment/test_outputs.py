from __future__ import annotations

import csv
import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from auralsam2.data.frame_source import open_frames
from auralsam2.segment.outputs import (
    Tracked,
    box_of,
    mask_file,
    read_mask,
    write_mask,
    write_overlay,
    write_rle,
)
from tests.auralsam2.segment.test_rle import decode


@pytest.fixture
def tracked(make_video, tmp_path: Path) -> tuple[Path, Tracked]:
    """A folder with the masks of five frames: object 1 grows, object 2 is seen in the last."""
    video = make_video(tmp_path / "a.mp4", size=(32, 48))
    scores = {obj_id: np.full((5, 2), np.nan, np.float32) for obj_id in (1, 2)}
    scores[1][:] = (0.75, 3.0)
    folder = tmp_path / "out"
    for index in range(5):
        for obj_id in scores:
            mask = np.zeros((32, 48), bool)
            mask[4 : 8 + index, 10:30] = obj_id == 1
            mask[20:24, 40:] = obj_id == 2 and index == 4
            write_mask(folder, obj_id, index, mask)
    return video, Tracked([0.0, 0.2, 0.4, 0.6, 0.8], 1.0, (32, 48), scores, video, Fraction(1))


def test_masks_have_one_bit_a_pixel(tmp_path: Path) -> None:
    mask = np.random.default_rng(0).random((77, 131)) < 0.5
    write_mask(tmp_path, 1, 7, mask)
    with Image.open(tmp_path / "masks" / "1" / "00007.png") as image:
        assert (image.mode, image.size) == ("1", (131, 77))
    np.testing.assert_array_equal(read_mask(tmp_path, 1, 7), mask)
    assert mask_file(tmp_path, 1, 7).read_bytes()[24] == 1  # bits of a sample in the header


def test_the_box_ends_behind_the_last_pixel() -> None:
    mask = np.zeros((10, 20), bool)
    assert box_of(mask) is None
    mask[3:5, 7] = True
    assert box_of(mask) == (7, 3, 8, 5)
    assert box_of(np.ones((10, 20), bool)) == (0, 0, 20, 10)


def test_the_overlay_shows_the_masks_and_the_table_measures_them(tracked, tmp_path) -> None:
    video, result = tracked
    steps = []
    glance, problem = write_overlay(
        tmp_path / "out", "a.mp4", open_frames(video), result, lambda: steps.append(1)
    )
    assert problem == "" and len(steps) == 5
    drawn, plain = open_frames(tmp_path / "out" / "overlay.mp4"), open_frames(video)
    assert drawn.times == pytest.approx(plain.times, abs=1e-3)
    change = np.abs(drawn[2].astype(int) - plain[2]).sum(axis=2)
    assert change[6:8, 12:28].min() > 60 and change[16:].max() < 40
    with (tmp_path / "out" / "scores.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 10
    last, unseen = rows[8], rows[1]
    assert {k: last[k] for k in ("frame", "time_s", "object", "predicted_iou", "area_px")} == {
        "frame": "4", "time_s": "0.8000", "object": "1", "predicted_iou": "0.7500",
        "area_px": "160",
    }  # fmt: skip
    assert [last[k] for k in ("x0", "y0", "x1", "y1")] == ["10", "4", "30", "12"]
    assert float(last["area_share"]) == pytest.approx(160 / (32 * 48), abs=1e-6)
    assert (unseen["object"], unseen["area_px"], unseen["x0"], unseen["object_score"]) == (
        "2", "0", "", "",
    )  # fmt: skip
    assert glance.times == (0.0, 0.2, 0.4, 0.6, 0.8) and glance.objects == (1, 2)
    np.testing.assert_allclose(glance.areas[0] * 32 * 48, [80, 100, 120, 140, 160], rtol=1e-5)
    assert glance.waveform is not None and glance.waveform.max() > 0.3


def test_a_long_video_is_seen_in_six_small_frames(make_video, tmp_path) -> None:
    times = [n / 10 for n in range(20)]
    video = make_video(tmp_path / "a.mp4", times, 2.0, (64, 960), sound=None)
    for index in range(20):
        write_mask(tmp_path, 1, index, np.zeros((64, 960), bool))
    result = Tracked(times, 2.0, (64, 960), {1: np.zeros((20, 2), np.float32)}, None, Fraction(1))
    glance, _ = write_overlay(tmp_path, "a.mp4", open_frames(video), result)
    assert glance.times == (0.0, 0.4, 0.8, 1.1, 1.5, 1.9)
    assert {picture.shape for picture in glance.pictures} == {(32, 480, 3)}
    assert glance.waveform is None


def test_the_json_has_every_mask_in_youtube_vis_layout(tracked, tmp_path) -> None:
    _, result = tracked
    write_rle(tmp_path / "out", "ä.mp4", result)
    found = json.loads((tmp_path / "out" / "masks.json").read_text(encoding="utf-8"))
    (video,) = found["videos"]
    assert (video["width"], video["height"], video["length"]) == (48, 32, 5)
    assert video["file_name"] == "ä.mp4" and video["times"] == [0.0, 0.2, 0.4, 0.6, 0.8]
    first, second = found["annotations"]
    assert {first["video_id"], first["category_id"]} == {1} == {found["categories"][0]["id"]}
    assert first["areas"] == [80, 100, 120, 140, 160]
    assert first["bboxes"][4] == [10, 4, 20, 8]
    assert second["segmentations"][:4] == second["areas"][:4] == second["bboxes"][:4] == [None] * 4
    for annotation in (first, second):
        for index, segmentation in enumerate(annotation["segmentations"]):
            expected = read_mask(tmp_path / "out", annotation["id"], index)
            if segmentation is not None:
                mask = decode(segmentation["counts"], *segmentation["size"])
                np.testing.assert_array_equal(mask, expected)
