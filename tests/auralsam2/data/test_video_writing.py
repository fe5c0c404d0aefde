from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from auralsam2.data import video_writing
from auralsam2.data.video import read_audio_track, read_frames
from auralsam2.data.video_writing import ENCODERS, VideoWriter

av = pytest.importorskip("av", reason="PyAV (extra 'video') is not installed")
UNEVEN = (0.0, 0.1, 0.35, 0.4, 1.5)


def lengths(path: Path) -> dict[str, float]:
    """Kind -> seconds at which a stream ends, as ffprobe tells them."""
    with av.open(str(path)) as container:
        return {
            stream.type: float((stream.start_time + stream.duration) * stream.time_base)
            for stream in container.streams
        }


def written(path: Path, times=UNEVEN, end=2.0, size=(32, 48), **sound) -> Path:
    with VideoWriter(path, size, times, end, **sound) as writer:
        for number in range(len(times)):
            writer.add(np.full((*size, 3), 20 + 30 * number, np.uint8))
    return path


@pytest.mark.parametrize("encoder", ENCODERS, ids=[name for name, _ in ENCODERS])
def test_pictures_keep_their_times_and_streams_end_together(
    write_video, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoder
) -> None:
    if not video_writing._can_encode(av, encoder[0]):
        pytest.skip(f"FFmpeg was built without {encoder[0]}")
    monkeypatch.setattr(video_writing, "ENCODERS", (encoder,))
    path = written(tmp_path / "a.mp4", sound=write_video(tmp_path / "sound.mp4", seconds=3))
    assert lengths(path) == pytest.approx({"video": 2.0, "audio": 2.0}, abs=1e-3)
    with av.open(str(path)) as container:
        times = [picture.time for picture in container.decode(video=0)]
        assert container.streams.audio[0].codec_context.name == "aac"
    assert times == pytest.approx(UNEVEN, abs=1e-4)
    levels = [frame.mean() for frame in read_frames(path, [t + 0.01 for t in UNEVEN])]
    assert levels == pytest.approx([20, 50, 80, 110, 140], abs=4)


def test_the_first_encoder_that_is_there_is_taken(tmp_path: Path, monkeypatch) -> None:
    fallback = (("no such encoder", {}), ENCODERS[-1])
    monkeypatch.setattr(video_writing, "ENCODERS", fallback)
    with av.open(str(written(tmp_path / "a.mp4"))) as container:
        assert container.streams.video[0].codec_context.name == "mpeg4"
        assert not container.streams.audio


def test_odd_sides_are_made_even_by_their_last_lines(tmp_path: Path) -> None:
    picture = np.zeros((77, 131, 3), np.uint8)
    picture[:, 100:] = 200
    with VideoWriter(tmp_path / "a.mp4", (77, 131), [0.0], 0.04) as writer:
        writer.add(picture)
    (frame,) = read_frames(tmp_path / "a.mp4", [0.0])
    assert frame.shape == (78, 132, 3)
    assert frame[77, :90].max() < 10 and frame[:, 131].min() > 190
    assert lengths(tmp_path / "a.mp4") == {"video": pytest.approx(0.04)}


@pytest.mark.parametrize(("delay", "seconds"), [(0.0, 1.5), (0.5, 3.0), (0.5, 1.2)])
def test_sound_that_is_late_or_short_is_filled_up(
    write_video, tmp_path: Path, delay: float, seconds: float
) -> None:
    source = write_video(tmp_path / "sound.mp4", seconds=seconds, delay=delay)
    path = written(tmp_path / "a.mp4", end=2.2, sound=source)
    assert lengths(path) == pytest.approx({"video": 2.2, "audio": 2.2}, abs=1e-3)
    samples, rate = read_audio_track(path)
    loud = np.flatnonzero(np.abs(samples[:, 0]) > 0.1) / rate
    assert loud[0] == pytest.approx(1 + delay, abs=0.01)
    assert loud[-1] == pytest.approx(min(seconds + delay, 2.2), abs=0.05)


