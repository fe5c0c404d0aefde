"""A control: nothing is heard."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from auralsam2.data.audio import SAMPLE_RATE, log_mel_examples
from auralsam2.data.datasets.counterfactual import CounterfactualAudio
from auralsam2.registry import DATASETS


@DATASETS.register_module()
class AudioSilence(CounterfactualAudio):
    """Clips with digital silence in place of their sound; masks and frames stay.

    The examples are those that the audio front end computes of samples of 0, not zeros. J against
    the real masks is *muted J*, the share of the score that needs no sound; a model that listens
    segments nothing, so that its muted J is that of the seconds whose truth is empty.

    Args:
        dataset: node of the data set to wrap, or the data set itself.
        root: passed on to a node.
        image_size: passed on to a node.
        seed: not used: silence is always the same.
    """

    counterfactual = "silence"
    empty_truth = True

    def hear(self, index: int, own: Tensor) -> Tensor:
        """What the front end makes of a waveform of zeros."""
        return torch.from_numpy(_silence(len(own)))[:, :1].expand_as(own).clone()

    def settings(self) -> list[str]:
        """Nothing."""
        return []


@lru_cache(maxsize=8)
def _silence(num_frames: int) -> NDArray[np.float32]:
    samples = np.zeros((num_frames * SAMPLE_RATE, 1))
    return log_mel_examples(samples, SAMPLE_RATE, num_frames)
