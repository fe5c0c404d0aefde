"""Labels of tiny drawn clips: read from the data, kept, read back where these are gone."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from analysis.clips.labels import COLUMNS, ClipLabels, clip_labels
from analysis.runs.results import Results, load_runs
from auralsam2 import config as configs
from auralsam2.data.synthetic.writer import Plan, write_clips


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("labels") / "clips"
    write_clips(root, Plan("v1m", (2, 1, 4), seed=3, size=48, num_frames=3))
    return root


def drawn(root: Path) -> dict[str, dict]:
    content = json.loads((root / "synthetic.json").read_text())
    return {clip["uid"]: clip for clip in content["clips"]}


@pytest.fixture
def results(
    exact: Callable[..., Path], data: Path, tmp_path: Path, tiny_model: dict[str, object]
) -> Results:
    """Two cells; only the second one's run knows where the data lie."""
    clips = [uid for uid, clip in drawn(data).items() if clip["split"] == "test"]
    scores = dict.fromkeys(clips, 0.5)
    folder = exact({("a", 0): scores, ("b", 0): scores})
    for number, root in enumerate(("/nowhere", str(data))):
        cfg = configs.load("auralsam2/mini_v1m", tiny_model | {"data.root": root})
        configs.dump(cfg, folder / f"runs/{number}" / "config.py")
    return load_runs(folder)


def test_what_labels_and_drawn_objects_say(results: Results, data: Path) -> None:
    found, lost = clip_labels(results, ("a", "b"), ["test"])
    assert lost == [] and list(found) == ["test"]
    frame = found["test"]
    assert tuple(frame) == COLUMNS
    clips = drawn(data)
    trained = {
        name
        for clip in clips.values()
        if clip["split"] == "train"
        for name, *sounds in zip(clip["objects"], *clip["sounding"], strict=True)
        if any(sounds)
    }
    for row in frame.to_dict("records"):
        clip = clips[row["clip"]]
        paths = sorted((data / "v1m" / row["clip"] / "labels_rgb").glob("*.png"))
        areas = np.array([(cv2.imread(str(path)).max(2) > 0).mean() for path in paths])
        assert len(paths) == 3 and row["empty"] == pytest.approx((areas == 0).mean())
        if areas.any():
            assert row["size"] == pytest.approx(areas[areas > 0].mean(), abs=1e-6)
        else:
            assert np.isnan(row["size"])
        rows = zip(clip["objects"], *clip["sounding"], strict=True)
        assert row["classes"] == sorted(name for name, *sounds in rows if any(sounds))
        assert row["seen"] == (set(row["classes"]) <= trained)


def test_what_is_kept_needs_no_data_and_what_is_gone_is_said(
    results: Results, data: Path, tmp_path: Path
) -> None:
    before, _ = clip_labels(results, ("b",), ["test"])
    gone = tmp_path / "moved"
    shutil.move(data, gone)
    try:
        after, lost = clip_labels(results, ("b", "a"), ["test"])
        pd.testing.assert_frame_equal(after["test"], before["test"], check_dtype=False)
        assert lost == []
        found, (why,) = clip_labels(results, ("a",), ["test"])
        assert found == {} and why.startswith("nothing is known of the clips of test: ")
        assert "nowhere" in why
        moved, _ = clip_labels(results, ("a",), ["test"], {"data.root": str(gone)})
        pd.testing.assert_frame_equal(moved["test"], before["test"])
    finally:
        shutil.move(gone, data)


def test_other_data_are_refused(results: Results) -> None:
    record = results.runs["run_dir"][1]
    path = Path(record) / "record.json"
    path.write_text(path.read_text().replace('"clip": "clip', '"clip": "other'))
    found, (why,) = clip_labels(results, ("b",), ["test"])
    assert found == {} and "these are other data than the run was tested on" in why


def test_data_that_tell_no_classes(results: Results, data: Path) -> None:
    held = data / "synthetic.json"
    moved = held.rename(held.with_suffix(".away"))
    try:
        frame = ClipLabels().measure(Path(results.runs["run_dir"][1]), {})
        index = pd.read_csv(data / "avss_index" / "metadata.csv").set_index("uid")
        for row in frame.to_dict("records"):
            assert row["classes"] == sorted(index.loc[row["clip"], "a_obj"].split("_"))
    finally:
        moved.rename(held)
