"""Classes that another classifier heard beforehand, e.g. PANNs or BEATs."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from auralsam2.models.prediction_file import SHOWN, FilePart, is_number
from auralsam2.models.sound.base import SoundClassifier
from auralsam2.registry import SOUND_CLASSIFIERS

TINY = 1e-4


@SOUND_CLASSIFIERS.register_module()
class LabelFileClassifier(FilePart, SoundClassifier):
    """Reads probabilities from a JSON file; it learns nothing, and does not listen itself.

    It knows clips by their names, so it cannot follow a sound that was exchanged: splits such as
    ``test_audio_swapped`` must be left out. It stops where a clip comes with a second sound in one
    process; where a clip comes with another sound only, it cannot know.

    Args:
        path: ``{"classes": [NAME, ...], "clips": {CLIP: [SECOND, ...]}}``, where ``SECOND``, one
            a frame of the clip, is ``{NAME: probability, ...}``; a class that is left out has 0.
        num_classes: K, the number of the file's classes.

    Raises:
        FileNotFoundError: where there is no such file, naming its form.
        ValueError: listing what is wrong with it.
    """

    config_key = "model.sound_classifier.path"
    entry_form = '{"NAME": 0.9, ...}, the probability of each class that is heard; others have 0'
    entry_name = "second"

    def __init__(self, path: str | os.PathLike[str], num_classes: int) -> None:
        super().__init__(path, num_classes)
        self._sounds: dict[str, bytes] = {}

    def forward(self, log_mel: Tensor, clip: Sequence[str], waveform: object = None) -> Tensor:
        """Logits of the clips by their names.

        Raises:
            KeyError: where the file does not have a clip.
            ValueError: where a clip comes with another sound than before.
        """
        for name, sound in zip(clip, log_mel, strict=True):
            self._check_sound(name, sound)
            self.file.frames(name, len(sound))
        heard = torch.stack([torch.stack(self.entries[name]) for name in clip])
        return torch.logit(heard, eps=TINY).to(log_mel.device)

    def _check_sound(self, name: str, sound: Tensor) -> None:
        digest = hashlib.blake2b(sound.cpu().contiguous().numpy().tobytes()).digest()
        if self._sounds.setdefault(name, digest) != digest:
            raise ValueError(
                f"clip '{name}' comes with another sound than before, which '{self.file.path}' "
                "cannot tell apart: leave out splits with exchanged sound (data.test), or take a "
                "classifier that listens, such as EmbeddingSoundClassifier"
            )

    def read_entry(self, entry: Any, numbers: Mapping[str, int]) -> Tensor:
        """(K,) of one second."""
        if not isinstance(entry, dict):
            raise ValueError(f"a second is {self.entry_form}, got {entry!r:.80}")
        if unknown := [name for name in entry if name not in numbers]:
            raise ValueError(f"{unknown[:SHOWN]} are none of the file's classes")
        wrong = {
            n: value for n, value in entry.items() if not is_number(value) or not 0 <= value <= 1
        }
        if wrong:
            raise ValueError(f"probabilities must be from 0 to 1, got {wrong}")
        heard = torch.zeros(len(numbers))
        for name, value in entry.items():
            heard[numbers[name]] = value
        return heard
