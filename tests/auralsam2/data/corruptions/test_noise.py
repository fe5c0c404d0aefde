"""The ratio of signal to noise is the one that was asked for."""

from __future__ import annotations

import numpy as np
import pytest

from auralsam2.data.corruptions.base import CORRUPTIONS, Recording
from auralsam2.data.corruptions.noise import NOMINAL, Babble, active, active_power

NOISES = ("WhiteNoise", "PinkNoise", "OtherSound", "Babble")
EVERY = pytest.mark.parametrize("name", NOISES)


def added(name: str, recording: Recording, snr: float) -> np.ndarray:
    mix = CORRUPTIONS.build(dict(type=name))(recording, snr, np.random.default_rng(0))
    return np.asarray(mix - recording.samples)


@EVERY
@pytest.mark.parametrize("snr", [20.0, 0.0, -7.5])
def test_the_mix_has_the_ratio(name: str, recording: Recording, snr: float) -> None:
    sounding = recording.samples[active(recording.samples, 8000)]
    noise = added(name, recording, snr)
    noisy = noise[active(noise, 8000)]
    measured = 10 * np.log10(np.square(sounding).mean() / np.square(noisy).mean())
    assert measured == pytest.approx(snr, abs=1e-6)
    # The silent second is no weak signal, and as noisy as the others.
    assert len(sounding) == 24_000 and np.square(noise[16_000:24_000]).mean() > 0


@EVERY
def test_strengths_differ_by_a_factor_alone(name: str, recording: Recording) -> None:
    loud, soft = added(name, recording, 0.0), added(name, recording, 20.0)
    np.testing.assert_allclose(loud, 10 * soft, atol=1e-12)


@EVERY
def test_a_silent_clip_is_taken_for_one_of_nominal_power(name: str, recording: Recording) -> None:
    silent = recording._replace(samples=np.zeros_like(recording.samples))
    assert active_power(silent.samples, 8000) == 0
    assert active_power(added(name, silent, 10.0), 8000) == pytest.approx(NOMINAL / 10)


def test_soft_windows_and_the_rest_of_a_window_count() -> None:
    samples = np.full((1050, 1), 0.5)
    samples[100:200] = 0.5 * 10 ** (-39 / 20)
    samples[200:300] = 0.5 * 10 ** (-41 / 20)
    sounds = active(samples, 1000)
    assert sounds[:200].all() and not sounds[200:300].any() and sounds[300:].all()
    assert not active(np.full((500, 2), 1e-5), 1000).any(), "100 dB below full scale"


def test_white_is_flat_and_pink_falls_by_three_decibels_an_octave(recording: Recording) -> None:
    for name, wanted in (("WhiteNoise", 0.0), ("PinkNoise", -3.0)):
        power = np.abs(np.fft.rfft(added(name, recording, 0.0)[:, 0])) ** 2
        octaves = [10 * np.log10(power[n : 2 * n].mean()) for n in (1000, 2000, 4000, 8000)]
        assert np.diff(octaves) == pytest.approx([wanted] * 3, abs=0.5)
        ears = added(name, recording, 0.0).T
        np.testing.assert_allclose(*ears, atol=1e-12, err_msg="both ears hear the same")


def test_another_sound_keeps_its_ears_and_is_repeated_where_it_is_short(
    recording: Recording,
) -> None:
    short = np.arange(1, 5, dtype=float)[:, None] * [1, 2]
    clip = recording._replace(unseen=lambda count, rng: [short])
    noise = added("OtherSound", clip, 0.0)
    np.testing.assert_allclose(noise[:, 1], 2 * noise[:, 0])
    np.testing.assert_allclose(noise[4:8], noise[:4])
    mono = clip._replace(unseen=lambda count, rng: [short[:, :1]])
    assert np.allclose(*added("OtherSound", mono, 0.0).T)


def test_voices_are_equally_loud(recording: Recording) -> None:
    loud, soft = np.ones((32_000, 1)), np.full((32_000, 2), -1e-2)
    clip = recording._replace(unseen=lambda count, rng: [loud, soft][:count])
    assert np.abs(Babble(2).noise(clip, np.random.default_rng(0))).max() < 1e-9
    with pytest.raises(ValueError, match="voices must be at least 1, got voices=0"):
        Babble(0)
