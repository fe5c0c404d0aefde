"""The check as a whole: synthetic clips, real photographs, and what a report says."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

from auralsam2.data.checking.check import check_data, summarise, summary_to_text
from auralsam2.data.checking.clips import ClipFacts, SoundFacts
from auralsam2.data.checking.plan import LAYOUTS

from ..trees import TREES


def test_synthetic_clips_are_healthy(tiny_root: Path, places: Callable) -> None:
    heard: list[int] = []
    report = check_data(
        "v1m", tiny_root, on_start=heard.append, on_clip=lambda: heard.append(heard[-1] - 1)
    )
    assert report.healthy and places(report) == {}
    assert report.counts == {"v1m/train": 3, "v1m/val": 2, "v1m/test": 4}
    assert (report.summary["frames"], report.summary["seconds"]) == (45, 45.0)
    assert report.summary["silent_share"] == _silent_share(tiny_root)
    assert heard == [*range(9, -1, -1)]


def _silent_share(root: Path) -> float:
    """As many frames as no object sounds in, by what the clips were drawn from."""
    clips = json.loads((root / "synthetic.json").read_text())["clips"]
    frames = [any(sounding) for clip in clips for sounding in clip["sounding"]]
    return round(frames.count(False) / len(frames), 4)


def test_reports_say_whether_the_tree_is_healthy(own_root: Path) -> None:
    assert check_data("v1m", own_root).to_text().splitlines()[-1] == "healthy"
    (own_root / "v1m" / "clip00000_s5" / "audio.wav").unlink()
    report = check_data("v1m", own_root)
    assert report.to_text().splitlines()[-1] == "1 fault(s)"
    assert "missing_audio, 1" in report.to_text()
    content = json.loads(json.dumps(report.to_json()))
    assert content["healthy"] is False
    assert (
        content["findings"]["missing_audio"]["places"][0]["where"] == "v1m/clip00000_s5/audio.wav"
    )


@pytest.mark.parametrize(
    ("layout", "folder", "clips", "frames"),
    [
        ("v1s", "AVSBench", 8, 40),
        ("v1m", "AVSBench", 80, 400),
        ("v2", "AVSBench", 6, 60),
        ("ref_avs", "REFAVS", 10, 100),
    ],
)
def test_real_photographs_are_healthy(
    photographs: Path, places: Callable, layout: str, folder: str, clips: int, frames: int
) -> None:
    report = check_data(layout, photographs / folder)
    assert report.healthy
    assert set(places(report)) <= {"stray_row"}
    assert (report.summary["clips"], report.summary["frames"]) == (clips, frames)


@pytest.mark.parametrize("layout", TREES)
def test_fingerprints_are_those_of_the_data_sets(tmp_path: Path, layout: str) -> None:
    tree = TREES[layout](tmp_path)
    # Of several forms of sound a check takes the first.
    settings = {"audio": "log_mel"} if "audio" in tree.node else {}
    assert tree.check().fingerprints == {tree.split_name: tree.read(**settings).fingerprint()}


@pytest.mark.parametrize("layout", TREES)
def test_clips_of_every_layout_can_be_handed_to_workers(tmp_path: Path, layout: str) -> None:
    tree = TREES[layout](tmp_path)
    (tmp_path / "label2idx.json").unlink(missing_ok=True)
    tasks = LAYOUTS[tree.layout](tree.root).tasks
    assert len(tasks) == 3 and pickle.loads(pickle.dumps(tasks)) == tasks


def facts(areas: list[float], num_frames: int = 5, seconds: float | None = 5.0) -> ClipFacts:
    sound = SoundFacts(seconds, 16_000, False) if seconds else None
    return ClipFacts([], {}, num_frames, (24, 32), sound, areas)


def test_totals_and_histogram() -> None:
    summary = summarise([facts([0.0, 0.01, 0.02]), facts([0.3, 1.0], 10, None)])
    assert (summary["clips"], summary["frames"], summary["seconds"]) == (2, 15, 5.0)
    assert (summary["labels"], summary["silent_labels"], summary["silent_share"]) == (5, 1, 0.2)
    assert summary["areas"] == {
        "0-1 %": 1,
        "1-5 %": 1,
        "5-10 %": 0,
        "10-25 %": 0,
        "25-50 %": 1,
        "50-100 %": 1,
    }
    assert summary["frames_per_clip"] == {"10": 1, "5": 1}
    assert summary["sample_rates"] == {"16000": 1}
    text = "\n".join(summary_to_text(summary))
    assert "clips: 2, frames: 15, sound: 5.0 s, labels: 5, of which 20.0 % show nothing" in text


def test_nothing_at_all_can_be_summed_up() -> None:
    summary = summarise([])
    assert summary["silent_share"] is None and summary["clips"] == 0
    assert summary_to_text(summary)[0].endswith("labels: 0")
