"""Other sounds over a clip's own, at a ratio of signal to noise."""

from __future__ import annotations

from abc import abstractmethod
from math import inf

import numpy as np
from numpy.typing import NDArray

from auralsam2.data.corruptions.base import CORRUPTIONS, Recording, Samples, SoundCorruption

WINDOW = 0.1
"""Seconds over which it is asked whether something sounds."""
ACTIVE = 1e-4
"""Power of a window that sounds, as a share of that of the loudest one: 40 dB below."""
SILENT = 1e-8
"""Power below which the loudest window of a recording is no sound: -80 dB of full scale."""
NOMINAL = 1e-2
"""Power that a recording without a sound is taken to have: -20 dB of full scale."""


def active(samples: Samples, rate: int) -> NDArray[np.bool_]:
    """Which samples (L,) lie in windows in which a recording (L, channels) sounds."""
    starts = np.arange(0, len(samples), max(1, round(WINDOW * rate)))
    sizes = np.diff([*starts, len(samples)])
    levels = np.add.reduceat(np.square(samples).mean(axis=1), starts) / sizes
    sounds = (levels >= ACTIVE * levels.max()) & (levels.max() >= SILENT)
    return np.repeat(sounds, sizes)


def active_power(samples: Samples, rate: int) -> float:
    """Mean square over channels and the windows that sound; 0 where none does."""
    sounds = samples[active(samples, rate)]
    return float(np.square(sounds).mean()) if len(sounds) else 0.0


class Noise(SoundCorruption):
    """Adds a sound; the strength is the ratio of signal to noise (SNR) in dB.

    SNR is that of the powers of both, each over the windows of 0.1 s in which it sounds: within
    40 dB of its own loudest window. So the pauses of a clip do not count as weak signal, and are
    as noisy as its sounds. A clip in which nothing sounds is taken for one of -20 dB of full scale.
    The clip's own sound stays as loud as it is; sums are not clipped.
    """

    measure = "SNR"
    unit = " dB"
    usual = (20.0, 10.0, 0.0, -10.0)
    clean = inf

    def __call__(self, clip: Recording, strength: float, rng: np.random.Generator) -> Samples:
        """The mix."""
        noise = self.noise(clip, rng)
        signal = active_power(clip.samples, clip.rate) or NOMINAL
        power = active_power(noise, clip.rate)
        if not power:
            return clip.samples
        return clip.samples + noise * np.sqrt(signal / power / 10 ** (strength / 10))

    @abstractmethod
    def noise(self, clip: Recording, rng: np.random.Generator) -> Samples:
        """(L, 1) or (L, channels) samples of whatever level; one channel goes to every ear."""


@CORRUPTIONS.register_module()
class WhiteNoise(Noise):
    """Noise of equal power in every Hertz."""

    title = "white noise"

    def noise(self, clip: Recording, rng: np.random.Generator) -> Samples:
        """Independent normal samples."""
        return rng.standard_normal((len(clip.samples), 1))


@CORRUPTIONS.register_module()
class PinkNoise(Noise):
    """Noise of equal power in every octave, as wind, water and rooms have it."""

    title = "pink noise"

    def noise(self, clip: Recording, rng: np.random.Generator) -> Samples:
        """Normal samples whose spectrum falls with the root of the frequency, without a mean."""
        spectrum = np.fft.rfft(rng.standard_normal(len(clip.samples)))
        spectrum[0] = 0
        spectrum[1:] /= np.sqrt(np.arange(1, len(spectrum)))
        return np.fft.irfft(spectrum, len(clip.samples))[:, None]


@CORRUPTIONS.register_module()
class OtherSound(Noise):
    """The recording of another clip, in which nothing sounds that this clip shows.

    So the truth stays true: what is heard beside it belongs to nothing in view, see
    :class:`~auralsam2.data.datasets.partner_audio.AudioOffscreen` for what data know of that.
    """

    title = "another clip's sound"
    needs_unseen = True

    def noise(self, clip: Recording, rng: np.random.Generator) -> Samples:
        """One other recording, repeated or cut to the clip's length."""
        (other,) = clip.unseen(1, rng)
        if other.shape[1] != clip.samples.shape[1]:
            other = other.mean(axis=1, keepdims=True)
        return np.resize(other, (len(clip.samples), other.shape[1]))


@CORRUPTIONS.register_module()
class Babble(Noise):
    """Several other clips at once, equally loud, as :class:`OtherSound` chooses them.

    Args:
        voices: how many; all there are where the data have fewer for a clip.

    Raises:
        ValueError: where ``voices`` is below 1.
    """

    title = "babble"
    needs_unseen = True

    def __init__(self, voices: int = 5) -> None:
        if voices < 1:
            raise ValueError(f"voices must be at least 1, got {voices=}")
        self.voices = voices

    def noise(self, clip: Recording, rng: np.random.Generator) -> Samples:
        """The sum of the means of their channels."""
        mixed = np.zeros((len(clip.samples), 1))
        for other in clip.unseen(self.voices, rng):
            voice = np.resize(other.mean(axis=1), (len(mixed), 1))
            mixed += voice / np.sqrt(active_power(voice, clip.rate) or 1.0)
        return mixed