def test_pictures_that_come_late_are_seen_from_the_beginning(write_video, tmp_path: Path) -> None:
    path = written(tmp_path / "a.mp4", (0.5, 1.0), 1.5, sound=write_video(tmp_path / "b.mp4"))
    assert lengths(path) == pytest.approx({"video": 1.5, "audio": 1.5}, abs=1e-3)
    with av.open(str(path)) as container:
        assert [f.time for f in container.decode(video=0)] == pytest.approx([0, 1.0])


def write_tone(path: Path, rate: int, layout: str, gap: float = 0.0) -> Path:
    """A second of a tone, ``gap`` seconds of nothing, and another second."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("flac", rate=rate, layout=layout)
        for begin in (0.0, 1.0 + gap):
            tone = np.sin(np.arange(rate) * 2 * np.pi * 440 / rate) * 0.4 * 2**15
            channels = stream.codec_context.layout.nb_channels
            block = np.tile(tone.astype(np.int16)[:, None], (1, channels)).reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(block, "s16", layout)
            frame.sample_rate, frame.time_base = rate, Fraction(1, rate)
            frame.pts = round(begin * rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(
    ("rate", "layout", "expected"),
    [(7_000, "mono", (48_000, 1)), (44_100, "stereo", (44_100, 2)), (48_000, "5.1", (48_000, 2))],
)
def test_any_rate_and_number_of_channels(tmp_path: Path, rate, layout, expected) -> None:
    path = written(tmp_path / "a.mp4", sound=write_tone(tmp_path / "a.mkv", rate, layout))
    samples, got = read_audio_track(path)
    assert (got, samples.shape[1]) == expected
    assert np.abs(samples[got // 2 : got]).max() > 0.2


def test_a_gap_in_the_sound_becomes_silence(tmp_path: Path) -> None:
    source = write_tone(tmp_path / "a.mkv", 16_000, "mono", gap=0.5)
    samples, rate = read_audio_track(written(tmp_path / "a.mp4", end=2.5, sound=source))
    loud = [np.abs(samples[round(t * rate) :][: rate // 5]).max() for t in (0.6, 1.15, 1.9)]
    assert loud[0] > 0.3 and loud[1] < 0.05 and loud[2] > 0.3


def test_the_waveform_is_the_sounds(write_video, tmp_path: Path) -> None:
    source = write_video(tmp_path / "a.mp4", seconds=3)
    with VideoWriter(tmp_path / "b.mp4", (32, 48), UNEVEN, 2.0, sound=source) as writer:
        for _ in UNEVEN:
            writer.add(np.zeros((32, 48, 3), np.uint8))
    low, high = writer.waveform.T
    half = len(low) // 2
    assert abs(low[: half - 5]).max() < 0.05 and abs(high[: half - 5]).max() < 0.05
    assert high[half + 10 :].min() > 0.2 and low[half + 10 :].max() < -0.2
    assert writer.problem == ""


def test_sound_that_cannot_be_decoded_is_told_before_the_file_is_there(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_text("no sound at all")
    with pytest.raises(ValueError, match=r"a\.wav"):
        VideoWriter(tmp_path / "a.mp4", (32, 48), [0.0], 1.0, sound=tmp_path / "a.wav")
    assert not (tmp_path / "a.mp4").exists()


def test_what_was_written_before_an_error_plays(write_video, tmp_path: Path) -> None:
    source = write_video(tmp_path / "a.mp4")
    with (
        pytest.raises(KeyError),
        VideoWriter(tmp_path / "b.mp4", (32, 48), UNEVEN, 2.0, sound=source) as writer,
    ):
        for _ in range(3):
            writer.add(np.zeros((32, 48, 3), np.uint8))
        raise KeyError("a reader's error")
    assert lengths(tmp_path / "b.mp4")["video"] == pytest.approx(0.4, abs=1e-3)


def test_without_pyav_the_error_tells_what_to_install(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "av", None)
    with pytest.raises(ImportError, match=r"writing '.*a\.mp4' needs PyAV"):
        VideoWriter(tmp_path / "a.mp4", (32, 48), [0.0], 1.0)
