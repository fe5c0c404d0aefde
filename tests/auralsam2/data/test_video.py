from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from auralsam2.data.audio import read_waveform
from auralsam2.data.video import (
    _pick,
    _upright,
    picture_span,
    read_audio_track,
    read_frames,
    stream_sound,
)
from auralsam2.data.video_opening import check_container

from .trees import video_numbers


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_frames_are_the_last_pictures_before_their_times(write_video, tmp_path, suffix) -> None:
    path = write_video(tmp_path / f"a.{suffix}")
    frames = read_frames(path, [0.999, 1.999, 2.999, 3.999, 4.999])
    assert video_numbers(frames) == [9, 19, 29, 39, 49]
    assert {frame.shape for frame in frames} == {(32, 48, 3)}
    assert video_numbers(read_frames(path, [0.0, 0.5, 2.0])) == [0, 5, 20]
    assert video_numbers(read_frames(path, [3.45, 4.45])) == [34, 44]  # after a jump into the file


def test_a_video_that_ends_early_is_refused(write_video, tmp_path) -> None:
    path = write_video(tmp_path / "a.mp4", seconds=3)
    assert video_numbers(read_frames(path, [0.999, 3.7])) == [9, 29]  # not yet a second old
    with pytest.raises(ValueError, match=r"nothing new at 4\.00 s: its pictures end at 2\.90 s"):
        read_frames(path, [0.999, 3.999])


def test_slow_pictures_serve_each_second_once() -> None:
    class Grey(SimpleNamespace):
        def to_ndarray(self, format: str) -> np.ndarray:
            return np.full((2, 2, 3), self.level, np.uint8)

    pictures = [(float(t), Grey(level=t)) for t in range(4)]
    picked = _pick(iter(pictures), [0.999, 1.999, 2.999], Path("a.mp4"))
    assert [int(image[0, 0, 0]) for image in picked] == [0, 1, 2]
    with pytest.raises(ValueError, match=r"a\.mp4' shows no picture from 1\.0 s on"):
        _pick(iter([]), [0.999], Path("a.mp4"))


def test_a_picture_that_was_filmed_on_its_side_is_turned() -> None:
    image = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    picture = SimpleNamespace(rotation=-90, to_ndarray=lambda format: image)
    np.testing.assert_array_equal(_upright(picture), image[::-1].transpose(1, 0, 2))


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
@pytest.mark.parametrize("delay", [0.0, 0.5])
def test_sound_keeps_its_place_beside_the_pictures(write_video, tmp_path, suffix, delay) -> None:
    samples, rate = read_audio_track(write_video(tmp_path / f"a.{suffix}", delay=delay))
    assert rate == 22_050 and samples.shape[1] == 2
    begin = np.flatnonzero(np.abs(samples[:, 0]) > 0.1)[0] / rate
    assert begin == pytest.approx(1 + delay, abs=0.01)
    loud = np.abs(samples[round(2.5 * rate) : round(3 * rate)]).max(axis=0)
    np.testing.assert_allclose(loud, [0.4, 0.2], atol=0.02)


def test_a_part_is_that_part_of_the_whole(write_video, tmp_path) -> None:
    path = write_video(tmp_path / "a.mp4")
    whole, rate = read_audio_track(path)
    part, _ = read_audio_track(path, 2.25, 1.5)
    assert len(part) == round(1.5 * rate)
    np.testing.assert_allclose(part, whole[round(2.25 * rate) :][: len(part)], atol=1e-4)
    early, _ = read_audio_track(path, 0.25, 0.5)
    assert len(early) == round(0.5 * rate)
    late, _ = read_audio_track(path, 4.5, 3)
    assert 0.4 * rate < len(late) < 0.7 * rate  # the file ends
    with pytest.raises(ValueError, match=r"no sound from 9\.0 s on"):
        read_audio_track(path, 9.0, 1.0)


def test_a_video_is_a_sound_file(write_video, tmp_path) -> None:
    path = write_video(tmp_path / "a.mp4", rate=16_000, layout="mono")
    samples, rate = read_waveform(path)
    expected, _ = read_audio_track(path)
    assert rate == 16_000 and samples.shape[1] == 1
    np.testing.assert_array_equal(samples, expected)


