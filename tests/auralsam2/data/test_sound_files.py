from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from auralsam2.data.audio import log_mel_examples
from auralsam2.data.sound_files import read_waveform

RATE = 16_000


def sweep(seconds: float = 2.0, loudness: float = 0.4) -> np.ndarray:
    """(L, 2) samples on the grid of 16 bits, so that no format loses any."""
    time = np.arange(int(seconds * RATE)) / RATE
    ears = [loudness * np.sin(300 * (1 + ear) * (1 + time) * time) for ear in range(2)]
    return np.round(np.stack(ears, axis=1) * 32767) / 32768


@pytest.mark.parametrize(
    ("name", "subtype"),
    [
        ("a.wav", "PCM_24"),
        ("a.wav", "PCM_32"),
        ("a.wav", "FLOAT"),
        ("a.wav", "DOUBLE"),
        ("a.flac", "PCM_16"),
        ("a.flac", "PCM_24"),
        ("a.aiff", "PCM_16"),
    ],
)
def test_every_format_means_the_same_loudness(tmp_path: Path, name: str, subtype: str) -> None:
    samples = sweep()
    soundfile.write(tmp_path / "int16.wav", (samples * 32768).astype(np.int16), RATE)
    soundfile.write(tmp_path / name, samples, RATE, subtype=subtype)
    reference, _ = read_waveform(tmp_path / "int16.wav")
    got, rate = read_waveform(tmp_path / name)
    assert rate == RATE
    np.testing.assert_allclose(got, reference, atol=1e-7)
    expected = log_mel_examples(reference, RATE, 2)
    np.testing.assert_allclose(log_mel_examples(got, rate, 2), expected, atol=1e-3)


@pytest.mark.parametrize(
    ("name", "format", "subtype"),
    [("a.mp3", "MP3", "MPEG_LAYER_III"), ("a.ogg", "OGG", "VORBIS")],
)
def test_lossy_formats_keep_the_loudness(tmp_path, name, format, subtype) -> None:
    samples = sweep()
    try:
        soundfile.write(tmp_path / name, samples, RATE, format=format, subtype=subtype)
    except (soundfile.SoundFileError, ValueError):
        pytest.skip(f"this libsndfile writes no {format}")
    got, rate = read_waveform(tmp_path / name)
    assert rate == RATE and got.shape[1] == 2
    ratio = got.std(axis=0) / samples.std(axis=0)
    np.testing.assert_allclose(ratio, 1, atol=0.05)


@pytest.mark.parametrize("full_scale", [32_768, 2**31])
def test_integers_that_were_written_as_floats_are_refused(tmp_path, full_scale) -> None:
    soundfile.write(tmp_path / "loud.wav", sweep() * full_scale, RATE, subtype="FLOAT")
    with pytest.raises(ValueError, match=r"loud\.wav' holds float samples up to .* by full scale"):
        read_waveform(tmp_path / "loud.wav")


def test_a_little_above_full_scale_is_neither_clipped_nor_refused(tmp_path: Path) -> None:
    samples = sweep(loudness=0.9)
    soundfile.write(tmp_path / "hot.wav", samples * 1.5, RATE, subtype="FLOAT")
    got, _ = read_waveform(tmp_path / "hot.wav")
    assert np.abs(got).max() == pytest.approx(1.35, abs=1e-3)
    np.testing.assert_allclose(got, samples * 1.5, atol=1e-6)


def test_samples_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    samples = sweep()
    samples[100, 1] = np.nan
    soundfile.write(tmp_path / "nan.wav", samples, RATE, subtype="FLOAT")
    with pytest.raises(ValueError, match=r"nan\.wav' holds samples that are no numbers"):
        read_waveform(tmp_path / "nan.wav")


def test_a_damaged_wav_is_not_handed_to_ffmpeg(tmp_path: Path, monkeypatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "av", None)
    (tmp_path / "bad.wav").write_bytes(b"RIFF" + b"\0" * 100)
    with pytest.raises(ValueError, match=r"cannot decode '.*bad\.wav'"):
        read_waveform(tmp_path / "bad.wav")
