from __future__ import annotations

import numpy as np
import pytest

from auralsam2.data.corruptions.base import Recording
from auralsam2.data.corruptions.sound import Delay, Gain, PartialSilence, SampleRateLoss

RNG = np.random.default_rng


def test_gain_is_in_decibels(recording: Recording) -> None:
    np.testing.assert_allclose(Gain()(recording, -20, RNG(0)), recording.samples / 10)


@pytest.mark.parametrize("seconds", [0.5, -0.5])
def test_a_delay_moves_by_seconds_and_fills_with_silence(
    recording: Recording, seconds: float
) -> None:
    moved = Delay()(recording, seconds, RNG(0))
    later, earlier = (moved, recording.samples) if seconds > 0 else (recording.samples, moved)
    assert np.array_equal(later[4000:], earlier[:-4000])
    assert not (moved[:4000] if seconds > 0 else moved[-4000:]).any()
    assert not Delay()(recording, 10, RNG(0)).any()


def test_a_lower_rate_takes_what_is_above_half_of_it(recording: Recording) -> None:
    times = np.arange(8001)[:, None] / 8000
    low, high = (np.sin(2 * np.pi * hertz * times) for hertz in (200, 1500))
    clip = recording._replace(samples=low + high)
    heard = SampleRateLoss()(clip, 2000, RNG(0))
    assert heard.shape == clip.samples.shape
    middle = slice(1000, -1000)
    np.testing.assert_allclose(heard[middle], low[middle], atol=0.02)
    assert SampleRateLoss()(clip, 8000, RNG(0)) is clip.samples


def test_a_longer_silence_holds_a_shorter_one(recording: Recording) -> None:
    clip = recording._replace(samples=np.ones_like(recording.samples))
    before = np.zeros(32_000, bool)
    for share in (0.1, 0.25, 0.5, 1.0):
        silent = PartialSilence()(clip, share, RNG(3))[:, 0] == 0
        assert silent.sum() == share * 32_000 and silent[before].all()
        assert np.abs(np.diff(silent.astype(int))).sum() <= 2, "one stretch"
        before = silent
