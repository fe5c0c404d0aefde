"""Sound of a video, read by seconds: what the data pipeline gives an encoder of any part of it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from auralsam2.data.audio import SAMPLE_RATE, read_waveform
from auralsam2.data.heard import heard_seconds
from auralsam2.data.video import NoSoundError

Samples = NDArray[np.floating]


class Listening(NamedTuple):
    """How a run hears: as its data sets read sound."""

    rule: str = "published"  # how examples are cut, see `log_mel_examples`
    channels: str = "both"  # what is heard of a recording's channels
    waveform_rate: int | None = None  # samples a second; None hears log-mel examples


class Sound:
    """A sound file, the track of a video, or samples in memory.

    Args:
        source: a path, or samples (L,) or (L, channels) of full scale 1 and their rate.
        listening: how it is heard.

    Raises:
        FileNotFoundError: where there is no such file.
        ValueError: where it holds no sound, or samples that are none.
    """

    def __init__(
        self, source: str | os.PathLike[str] | tuple[Samples, int], listening: Listening
    ) -> None:
        self.listening = listening
        self._path: Path | None = None
        if isinstance(source, (str, os.PathLike)):
            self._path = Path(os.path.expanduser(source))
            read_waveform(self._path, 0, 1)  # what cannot be read is told now
        else:
            self._samples, self._rate = _checked(*source)

    def examples(self, start: int, seconds: int) -> NDArray[np.float32]:
        """(seconds, A, 96, 64) log-mel examples, or (seconds, A, R) samples, from ``start`` on.

        They are those of a clip that is cut there; behind the end of the sound is silence.
        """
        samples, rate = self._read(start, seconds)
        shortest = rate if len(samples) < rate else len(samples)
        samples = np.pad(samples, ((0, shortest - len(samples)), (0, 0)))
        found = heard_seconds(samples, rate, seconds, *self.listening)[:seconds]
        # The released rule gives as many as fit; the last one stands in, as it does there.
        return found[np.minimum(np.arange(seconds), len(found) - 1)]

    def _read(self, start: int, seconds: int) -> tuple[NDArray[np.float64], int]:
        if self._path is None:
            begin = start * self._rate
            return self._samples[begin : begin + seconds * self._rate].astype(float), self._rate
        try:
            return read_waveform(self._path, start, seconds)
        except NoSoundError:
            return np.zeros((0, 1)), SAMPLE_RATE  # it begins behind these seconds, or has ended


def _checked(samples: Samples, rate: int) -> tuple[NDArray[np.floating], int]:
    samples = np.asarray(samples)
    samples = samples[:, None] if samples.ndim == 1 else samples
    floats = np.issubdtype(samples.dtype, np.floating)
    if samples.ndim != 2 or not len(samples) or not floats or int(rate) != rate or rate < 1:
        raise ValueError(
            f"audio got samples of shape {samples.shape} and type {samples.dtype} at {rate=}; "
            "wanted floats (L,) or (L, channels) of full scale 1, and samples a second"
        )
    return samples, int(rate)
