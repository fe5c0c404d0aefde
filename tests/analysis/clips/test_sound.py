from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile

from analysis.clips.sound import encode_sound


def test_mono_16_khz_without_loss_and_no_longer_than_the_frames(tmp_path: Path) -> None:
    left = 0.5 * np.sin(np.arange(4 * 16_000) * 0.05)
    soundfile.write(tmp_path / "a.wav", np.stack([left, -left / 2], 1), 16_000, subtype="PCM_24")
    samples, rate = soundfile.read(io.BytesIO(encode_sound(tmp_path / "a.wav", 3)))
    assert rate == 16_000 and samples.shape == (3 * 16_000,)
    np.testing.assert_allclose(samples, left[: 3 * 16_000] / 4, atol=2**-15)


def test_other_rates_are_resampled(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.flac", np.zeros(44_100), 44_100)
    assert len(soundfile.read(io.BytesIO(encode_sound(tmp_path / "a.flac", 5)))[0]) == 16_000


def test_a_missing_recording_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no sound file"):
        encode_sound(tmp_path / "a.wav", 1)