def test_missing_tracks_and_files_are_named(write_video, tmp_path: Path) -> None:
    silent = write_video(tmp_path / "silent.mp4", seconds=1, sound=False)
    with pytest.raises(ValueError, match=r"silent\.mp4' has no audio track"):
        read_waveform(silent)
    with pytest.raises(FileNotFoundError, match=r"no video at '.*gone\.mp4'"):
        read_frames(tmp_path / "gone.mp4", [0.0])
    (tmp_path / "text.mp4").write_text("no video at all")
    with pytest.raises(ValueError, match=r"cannot decode '.*text\.mp4'"):
        read_frames(tmp_path / "text.mp4", [0.0])
    content = silent.read_bytes()
    silent.write_bytes(content[: len(content) // 2])
    with pytest.raises(ValueError, match=r"silent\.mp4"):
        read_frames(silent, [0.0])


def test_without_pyav_the_error_tells_what_to_install(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "a.mp4").write_bytes(b"\0\0\0\x18ftypmp42" + b"\0" * 52)
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(ImportError, match=r"a\.mp4' needs PyAV .*pip install 'auralsam2\[video\]'"):
        read_waveform(tmp_path / "a.mp4")


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv", "avi"])
def test_usual_containers_are_let_through(write_video, tmp_path, suffix) -> None:
    check_container(write_video(tmp_path / f"a.{suffix}", seconds=1))


def test_a_list_of_other_files_is_refused_whatever_its_name(write_video, tmp_path) -> None:
    secret = write_video(tmp_path / "secret.mp4", seconds=1)
    listing = tmp_path / "clip.mp4"
    listing.write_text("ffconcat version 1.0\nfile secret.mp4\n")
    assert len(read_frames(listing, [0.5])) == 1  # FFmpeg would open the other file
    with pytest.raises(ValueError, match="no container that is known"):
        check_container(listing)
    listing.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{secret}\n#EXT-X-ENDLIST\n")
    with pytest.raises(ValueError, match="no container that is known"):
        check_container(listing)
    listing.write_bytes(b"\0" * 1000)
    with pytest.raises(ValueError, match="or damaged"):
        check_container(listing)


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_where_pictures_end_and_where_the_header_says_so(write_video, tmp_path, suffix) -> None:
    path = write_video(tmp_path / f"a.{suffix}", seconds=3)
    assert picture_span(path) == pytest.approx((3.0, 3.0, 1), abs=0.01)
    if suffix == "mkv":
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        end, stated, _ = picture_span(path)
        assert 0.5 < end < 2.5 and stated == pytest.approx(3.0, abs=0.01)


def test_sound_comes_piece_by_piece_as_one_or_two_channels(write_video, tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", delay=0.5)
    pieces = list(stream_sound(path, (22_050,), 48_000))
    samples, _ = read_audio_track(path)
    assert {rate for _, rate, _ in pieces} == {22_050} and len(pieces) > 50
    first = next(begin for begin, _, _ in pieces)
    assert first == pytest.approx(0.5, abs=0.05)
    joined = np.concatenate([piece for _, _, piece in pieces], axis=1)
    np.testing.assert_allclose(joined.T, samples[-joined.shape[1] :], atol=1e-4)
    assert {(rate, len(piece)) for _, rate, piece in stream_sound(path, (), 8_000)} == {(8_000, 2)}


def test_a_packet_that_is_torn_at_the_end_of_a_file_is_left_out(write_video, tmp_path) -> None:
    path = write_video(tmp_path / "a.mkv", seconds=3)
    whole, rate = read_audio_track(path)
    for share in (0.5, 0.55, 0.6, 0.65):
        path.write_bytes((tmp_path / "a.mkv").read_bytes()[: int(share * path.stat().st_size)])
        part, _ = read_audio_track(path)
        assert 0.1 * rate < len(part) < len(whole)
        np.testing.assert_allclose(part, whole[: len(part)], atol=1e-4)
