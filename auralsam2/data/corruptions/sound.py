"""What becomes of a sound on its way: soft or loud, late, without its highs, gone for a while."""

from __future__ import annotations

from math import inf

import numpy as np

from auralsam2.data.audio import resampled
from auralsam2.data.corruptions.base import CORRUPTIONS, Recording, Samples, SoundCorruption


@CORRUPTIONS.register_module()
class Gain(SoundCorruption):
    """Louder or, below 0 dB, softer; nothing is clipped."""

    title = "gain"
    measure = "gain"
    unit = " dB"
    usual = (-40.0, -20.0, 20.0)

    def __call__(self, clip: Recording, strength: float, rng: np.random.Generator) -> Samples:
        """All samples times one factor."""
        return clip.samples * 10 ** (strength / 20)


@CORRUPTIONS.register_module()
class Delay(SoundCorruption):
    """The sound comes later than the picture or, below 0 s, before it; silence fills the gap."""

    title = "delay"
    measure = "delay"
    unit = " s"
    usual = (0.5, 1.0, 2.0)

    def __call__(self, clip: Recording, strength: float, rng: np.random.Generator) -> Samples:
        """What is moved beyond an end is lost."""
        shift, length = round(strength * clip.rate), len(clip.samples)
        moved = np.zeros_like(clip.samples)
        kept = max(0, length - abs(shift))
        first = max(0, -shift)
        moved[max(0, shift) :][:kept] = clip.samples[first : first + kept]
        return moved


@CORRUPTIONS.register_module()
class SampleRateLoss(SoundCorruption):
    """Recorded at a lower rate: what is above half of it is gone."""

    title = "sample rate"
    measure = "rate"
    unit = " Hz"
    usual = (4000.0, 2000.0, 1000.0)
    clean = inf
    bounds = (100.0, inf)

    def __call__(self, clip: Recording, strength: float, rng: np.random.Generator) -> Samples:
        """Brought to the rate and back by soxr; as it is where it has no higher rate."""
        if strength >= clip.rate:
            return clip.samples
        low = resampled(clip.samples, clip.rate, strength)
        back = resampled(low, strength, clip.rate)[: len(clip.samples)]
        return np.pad(back, ((0, len(clip.samples) - len(back)), (0, 0)))


@CORRUPTIONS.register_module()
class PartialSilence(SoundCorruption):
    """Silence for one stretch of the clip, drawn where; the strength is its share of the clip."""

    title = "partial silence"
    measure = "share of the clip"
    usual = (0.25, 0.5, 1.0)
    bounds = (0.0, 1.0)

    def __call__(self, clip: Recording, strength: float, rng: np.random.Generator) -> Samples:
        """A longer stretch holds every shorter one."""
        length = len(clip.samples)
        size = round(strength * length)
        start = round(rng.random() * (length - size))
        silenced = clip.samples.copy()
        silenced[start : start + size] = 0
        return silenced
