"""Samples of every second, for encoders that hear them."""

import numpy as np
import pytest
import torch

from auralsam2.data.audio import log_mel_examples
from auralsam2.data.heard import heard_seconds, shown_log_mel


def test_every_frame_gets_the_samples_of_its_second() -> None:
    samples = np.random.default_rng(0).uniform(-1, 1, (16_000 * 2 + 8_000, 2))
    heard = heard_seconds(samples, 16_000, 4, waveform_rate=16_000)
    assert heard.shape == (4, 2, 16_000) and heard.dtype == np.float32
    for ear in (0, 1):
        joined = heard[:, ear].ravel()
        np.testing.assert_array_equal(joined[:40_000], samples[:, ear].astype(np.float32))
        assert not joined[40_000:].any(), "silence behind the end"
    shorter = heard_seconds(samples, 16_000, 2, waveform_rate=16_000)
    np.testing.assert_array_equal(shorter, heard[:2])


def test_a_tone_keeps_its_pitch_and_its_second_at_another_rate() -> None:
    rate, time = 44_100, np.arange(3 * 44_100) / 44_100
    tone = np.sin(2 * np.pi * 1000 * time) * (time >= 1) * (time < 2)
    heard = heard_seconds(tone[:, None], rate, 3, channels="mean", waveform_rate=48_000)
    assert heard.shape == (3, 1, 48_000)
    assert np.abs(np.fft.rfft(heard[1, 0])).argmax() == 1000
    loudness = np.sqrt(np.square(heard[:, 0]).mean(axis=1))
    np.testing.assert_allclose(loudness, [0, np.sqrt(0.5), 0], atol=0.01)


def test_ears_hear_what_they_do_of_log_mels() -> None:
    samples = np.stack([np.full(8_000, 0.5), np.full(8_000, -0.25)], axis=1)
    mean = heard_seconds(samples, 8_000, 1, channels="mean", waveform_rate=8_000)
    assert mean.shape == (1, 1, 8_000) and (mean == 0.125).all()
    one = heard_seconds(samples[:, :1], 8_000, 1, waveform_rate=8_000)
    assert one.shape == (1, 2, 8_000) and (one == 0.5).all()
    with pytest.raises(ValueError, match="unknown channels='left'; known: both, mean"):
        heard_seconds(samples, 8_000, 1, channels="left", waveform_rate=8_000)


def test_without_a_rate_they_are_log_mels_and_drawn_as_such() -> None:
    samples = np.random.default_rng(0).uniform(-1, 1, (32_000, 1))
    log_mels = heard_seconds(samples, 16_000, 2, channels="mean")
    np.testing.assert_array_equal(log_mels, log_mel_examples(samples, 16_000, 2, channels="mean"))
    heard = heard_seconds(samples, 16_000, 2, waveform_rate=16_000)
    for sound in (log_mels, heard):
        shown = shown_log_mel(torch.from_numpy(sound))
        torch.testing.assert_close(shown, torch.from_numpy(log_mels[:, 0]), atol=1e-4, rtol=0)
