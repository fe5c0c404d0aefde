"""Endless seconds of synthetic sound with the classes that are heard, to train an audio encoder."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from auralsam2.data.audio import log_mel_examples
from auralsam2.data.synthetic.objects import CLASSES
from auralsam2.data.synthetic.scene import sample_scene
from auralsam2.data.synthetic.sounds import SAMPLE_RATE, render_sound


class SoundDataset(Dataset[tuple[Tensor, Tensor]]):
    """The seconds of one clip's sound: item i is drawn from (seed, i) alone.

    Args:
        length: clips of an epoch.
        seed: of everything drawn.
        num_seconds: T, seconds of a clip.
    """

    def __init__(self, length: int, seed: int = 0, num_seconds: int = 5) -> None:
        self.length, self.seed, self.num_seconds = length, seed, num_seconds

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        """(T, 2, 96, 64) log-mel examples and (T, classes) with 1 for every class heard."""
        rng = np.random.default_rng([self.seed, index])
        scene = sample_scene(rng, num_frames=self.num_seconds)
        samples = render_sound(scene, rng) / 32768.0
        heard = np.zeros((self.num_seconds, len(CLASSES)), np.float32)
        for number, item in enumerate(scene.objects):
            heard[scene.sounding[:, number], item.class_index] = 1
        examples = log_mel_examples(samples, SAMPLE_RATE, self.num_seconds)
        return torch.from_numpy(examples), torch.from_numpy(heard)
