from __future__ import annotations

import csv
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from auralsam2.data.checking.check import check_data
from auralsam2.data.checking.findings import KINDS, WARNING
from auralsam2.data.checking.plan import LAYOUTS as CHECKED
from auralsam2.data.datasets.avsbench import AVSBenchDataset
from auralsam2.data.synthetic import layout
from auralsam2.data.synthetic.avsbench_layouts import class_colour
from auralsam2.data.synthetic.objects import CLASSES
from auralsam2.data.synthetic.scene import render, sample_scene
from auralsam2.data.synthetic.writer import Plan, layout_of, write_clips

from .conftest import PLANS

PLAN = PLANS["v1m"]
EVERY = pytest.mark.parametrize("name", PLANS)


def contents(root: Path) -> dict[str, bytes]:
    files = (path for path in root.rglob("*") if path.is_file())
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def root(written) -> Path:
    return written("v1m")


def interrupt_after(root: Path, num_clips: int, plan: Plan = PLAN) -> None:
    seen = []

    def stop() -> None:
        seen.append(1)
        if len(seen) == num_clips:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_clips(root, plan, on_clip=stop)


@EVERY
def test_the_number_of_workers_changes_no_byte(written, name: str, tmp_path: Path) -> None:
    ticks, plan = [], PLANS[name]
    root = written(name)
    assert write_clips(tmp_path / "two", plan, workers=2, on_clip=lambda: ticks.append(1))
    assert len(ticks) == sum(plan.counts)
    assert contents(tmp_path / "two") == contents(root)


@pytest.mark.parametrize("name", [name for name in PLANS if name in CHECKED])
def test_check_data_finds_nothing(written, name: str) -> None:
    report = check_data(name, written(name))
    assert report.healthy, report.to_text()
    assert not {kind for kind in report.groups if KINDS[kind].level == WARNING}


def test_a_clip_hangs_on_seed_and_number_alone(root: Path, tmp_path: Path) -> None:
    write_clips(tmp_path / "more", PLAN._replace(counts=(4, 1, 1)))
    more = contents(tmp_path / "more")
    for name, content in contents(root).items():
        if name.startswith("v1m/"):
            assert more[name] == content


def test_an_interrupted_folder_is_completed(root: Path, tmp_path: Path) -> None:
    path = tmp_path / "resumed"
    interrupt_after(path, 2)
    assert not (path / "synthetic.json").exists() and not (path / "avss_index").exists()
    assert len(list((path / "v1m").iterdir())) == 2
    kept = {f: f.stat().st_mtime_ns for f in (path / "v1m").rglob("*.jpg")}
    assert write_clips(path, PLAN)
    assert contents(path) == contents(root)
    assert kept == {f: f.stat().st_mtime_ns for f in kept}


@EVERY
def test_half_a_clip_of_a_killed_process_is_written_anew(
    written, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, root, drawn = tmp_path / "killed", written(name), layout_of(PLANS[name])
    interrupt_after(path, 2, PLANS[name])
    # In a container the next process often has the killed one's number.
    monkeypatch.setattr(layout.os, "getpid", lambda: 7)
    whole = drawn.clip_folder(path, drawn.truth(1, drawn.scene(1)))
    half = whole.rename(whole.with_name(f".{whole.name}.7"))
    (half / "9.jpg").write_bytes(b"half")
    assert write_clips(path, PLANS[name])
    assert contents(path) == contents(root)


def test_a_complete_folder_is_left_alone(root: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in root.rglob("*")}
    assert not write_clips(root, PLAN)
    assert before == {path: path.stat().st_mtime_ns for path in root.rglob("*")}


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        ({"seed": 9}, "seed 8 instead of 9"),
        ({"size": 48, "num_frames": 4}, "size 32 instead of 48, num_frames 5 instead of 4"),
        ({"counts": (3, 1, 1)}, r"counts \[2, 1, 1\] instead of \[3, 1, 1\]"),
    ],
)
def test_other_settings_are_refused(root: Path, change: dict, shown: str) -> None:
    with pytest.raises(FileExistsError, match=f"other settings: {shown}; choose another"):
        write_clips(root, PLAN._replace(**change))


def test_other_settings_are_refused_before_the_end_too(tmp_path: Path) -> None:
    interrupt_after(tmp_path / "half", 1)
    with pytest.raises(FileExistsError, match="seed 8 instead of 9"):
        write_clips(tmp_path / "half", PLAN._replace(seed=9))


def test_a_folder_of_other_things_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(FileExistsError, match="holds no synthetic clips"):
        write_clips(tmp_path, PLAN)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.tex"]


def test_labels_show_what_sounds_and_is_seen(root: Path) -> None:
    seen = 0
    for index in range(4):
        scene = sample_scene(np.random.default_rng([8, index]))
        masks = render(scene, 32)[1]
        for t in range(5):
            path = root / "v1m" / f"clip{index:05d}_s8" / "labels_rgb" / f"{t}.png"
            label = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
            union = masks[t][scene.sounding[t]].any(axis=0)
            np.testing.assert_array_equal(label.any(axis=2), union)
            for n in np.flatnonzero(scene.sounding[t]):
                colour = class_colour(scene.objects[n].class_index)
                assert (label[masks[t, n]] == colour).all()
            seen += union.sum()
    assert seen > 0


def test_class_colours_are_distinct_and_never_black() -> None:
    colours = {class_colour(index) for index in range(len(CLASSES))}
    assert len(colours) == len(CLASSES) and (0, 0, 0) not in colours
    assert all(0 <= channel <= 255 for colour in colours for channel in colour)


def test_index_and_truth_tell_what_sounds(root: Path) -> None:
    with open(root / "avss_index" / "metadata.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    truth = json.loads((root / "synthetic.json").read_text())
    assert truth["settings"] == PLAN.settings()
    assert [row["split"] for row in rows] == ["train", "train", "val", "test"]
    for row, clip in zip(rows, truth["clips"]):
        assert row["uid"] == clip["uid"] and row["label"] == "v1m"
        sounds = np.array(clip["sounding"], bool).any(axis=0)
        assert set(row["a_obj"].split("_")) == set(np.array(clip["objects"])[sounds])
    dataset = AVSBenchDataset(str(root), image_size=32)
    assert [c.sources for c in dataset.files] == [
        frozenset(row["a_obj"].split("_")) for row in rows[:2]
    ]


def test_the_layout_is_that_of_the_benchmark(root: Path, photographs: Path) -> None:
    def header(path: Path) -> str:
        return (path / "avss_index" / "metadata.csv").read_text().splitlines()[0]

    def clip_files(path: Path) -> set[str]:
        clip = sorted(p for p in (path / "v1m").iterdir())[0]
        return set(contents(clip))

    assert header(root) == header(photographs / "AVSBench")
    # Colour masks per class belong to the semantic task, which reads no V1M clip.
    expected = clip_files(photographs / "AVSBench")
    assert clip_files(root) == {f for f in expected if not f.startswith("labels_semantic/")}
