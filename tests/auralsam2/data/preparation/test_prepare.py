from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from auralsam2.data.audio import log_mel_examples, read_waveform
from auralsam2.data.images import read_image
from auralsam2.data.preparation import prepare as preparing
from auralsam2.data.preparation.prepare import Job, extract, prepare

from ..trees import video_numbers

HEADER = "vid,uid,s_min,s_sec,a_obj,split,label\n"


@pytest.fixture
def videos(write_video, tmp_path: Path) -> Path:
    """One clip of its own, one whole recording, one that is too short, one that is none."""
    folder = tmp_path / "videos"
    write_video(folder / "cut_1.mp4")
    write_video(folder / "below" / "whole.mkv", seconds=7)
    write_video(folder / "short.mp4", seconds=2)
    (folder / "text.mp4").write_text("no video")
    return folder


@pytest.fixture
def index(tmp_path: Path) -> Path:
    rows = ["cut,cut_1,0,30", "whole,whole_2,0,2", "short,short,0,0", "text,text,0,0", "x,gone,0,0"]
    path = tmp_path / "metadata.csv"
    path.write_text(HEADER + "".join(f"{row},dog,train,v1m\n" for row in rows))
    return path


def test_one_bad_video_does_not_stop_the_others(videos: Path, index: Path, tmp_path: Path) -> None:
    out, started, seen = tmp_path / "out", [], []
    done = prepare(
        videos, out, "v1m", index, on_start=started.append, on_clip=lambda: seen.append(1)
    )
    assert done.written == ["cut_1", "whole_2"] and done.skipped == []
    assert list(done.failures) == ["short", "text", "gone"]
    assert "its pictures end at 1.90 s" in done.failures["short"]
    assert "cannot decode" in done.failures["text"]
    assert done.failures["gone"] == "no video named 'gone' or 'x'"
    assert started == [4] and len(seen) == 4
    assert sorted(path.name for path in out.iterdir()) == ["avss_index", "v1m"]
    assert sorted(path.name for path in (out / "v1m").iterdir()) == ["cut_1", "whole_2"]
    assert (out / "avss_index" / "metadata.csv").read_text() == index.read_text()


def test_a_second_call_does_only_what_is_left(videos, index, write_video, tmp_path) -> None:
    prepare(videos, tmp_path / "out", "v1m", index)
    write_video(videos / "gone.mp4")
    again = prepare(videos, tmp_path / "out", "v1m", index, workers=2)
    assert again.written == ["gone"] and again.skipped == ["cut_1", "whole_2"]
    assert list(again.failures) == ["short", "text"]


def test_without_an_index_every_video_is_a_clip(videos: Path, tmp_path: Path) -> None:
    done = prepare(videos, tmp_path / "out", "v1s", workers=1)
    assert done.written == ["cut_1", "whole"] and list(done.failures) == ["short", "text"]
    assert not (tmp_path / "out" / "avss_index").exists()


def test_a_name_that_may_mean_two_things_is_asked_about(write_video, tmp_path: Path) -> None:
    write_video(tmp_path / "videos" / "a.mp4", seconds=7)
    index = tmp_path / "metadata.csv"
    index.write_text(HEADER + "a,a,0,1,dog,train,v1m\n")
    arguments = (tmp_path / "videos", tmp_path / "out", "v1m", index)
    done = prepare(*arguments)
    assert "state --named uid" in done.failures["a"] and "at 1 s of it" in done.failures["a"]
    assert prepare(*arguments, named="vid").written == ["a"]


def test_two_videos_of_one_name_are_told(write_video, tmp_path: Path) -> None:
    for suffix in ("mp4", "mkv"):
        write_video(tmp_path / "videos" / f"a.{suffix}")
    done = prepare(tmp_path / "videos", tmp_path / "out", "v1m")
    assert "more than one video of that name" in done.failures["a"]


