"""Clips whose sound or pictures are corrupted; their truth stays."""

from __future__ import annotations

import zlib
from functools import cached_property, partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from auralsam2.data.audio import read_waveform, resampled
from auralsam2.data.clip_contents import others_to_hear, read_contents
from auralsam2.data.corruptions.base import Corruption, Recording, Samples
from auralsam2.data.datasets.wrapped import WrappedDataset
from auralsam2.data.heard import heard_seconds
from auralsam2.data.images import read_image
from auralsam2.data.problems import named
from auralsam2.structures import Waveform
from auralsam2.text_files import encode


class CorruptedClips(WrappedDataset):
    """A data set under one corruption; at its clean strength, items are those of the data set.

    Sound is corrupted in its samples, before any ear's front end, and pictures as they are in their
    files, before they are resized.

    Args:
        dataset: a :class:`~auralsam2.data.datasets.clip_dataset.ClipDataset`, maybe behind
            wrappers.
        corruption: of sound or of pictures.
        strength: of it.
        seed: of whatever is drawn, with the corruption and the clip's name; strengths of one
            corruption have the same draws.

    Raises:
        ValueError: where the data set does not tell the files of its clips.
    """

    def __init__(
        self, dataset: Any, corruption: Corruption, strength: float, seed: int = 0
    ) -> None:
        super().__init__(dataset)
        self.corruption, self.strength, self.seed = corruption, strength, seed
        if not all(hasattr(dataset, name) for name in ("files", "resizing", "audio_rule")):
            raise ValueError(
                f"{type(dataset).__name__} does not tell files of its clips and how they are read"
            )

    def __getitem__(self, index: int) -> dict[str, Any]:
        """The clip's item with other ``frames``, or with another ``log_mel`` and ``waveform``."""
        item = self.dataset[index]
        if self.strength == self.corruption.clean:
            return dict(item)
        index %= len(self)
        rng = self._generator(index)
        if self.corruption.seen:
            originals = [read_image(path) for path in self.dataset.files[index].frames]
            pictures = self.corruption(originals, self.strength, rng)
            frames = torch.from_numpy(self.dataset.resizing.resize_frames(pictures))
            return {**item, "frames": _first(item["frames"], frames)}
        samples, rate = self._sound(index)
        recording = Recording(samples, rate, partial(self._unseen, index, rate))
        heard = self.corruption(recording, self.strength, rng)
        num_frames = len(self.dataset.files[index].frames)
        how = self.dataset.audio_rule, self.dataset.channels, self.dataset.waveform_rate
        ears = torch.from_numpy(heard_seconds(heard, rate, num_frames, *how))
        changed: dict[str, Any] = {"log_mel": _first(item["log_mel"], ears)}
        if "waveform" in item:
            changed["waveform"] = Waveform(torch.from_numpy(heard.mean(axis=1)).float(), rate)
        return {**item, **changed}

    def _generator(self, index: int) -> np.random.Generator:
        names = type(self.corruption).__name__, self.dataset.clips[index]
        return np.random.default_rng([self.seed, *(zlib.crc32(encode(name)) for name in names)])

    @cached_property
    def _others(self) -> list[list[int]]:
        """For every clip those in which something sounds, and nothing that it shows."""
        contents = read_contents(self.dataset)
        found = others_to_hear([own.seen for own in contents], [own.heard for own in contents])
        return [np.flatnonzero(fits).tolist() for fits in found]

    def check(self) -> None:
        """Raise a ValueError where some clip cannot be corrupted; no picture is decoded."""
        if not self.corruption.seen:
            self._sound(0)  # which may be pickled log-mels
        if not getattr(self.corruption, "needs_unseen", False):
            return
        lonely = [clip for clip, found in zip(self.clips, self._others, strict=True) if not found]
        if lonely:
            raise ValueError(
                f"{len(lonely)} clips, '{lonely[0]}' first, have no other clip that sounds of "
                f"nothing in their view: leave {type(self.corruption).__name__} out"
            )

    def _sound(self, index: int) -> tuple[Samples, int]:
        """Of a clip's frames: what a file has behind them is not heard."""
        clip = self.dataset.files[index]
        with named(clip.audio):
            samples, rate = read_waveform(clip.audio)
        return samples[: len(clip.frames) * rate], rate

    def _unseen(self, index: int, rate: int, count: int, rng: np.random.Generator) -> list[Samples]:
        found = self._others[index]
        chosen = rng.choice(found, min(count, len(found)), replace=False)
        return [resampled(*self._sound(i), rate) for i in chosen]


def _first(own: Tensor, changed: Tensor) -> Tensor:
    """The frames of ``own``, the first ones changed; those that fill a clip up stay."""
    return torch.cat([changed, own[len(changed) :]])
