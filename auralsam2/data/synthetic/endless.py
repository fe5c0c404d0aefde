"""Endless synthetic images, clips and sounds, on which the embedded weights are trained."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Sized
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset, Sampler

from auralsam2.data.audio import SAMPLE_RATE, log_mel_examples
from auralsam2.data.synthetic.objects import CLASSES
from auralsam2.data.synthetic.scene import Scene, render, sample_scene
from auralsam2.data.synthetic.sounds import render_sound

# An instance smaller than this share of the image is not worth a prompt.
MIN_AREA = 0.004
STILLS, NUM_FRAMES, NUM_SECONDS = 4, 4, 5
"""Images of an item, frames of its clip; seconds of a sound."""
CUT = 0.15
"""Chance that a later frame of a clip shows another scene, where the object is gone."""
RECOLOUR = 0.5
"""Chance that a scene's objects take any colours instead of their classes', so that the
segmentation does not hang on twelve hues."""


class PromptDataset(Dataset):
    """Each item is drawn from (seed, index) alone: images of two objects to segment, and one clip.

    Args:
        length: items of an epoch.
        image_size: side in pixels.
        seed: of everything drawn.
    """

    def __init__(self, length: int, image_size: int = 128, seed: int = 0) -> None:
        self.length, self.image_size, self.seed = length, image_size, seed

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        """One item, all of it uint8.

        Returns:
            ``images`` (I, 3, S, S), ``image_masks`` (I, 2, S, S), ``clips`` (1, T, 3, S, S),
            ``clip_masks`` (1, T, S, S).
        """
        rng = np.random.default_rng([self.seed, index])
        drawn = [self._draw(rng, 1, 2) for _ in range(STILLS)]
        frames, masks = self._draw(rng, NUM_FRAMES, 1)
        for t in range(1, NUM_FRAMES):
            if rng.random() < CUT:
                frames[t] = self._draw(rng, 1, 1)[0][0]
                masks[t] = 0
        return {
            "images": _channels_first(np.concatenate([f for f, _ in drawn])),
            "image_masks": torch.from_numpy(np.concatenate([m for _, m in drawn])),
            "clips": _channels_first(frames)[None],
            "clip_masks": torch.from_numpy(np.ascontiguousarray(masks[:, 0]))[None],
        }

    def _draw(
        self, rng: np.random.Generator, num_frames: int, wanted: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Frames (T, S, S, 3) and masks (T, wanted, S, S) of objects well seen in frame 0."""
        while True:
            scene = sample_scene(rng, num_frames=num_frames)
            if rng.random() < RECOLOUR:
                scene = _recoloured(scene, rng)
            frames, masks = render(scene, self.image_size)
            large = np.flatnonzero(masks[0].mean(axis=(1, 2)) >= MIN_AREA)
            if len(large) >= wanted:
                chosen = rng.permutation(large)[:wanted]
                return frames, masks[:, chosen].astype(np.uint8)


def _recoloured(scene: Scene, rng: np.random.Generator) -> Scene:
    objects = tuple(replace(o, colours=rng.uniform(0, 1, (2, 3))) for o in scene.objects)
    return replace(scene, objects=objects)


def _channels_first(frames: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(frames.transpose(0, 3, 1, 2)))


def collate_prompts(items: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
    """Join items along their first axis: I stills and K clips of a batch."""
    return {key: torch.cat([item[key] for item in items]) for key in items[0]}


class FreshIndexSampler(Sampler[int]):
    """Indices that never repeat: epoch e gives ``e * len(dataset)`` and on.

    A resumed run starts its epoch with the indices that it would have had.
    """

    def __init__(self, dataset: Sized, **_: Any) -> None:
        self.size, self.epoch = len(dataset), 0

    def __iter__(self) -> Iterator[int]:
        start = self.epoch * self.size
        return iter(range(start, start + self.size))

    def __len__(self) -> int:
        return self.size

    def set_epoch(self, epoch: int) -> None:
        """Called by the training loop before each epoch."""
        self.epoch = epoch


class SoundDataset(Dataset[tuple[Tensor, Tensor]]):
    """The seconds of one clip's sound: item i is drawn from (seed, i) alone."""

    def __init__(self, length: int, seed: int = 0) -> None:
        self.length, self.seed = length, seed

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        """(T, 2, 96, 64) log-mel examples and (T, classes) with 1 for every class heard."""
        rng = np.random.default_rng([self.seed, index])
        scene = sample_scene(rng, num_frames=NUM_SECONDS)
        samples = render_sound(scene, rng) / 32768.0
        heard = np.zeros((NUM_SECONDS, len(CLASSES)), np.float32)
        for number, item in enumerate(scene.objects):
            heard[scene.sounding[:, number], item.class_index] = 1
        examples = log_mel_examples(samples, SAMPLE_RATE, NUM_SECONDS)
        return torch.from_numpy(examples), torch.from_numpy(heard)