def test_a_folder_without_videos_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no folder of videos at"):
        prepare(tmp_path / "gone", tmp_path / "out", "v1m")
    (tmp_path / "videos").mkdir()
    with pytest.raises(FileNotFoundError, match="no video in .*known endings: avi"):
        prepare(tmp_path / "videos", tmp_path / "out", "v1m")


@pytest.fixture
def job(write_video, tmp_path: Path) -> Job:
    video = write_video(tmp_path / "videos" / "a.mp4")
    return Job("a", video, 0.0, tmp_path / "out" / "a", tmp_path / "out" / ".scratch" / "a")


def numbers(job: Job, count: int = 5) -> list[int]:
    """Which pictures the frames are."""
    return video_numbers(read_image(job.target / "frames" / f"{t}.jpg") for t in range(count))


@pytest.mark.parametrize(
    ("frames_at", "expected"),
    [("end", [9, 19, 29, 39, 49]), ("middle", [5, 15, 25, 35, 45]), ("start", [0, 10, 20, 30, 40])],
)
def test_frames_are_one_a_second(job: Job, frames_at: str, expected: list[int]) -> None:
    assert extract(job, 5, frames_at) is True
    assert numbers(job) == expected
    assert sorted(path.name for path in job.target.iterdir()) == ["audio.wav", "frames"]
    assert not job.scratch.exists()


def test_sound_is_as_long_as_the_frames_and_in_step_with_them(job: Job) -> None:
    extract(job, 5)
    facts = soundfile.info(job.target / "audio.wav")
    assert (facts.samplerate, facts.channels, facts.subtype) == (22_050, 2, "PCM_16")
    assert facts.frames == 5 * 22_050
    examples = log_mel_examples(*read_waveform(job.target / "audio.wav"), 5)
    loud = examples.max(axis=(1, 2, 3)) > 0
    np.testing.assert_array_equal(loud, [False, True, True, True, True])


def test_a_clip_may_lie_inside_of_a_recording(job: Job) -> None:
    extract(job._replace(start=2.0), 3)
    assert numbers(job, 3) == [29, 39, 49]
    samples, rate = read_waveform(job.target / "audio.wav")
    assert len(samples) == 3 * rate and np.abs(samples[:1000]).max() > 0.3


def test_what_is_there_stays(job: Job) -> None:
    extract(job, 5)
    before = {path: path.stat().st_mtime_ns for path in job.target.rglob("*")}
    assert extract(job, 5) is False
    assert {path: path.stat().st_mtime_ns for path in job.target.rglob("*")} == before


def test_a_stopped_call_is_completed(job: Job) -> None:
    extract(job, 5)
    (job.target / "audio.wav").unlink()
    kept = (job.target / "frames" / "0.jpg").stat().st_mtime_ns
    (job.scratch / "frames").mkdir(parents=True)  # of the call that was killed
    assert extract(job, 5) is True
    assert (job.target / "audio.wav").is_file()
    assert (job.target / "frames" / "0.jpg").stat().st_mtime_ns == kept


def test_masks_that_came_first_are_left_alone(job: Job) -> None:
    (job.target / "labels_rgb").mkdir(parents=True)
    (job.target / "labels_rgb" / "0.png").touch()
    assert extract(job, 5) is True
    names = sorted(path.name for path in job.target.iterdir())
    assert names == ["audio.wav", "frames", "labels_rgb"]


def test_frames_of_another_count_are_refused(job: Job) -> None:
    extract(job, 5)
    (job.target / "frames" / "4.jpg").unlink()
    with pytest.raises(ValueError, match="holds 4 frames instead of 5, numbered from 0; delete it"):
        extract(job, 5)


def test_a_failure_leaves_nothing(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="its pictures end at"):
        extract(job, 10)
    assert not job.target.exists() and not job.scratch.exists()

    def fail(*_: object) -> None:
        raise ValueError("no sound")

    monkeypatch.setattr(preparing, "read_audio_track", fail)
    with pytest.raises(ValueError, match="no sound"):
        extract(job, 5)
    assert not job.target.exists() and not job.scratch.exists()
