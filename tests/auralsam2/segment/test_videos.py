"""Whole videos, odd ones above all, through a predictor with random weights into files."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from auralsam2.data.frame_source import open_frames
from auralsam2.data.video import read_audio_track
from auralsam2.engine.run_folder import OtherRunError
from auralsam2.predictor import AuralSAM2VideoPredictor
from auralsam2.predictor.hearing import TextError
from auralsam2.segment.one_video import Request
from auralsam2.segment.outputs import read_mask
from auralsam2.segment.prompts import PromptsError, parse_prompts
from auralsam2.segment.videos import Outcome, segment_videos

av = pytest.importorskip("av", reason="PyAV (extra 'video') is not installed")

FILES = {"overlay.mp4", "masks", "masks.json", "scores.csv", "sheet.png", "record.json"}
CLICK = parse_prompts(["0,12,8,+"], [])


@contextmanager
def no_bar(name: str):
    yield {"on_start": lambda total: None, "on_clip": lambda: None}


@pytest.fixture
def segment(predictor, tmp_path: Path) -> Callable[..., Outcome]:
    """Segment videos into ``tmp_path/out``, by default by their sound."""

    def run(*videos: Path, model: Mapping[str, str] | None = None, **request: Any) -> Outcome:
        named = {video.name: video for video in videos}
        sheet = lambda glance, path: path.write_bytes(b"sheet")  # noqa: E731
        settings = {"weights": "random"} if model is None else model
        return segment_videos(
            named, tmp_path / "out", lambda: predictor, settings, Request(**request), sheet, no_bar
        )

    return run


def facts(path: Path) -> dict[str, Any]:
    """Of an overlay: sides, times of its pictures, and where each stream ends."""
    with av.open(str(path)) as container:
        ends = {
            stream.type: float((stream.start_time + stream.duration) * stream.time_base)
            for stream in container.streams
        }
        pictures = list(container.decode(video=0))
    times = [picture.time for picture in pictures]
    return {"size": (pictures[0].height, pictures[0].width), "times": times, "ends": ends}


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "scores.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "webm", "mov"])
def test_a_video_becomes_masks_numbers_and_an_overlay_with_sound(
    segment, make_video, tmp_path: Path, suffix: str
) -> None:
    video = make_video(tmp_path / f"ä b [x].{suffix}")
    outcome = segment(video)
    assert outcome == Outcome({video.name: ""}, [], {})
    folder = tmp_path / "out" / video.name
    assert {path.name for path in folder.iterdir()} == FILES
    shown = facts(folder / "overlay.mp4")
    assert shown["times"] == pytest.approx([0, 0.2, 0.4, 0.6, 0.8], abs=0.002)
    assert shown["ends"] == pytest.approx({"video": 1.0, "audio": 1.0}, abs=0.03)
    assert shown["ends"]["video"] == pytest.approx(shown["ends"]["audio"], abs=0.001)
    assert len(rows(folder)) == 5 and len(list(folder.glob("masks/1/*.png"))) == 5
    assert all(0 <= float(row["predicted_iou"]) <= 1 for row in rows(folder))
    assert read_mask(folder, 1, 4).shape == (64, 96)


def test_the_sound_is_the_source_s(segment, make_video, tmp_path: Path) -> None:
    video = make_video(tmp_path / "a.mp4", sound=(0.3, 0.7))  # late, and over early
    segment(video)
    samples, rate = read_audio_track(tmp_path / "out" / "a.mp4" / "overlay.mp4")
    loud = np.flatnonzero(np.abs(samples[:, 0]) > 0.1) / rate
    assert loud[0] == pytest.approx(0.3, abs=0.03) and loud[-1] == pytest.approx(0.7, abs=0.03)
    ends = facts(tmp_path / "out" / "a.mp4" / "overlay.mp4")["ends"]
    assert ends == pytest.approx({"video": 1.0, "audio": 1.0}, abs=0.001)


def test_other_sound_is_heard_and_written(segment, make_video, tmp_path: Path) -> None:
    video = make_video(tmp_path / "a.mp4", sound=None)
    audio = make_video(tmp_path / "b.wav", sound=(0.0, 0.5), rate=16_000, layout="mono")
    assert segment(video, audio=audio).written == {"a.mp4": ""}
    samples, rate = read_audio_track(tmp_path / "out" / "a.mp4" / "overlay.mp4")
    assert (rate, samples.shape[1]) == (16_000, 1)
    assert np.abs(samples[rate // 4]).max() < 0.5 < np.abs(samples[: rate // 2]).max() + 0.2


@pytest.mark.parametrize(
    ("rotation", "corner"), [(90, "left bottom"), (-90, "right top"), (180, "right bottom")]
)
def test_a_video_filmed_on_its_side_is_upright_everywhere(
    segment, make_video, tmp_path: Path, rotation: float, corner: str
) -> None:
    video = make_video(tmp_path / "a.mp4", rotation=rotation)
    segment(video)
    folder = tmp_path / "out" / "a.mp4"
    size = (64, 96) if rotation == 180 else (96, 64)
    assert facts(folder / "overlay.mp4")["size"] == size == read_mask(folder, 1, 0).shape
    frame = open_frames(folder / "overlay.mp4")[0].mean(axis=2)
    down, across = frame.shape[0] // 8, frame.shape[1] // 8
    bright = {
        f"{x} {y}": float(frame[rows_][:, columns].mean())
        for y, rows_ in (("top", slice(0, down)), ("bottom", slice(-down, None)))
        for x, columns in (("left", slice(0, across)), ("right", slice(-across, None)))
    }
    assert max(bright, key=lambda place: bright[place]) == corner


@pytest.mark.parametrize(("rotation", "shown"), [(0, Fraction(4, 3)), (90, Fraction(3, 4))])
def test_pixels_that_are_not_square_are_shown_as_they_were(
    segment, make_video, tmp_path: Path, rotation: float, shown: Fraction
) -> None:
    segment(make_video(tmp_path / "a.mp4", rotation=rotation, pixel=Fraction(4, 3)))
    with av.open(str(tmp_path / "out" / "a.mp4" / "overlay.mp4")) as overlay:
        assert overlay.streams.video[0].sample_aspect_ratio == shown


def test_pictures_at_varying_times_keep_them(segment, make_video, tmp_path: Path) -> None:
    times = (0.0, 0.05, 0.5, 0.52, 1.6)
    segment(make_video(tmp_path / "a.mp4", times, 2.0, sound=(0.0, 2.0)))
    shown = facts(tmp_path / "out" / "a.mp4" / "overlay.mp4")
    assert shown["times"] == pytest.approx(times, abs=0.001)
    assert shown["ends"]["video"] == pytest.approx(shown["ends"]["audio"], abs=0.001)


def test_729_pictures_a_second_and_one_channel(segment, make_video, tmp_path: Path) -> None:
    times = [number / 7.29 for number in range(9)]
    video = make_video(
        tmp_path / "a.mp4", times, 9 / 7.29, sound=(0, 9 / 7.29), rate=22_050, layout="mono"
    )
    segment(video)
    shown = facts(tmp_path / "out" / "a.mp4" / "overlay.mp4")
    assert shown["times"] == pytest.approx(times, abs=0.001)
    assert shown["ends"] == pytest.approx({"video": 9 / 7.29, "audio": 9 / 7.29}, abs=0.002)


def test_fewer_frames_a_second_are_shown_as_they_were_segmented(
    segment, make_video, tmp_path: Path
) -> None:
    times = [number / 10 for number in range(20)]
    segment(make_video(tmp_path / "a.mp4", times, 2.0, sound=(0.0, 2.0)), fps=2.0)
    folder = tmp_path / "out" / "a.mp4"
    shown = facts(folder / "overlay.mp4")
    assert shown["times"] == pytest.approx([0, 0.5, 1.0, 1.5], abs=0.001)
    assert shown["ends"] == pytest.approx({"video": 2.0, "audio": 2.0}, abs=0.001)
    assert [row["time_s"] for row in rows(folder)] == ["0.0000", "0.5000", "1.0000", "1.5000"]


@pytest.mark.parametrize(
    ("times", "end", "size"),
    [((0.0,), 0.04, (64, 96)), ((0.0, 0.5), 1.0, (77, 131)), ((0.0,), 0.5, (2160, 3840))],
    ids=["one frame", "odd sides", "4K"],
)
def test_sizes_and_lengths(segment, make_video, tmp_path: Path, times, end, size) -> None:
    assert segment(make_video(tmp_path / "a.mp4", times, end, size)).failures == {}
    folder = tmp_path / "out" / "a.mp4"
    shown = facts(folder / "overlay.mp4")
    assert shown["size"] == tuple(side + side % 2 for side in size)
    assert len(shown["times"]) == len(times)
    assert shown["ends"] == pytest.approx({"video": end, "audio": end}, abs=0.001)
    assert read_mask(folder, 1, len(times) - 1).shape == size


def test_without_sound_clicks_say_what_to_segment(segment, make_video, tmp_path: Path) -> None:
    video = make_video(tmp_path / "a.mp4", sound=None)
    outcome = segment(video)
    (problem,) = outcome.failures.values()
    assert "no audio track" in problem and "--audio FILE" in problem and "--click" in problem
    assert list((tmp_path / "out").iterdir()) == []
    clicks = parse_prompts(["0.4,12,8,+", "0.4,80,50,-"], ["0.6,2,2,22,14,2"])
    outcome = segment(video, prompts=clicks)
    assert "no audio track" in outcome.written["a.mp4"]
    folder = tmp_path / "out" / "a.mp4"
    assert facts(folder / "overlay.mp4")["ends"] == {"video": pytest.approx(1.0, abs=0.001)}
    assert {row["object"] for row in rows(folder)} == {"1", "2"}
    assert len(rows(folder)) == 10, "both ways from the first click"
    for index in range(5):
        mask = read_mask(folder, 1, index)
        assert mask[2:14, 2:22].mean() > 0.7 and mask[:, 40:].mean() < 0.2, "the white corner"


def test_a_click_corrects_what_the_sound_says(segment, make_video, tmp_path: Path) -> None:
    video = make_video(tmp_path / "a.mp4")
    segment(video)
    before = read_mask(tmp_path / "out" / "a.mp4", 1, 4)
    (tmp_path / "b").mkdir()
    video = video.rename(tmp_path / "b" / "b.mp4")
    segment(video, prompts=CLICK)
    assert (read_mask(tmp_path / "out" / "b.mp4", 1, 4) != before).any()


@pytest.mark.parametrize(
    ("clicks", "sound"),
    [([], (0.0, 1.0)), (["0.4,12,8,+"], (0.0, 1.0)), (["0.4,12,8,+"], None)],
    ids=["sound", "both", "clicks, both ways"],
)
def test_every_frame_is_encoded_once_and_then_forgotten(
    segment, predictor, make_video, tmp_path: Path, monkeypatch, clicks, sound
) -> None:
    calls, states = [], []
    hook = predictor.image_encoder.register_forward_hook(lambda *_: calls.append(1))
    monkeypatch.setattr(predictor, "close", states.append)
    segment(make_video(tmp_path / "a.mp4", sound=sound), prompts=parse_prompts(clicks, []))
    hook.remove()
    assert len(calls) == 5
    (state,) = states
    assert not any(("features", frame) in state["kept"] for frame in range(5))
    AuralSAM2VideoPredictor.close(predictor, state)


def test_prompts_outside_are_the_command_s_fault(segment, make_video, tmp_path: Path) -> None:
    video = make_video(tmp_path / "a.mp4")
    wrong = parse_prompts(["3,1,1,+", "0,200,1,+"], ["0,0,0,10,90"])
    with pytest.raises(PromptsError) as caught:
        segment(video, prompts=wrong)
    assert len(caught.value.problems) == 3
    assert list((tmp_path / "out").iterdir()) == []


def cut(video: Path, share: float) -> Path:
    content = video.read_bytes()
    video.write_bytes(content[: int(share * len(content))])
    return video


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "webm"])
def test_what_is_there_of_a_video_that_breaks_off_is_segmented(
    segment, make_video, tmp_path: Path, suffix: str
) -> None:
    times = [number / 5 for number in range(20)]
    index_first = suffix == "mp4"
    whole = make_video(
        tmp_path / f"a.{suffix}", times, 4.0, sound=(0.0, 4.0), fast_start=index_first
    )
    outcome = segment(cut(whole, 0.6 if index_first else 0.5))
    problem = outcome.failures[whole.name]
    assert "its pictures end at" in problem and "states 4.00 s" in problem
    folder = tmp_path / "out" / f"{whole.name}.partial"
    assert str(folder) in problem and not folder.with_name(whole.name).exists()
    assert {path.name for path in folder.iterdir()} == FILES
    shown = facts(folder / "overlay.mp4")
    assert 0 < len(shown["times"]) < 20 and len(rows(folder)) == len(shown["times"])
    assert json.loads((folder / "record.json").read_text())["status"] == "cut short"


def test_a_name_that_is_no_text_is_one_like_others(segment, make_video, tmp_path: Path) -> None:
    plain = make_video(tmp_path / "a.mp4", (0.0, 0.5))
    odd = tmp_path / os.fsdecode(b"\xff.mp4")
    plain.rename(odd)
    outcome = segment(odd)
    assert outcome == Outcome({odd.name: ""}, [], {})
    assert (tmp_path / "out" / odd.name / "overlay.mp4").stat().st_size > 1000


def test_one_file_that_cannot_be_read_stops_no_other(segment, make_video, tmp_path: Path) -> None:
    broken = cut(make_video(tmp_path / "broken.mp4"), 0.5)
    alone = make_video(tmp_path / "alone.wav")
    (tmp_path / "text.mp4").write_text("no video at all")
    (tmp_path / "empty.mp4").touch()
    good = make_video(tmp_path / "good.mp4", (0.0, 0.5))
    outcome = segment(broken, alone, tmp_path / "text.mp4", tmp_path / "empty.mp4", good)
    assert outcome.written == {"good.mp4": ""}
    assert set(outcome.failures) == {"broken.mp4", "alone.wav", "text.mp4", "empty.mp4"}
    assert "has no video track" in outcome.failures["alone.wav"]
    for name in ("broken.mp4", "text.mp4", "empty.mp4"):
        assert f"cannot decode '{tmp_path / name}'" in outcome.failures[name]
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"good.mp4"}


def test_a_cover_is_no_video(segment, make_video, tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as container:
        track = container.add_stream("aac", rate=16_000, layout="mono")
        cover = container.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt = 32, 32, "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        container.mux(cover.encode(av.VideoFrame(32, 32, "yuvj420p")))
        container.mux(cover.encode(None))
        block = av.AudioFrame.from_ndarray(np.zeros((1, 16_000), np.float32), "fltp", "mono")
        block.sample_rate = 16_000
        container.mux(track.encode(block))
        container.mux(track.encode(None))
    assert "has no video track" in segment(path).failures["a.mp4"]


def test_a_header_that_states_a_huge_length_takes_no_memory(
    segment, make_video, tmp_path: Path
) -> None:
    video = make_video(tmp_path / "a.mkv", sound=None)
    content = video.read_bytes()
    assert content.count(b"00:00:01.0") == 1
    video.write_bytes(content.replace(b"00:00:01.0", b"99:59:59.0"))
    outcome = segment(video, prompts=CLICK)
    assert "its pictures end at 1.00 s" in outcome.failures["a.mkv"]
    folder = tmp_path / "out" / "a.mkv.partial"
    assert facts(folder / "overlay.mp4")["ends"] == {"video": pytest.approx(1.0, abs=0.001)}


def test_done_videos_are_skipped_and_the_rest_is_done(segment, make_video, tmp_path) -> None:
    first, second = (make_video(tmp_path / name, (0.0, 0.5)) for name in ("a.mp4", "b.mp4"))
    segment(first)
    made = (tmp_path / "out" / "a.mp4" / "record.json").stat().st_mtime_ns
    assert segment(first, second) == Outcome({"b.mp4": ""}, ["a.mp4"], {})
    assert (tmp_path / "out" / "a.mp4" / "record.json").stat().st_mtime_ns == made


def test_a_stopped_video_is_done_again(segment, predictor, make_video, tmp_path, monkeypatch):
    video = make_video(tmp_path / "a.mp4", (0.0, 0.3, 0.6))
    propagate = predictor.propagate_in_video

    def stopped(*arguments: Any, **named: Any):
        yield next(iter(propagate(*arguments, **named)))
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(predictor, "propagate_in_video", stopped)
        segment(video)
    partial = tmp_path / "out" / "a.mp4.partial"
    assert len(list(partial.glob("masks/1/*.png"))) == 1
    assert segment(video).written == {"a.mp4": ""}
    assert not partial.exists()


def test_two_processes_share_a_folder_without_harm(
    segment, predictor, make_video, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (make_video(tmp_path / name, (0.0, 0.5)) for name in ("a.mp4", "b.mp4"))
    propagate, others = predictor.propagate_in_video, []

    def meanwhile(*arguments: Any, **named: Any):
        if not others:  # while the first one writes a.mp4
            others.append(None)
            others[0] = segment(first, second)
        return propagate(*arguments, **named)

    monkeypatch.setattr(predictor, "propagate_in_video", meanwhile)
    outcome = segment(first, second)
    assert outcome == Outcome({"a.mp4": ""}, ["b.mp4"], {})
    assert others[0].written == {"b.mp4": ""}
    assert "another process writes" in others[0].failures["a.mp4"]
    for name in ("a.mp4", "b.mp4"):
        assert {path.name for path in (tmp_path / "out" / name).iterdir()} == FILES


def test_a_text_that_nobody_reads_is_the_command_s_fault(segment, make_video, tmp_path) -> None:
    with pytest.raises(TextError, match="reads no text, got text='a cat'"):
        segment(make_video(tmp_path / "a.mp4"), text="a cat")
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("what", ["weights", "prompts", "video", "fps"])
def test_other_settings_are_refused_with_the_ways_out(
    segment, make_video, tmp_path: Path, what: str
) -> None:
    video = make_video(tmp_path / "a.mp4", (0.0, 0.5))
    segment(video)
    other: dict[str, Any] = {
        "weights": {"model": {"weights": "others"}},
        "prompts": {"prompts": CLICK},
        "video": {},
        "fps": {"fps": 1.0},
    }[what]
    if what == "video":
        make_video(video, (0.0, 0.6))
    with pytest.raises(OtherRunError) as caught:
        segment(video, make_video(tmp_path / "b.mp4"), **other)
    told = str(caught.value)
    assert what in told and "--out" in told and "delete" in told
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"a.mp4"}


def test_empty_folders_are_free(segment, make_video, tmp_path: Path) -> None:
    for name in ("a.mp4", "a.mp4.partial"):
        (tmp_path / "out" / name).mkdir(parents=True)
    assert segment(make_video(tmp_path / "a.mp4", (0.0, 0.5))).written == {"a.mp4": ""}
    assert {path.name for path in (tmp_path / "out" / "a.mp4").iterdir()} == FILES


def test_a_folder_of_somebody_else_s_is_left_alone(segment, make_video, tmp_path: Path) -> None:
    theirs = tmp_path / "out" / "a.mp4.partial" / "thesis.tex"
    theirs.parent.mkdir(parents=True)
    theirs.touch()
    with pytest.raises(OtherRunError, match=r"record\.json"):
        segment(make_video(tmp_path / "a.mp4", (0.0, 0.5)))
    assert theirs.exists()


def test_memory_that_runs_out_is_one_video_s_failure(
    segment, predictor, make_video, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB")

    monkeypatch.setattr(predictor, "propagate_in_video", fail)
    outcome = segment(make_video(tmp_path / "a.mp4", (0.0, 0.5)))
    assert "out of memory" in outcome.failures["a.mp4"]


def test_bugs_are_not_a_video_s_failure(
    segment, predictor, make_video, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("shapes do not match")

    monkeypatch.setattr(predictor, "propagate_in_video", fail)
    with pytest.raises(RuntimeError, match="shapes"):
        segment(make_video(tmp_path / "a.mp4", (0.0, 0.5)))
