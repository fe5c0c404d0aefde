from __future__ import annotations

import numpy as np
import pytest

from auralsam2.data.corruptions.base import Recording, Samples


def tone(seconds: float, rate: int = 8000, hertz: float = 440.0, loud: float = 0.1) -> Samples:
    """Two channels of a sine."""
    wave = loud * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)
    return np.stack([wave, 0.5 * wave], axis=1)


@pytest.fixture
def recording() -> Recording:
    """Four seconds, of which the third is silent; other clips are tones of other lengths."""
    samples = tone(4)
    samples[16_000:24_000] = 0
    others = [tone(s, hertz=110.0 * (n + 2)) for n, s in enumerate((3, 4, 5, 4, 4, 4))]
    return Recording(
        samples, 8000, lambda count, rng: [others[i] for i in rng.permutation(6)[:count]]
    )
