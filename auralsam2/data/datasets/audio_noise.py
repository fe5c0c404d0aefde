"""A control: white noise is heard."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from auralsam2.data.audio import LOG_OFFSET, SAMPLE_RATE, log_mel_examples
from auralsam2.data.datasets.counterfactual import CounterfactualAudio
from auralsam2.registry import DATASETS
from auralsam2.text_files import encode

LOUDEST_DB = 0.0


@DATASETS.register_module()
class AudioNoise(CounterfactualAudio):
    """Clips with white noise in place of their sound; masks and frames stay.

    Something is heard, as loud as usual, that tells nothing: where silence is unlike anything a
    model was trained on, noise separates *no sound* from *no information*. Both ears hear the
    same.

    Args:
        dataset: node of the data set to wrap, or the data set itself.
        root: passed on to a node.
        image_size: passed on to a node.
        seed: of the noise; a clip's draw hangs on it and on the clip's name.
        level_db: root mean square of the noise in dB below full scale, e.g. -20; None for the
            clip's own level: the mean over seconds, ears and bands of the mel spectrum (a
            magnitude, so that it grows with the amplitude) is that of the clip's sound.

    Raises:
        ValueError: where the level is above full scale.
    """

    counterfactual = "noise"
    empty_truth = True

    def __init__(
        self,
        dataset: Mapping[str, Any] | Any,
        root: str,
        image_size: int = 1024,
        seed: int = 0,
        level_db: float | None = None,
    ) -> None:
        super().__init__(dataset, root=root, image_size=image_size, seed=seed)
        if level_db is not None and level_db > LOUDEST_DB:
            raise ValueError(f"level_db must be at most 0 dB (full scale) or None, got {level_db=}")
        self.level_db = level_db

    def hear(self, index: int, own: Tensor) -> Tensor:
        """Noise drawn for this clip, at its level."""
        name = zlib.crc32(encode(self.dataset.clips[index]))
        rng = np.random.default_rng([self.seed, name])
        num_frames = len(own)
        level_db = -20.0 if self.level_db is None else self.level_db
        samples = rng.standard_normal((num_frames * SAMPLE_RATE, 1)) * 10 ** (level_db / 20)
        log_mel = torch.from_numpy(log_mel_examples(samples, SAMPLE_RATE, num_frames))[:, :1]
        if self.level_db is None:
            # The spectrum is linear in the amplitude, so that the level can be set afterwards;
            # this way it also works where a data set has no waveforms.
            mel = log_mel.exp() - LOG_OFFSET
            wanted = (own.exp() - LOG_OFFSET).mean().clamp(min=0)
            log_mel = (mel * (wanted / mel.mean()) + LOG_OFFSET).log()
        return log_mel.expand_as(own).clone()

    def settings(self) -> list[str]:
        """Seed and level."""
        return [str(self.seed), "own" if self.level_db is None else f"{self.level_db:g}dB"]
