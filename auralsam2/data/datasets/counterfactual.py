"""Controls of what a model hears: clips shown as they are, under another sound."""

from __future__ import annotations

import math
import zlib
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from auralsam2.data.audio import LOG_OFFSET, SAMPLE_RATE, log_mel_examples
from auralsam2.data.datasets.wrapped import AroundNode
from auralsam2.data.heard import SAMPLES
from auralsam2.registry import DATASETS
from auralsam2.structures import Waveform
from auralsam2.text_files import encode

LOUDEST_DB = 0.0


class CounterfactualAudio(AroundNode):
    """Clips with another sound; frames, masks, names and order stay.

    The truth stays, too, so that J on such a split tells how much of a model's score is left
    without the sound that belongs to the clip. A subclass registers itself in ``DATASETS``, states
    :attr:`counterfactual` and :attr:`empty_truth`, and gives :meth:`hear`.

    Attributes:
        counterfactual: kind of sound; the splits of ``evaluation.counterfactuals`` are named
            ``SPLIT_audio_KIND`` after it.
        empty_truth: whether nothing that is heard belongs to anything that is seen, so that a
            model that listens segments nothing. The area that is predicted all the same is scored
            there, see :class:`auralsam2.metrics.null_split.AreaMetric`.

    Args:
        dataset: node of the data set, or the data set itself.
        root: passed on to a node.
        seed: of whatever is drawn.
        **shared: see :class:`~auralsam2.data.datasets.wrapped.AroundNode`.
    """

    counterfactual: ClassVar[str]
    empty_truth: ClassVar[bool]

    def __init__(
        self, dataset: Mapping[str, Any] | Any, root: str, seed: int = 0, **shared: Any
    ) -> None:
        super().__init__(dataset, root, **shared)
        self.seed = seed

    @abstractmethod
    def hear(self, index: int, own: Tensor) -> Tensor:
        """Sound that is heard with clip ``index``: log-mel examples, or samples (T, A, R).

        As many as ``own``, those of its own sound, which are not to be written to.
        """

    @property
    def clips(self) -> list[str]:
        """Names of the clips whose frames are shown."""
        return list(self.dataset.clips)

    @property
    def label_source(self) -> str:
        """That of the wrapped data."""
        return str(getattr(self.dataset, "label_source", ""))

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> dict[str, Any]:
        """The clip's item with another ``log_mel``."""
        item = self.dataset[index]
        index %= len(self)
        heard = {"log_mel": self.hear(index, item["log_mel"])}
        if "waveform" in item:
            heard["waveform"] = self.hear_waveform(index, item["waveform"])
        return {**item, **heard}

    def hear_waveform(self, index: int, own: Waveform) -> Waveform:
        """The same sound as samples, as long as the clip's ``own``; where data give waveforms.

        Raises:
            NotImplementedError: for a kind of sound that is known as log-mels alone.
        """
        raise NotImplementedError(f"{type(self).__name__} has no waveforms")

    def set_epoch(self, epoch: int) -> None:
        """Draw the frames' transforms anew."""
        set_epoch = getattr(self.dataset, "set_epoch", None)
        if set_epoch is not None:
            set_epoch(epoch)

    def fingerprint(self) -> str:
        """That of the wrapped data, with the kind of sound and what it hangs on."""
        return ":".join([self.dataset.fingerprint(), self.counterfactual, *self.settings()])

    def settings(self) -> Sequence[str]:
        """What else the sound hangs on, for the fingerprint."""
        return [str(self.seed)]


@DATASETS.register_module()
class AudioSilence(CounterfactualAudio):
    """Clips with digital silence in place of their sound; masks and frames stay.

    Log-mel examples are what the front end computes of samples of 0, not zeros. J against the
    real masks is *muted J*, the share of the score that needs no sound; a model that listens
    segments nothing, so that its muted J is that of the seconds whose truth is empty. Silence is
    always the same: the seed is not used.
    """

    counterfactual = "silence"
    empty_truth = True

    def hear(self, index: int, own: Tensor) -> Tensor:
        """Zeros, or the logarithm that the front end makes of them."""
        return torch.full_like(own, 0.0 if own.dim() == SAMPLES else math.log(LOG_OFFSET))

    def hear_waveform(self, index: int, own: Waveform) -> Waveform:
        """Zeros."""
        return own._replace(samples=torch.zeros_like(own.samples))

    def settings(self) -> list[str]:
        """Silence hangs on nothing."""
        return []


@DATASETS.register_module()
class AudioNoise(CounterfactualAudio):
    """Clips with white noise in place of their sound; masks and frames stay.

    Something is heard, as loud as usual, that tells nothing: where silence is unlike anything a
    model was trained on, noise separates *no sound* from *no information*. Both ears hear the
    same. A clip's draw hangs on the seed and on the clip's name.

    Args:
        level_db: root mean square of the noise in dB below full scale, e.g. -20; None for the
            clip's own level: the mean over seconds, ears and bands of the mel spectrum (a
            magnitude, so that it grows with the amplitude) is that of the clip's sound.
        **settings: see :class:`CounterfactualAudio`, as for ``dataset`` and ``root``.

    Raises:
        ValueError: where the level is above full scale.
    """

    counterfactual = "noise"
    empty_truth = True

    def __init__(
        self,
        dataset: Mapping[str, Any] | Any,
        root: str,
        level_db: float | None = None,
        **settings: Any,
    ) -> None:
        super().__init__(dataset, root, **settings)
        if level_db is not None and level_db > LOUDEST_DB:
            raise ValueError(f"level_db must be at most 0 dB (full scale) or None, got {level_db=}")
        self.level_db = level_db

    def hear(self, index: int, own: Tensor) -> Tensor:
        """Noise drawn for this clip, at its level."""
        rng = self._generator(index)
        num_frames = len(own)
        if own.dim() == SAMPLES:
            level = self._level(own[: self._num_frames(index)])
            noise = rng.standard_normal((num_frames, 1, own.shape[2])) * level
            return torch.from_numpy(noise).to(own).expand_as(own).clone()
        level_db = -20.0 if self.level_db is None else self.level_db
        samples = rng.standard_normal((num_frames * SAMPLE_RATE, 1)) * 10 ** (level_db / 20)
        one_ear = log_mel_examples(samples, SAMPLE_RATE, num_frames, channels="mean")
        log_mel = torch.from_numpy(one_ear)
        if self.level_db is None:
            # The spectrum is linear in the amplitude, so that the level can be set afterwards;
            # this way it also works where a data set has no waveforms.
            mel = log_mel.exp() - LOG_OFFSET
            # Examples of zeros are no sound, they fill a clip up.
            told = own[own.flatten(1).any(dim=1)]
            level = max(0.0, _mean(told.exp() - LOG_OFFSET)) if len(told) else 0.0
            factor = level / _mean(mel)
            log_mel = (mel * factor + LOG_OFFSET).log()
        return log_mel.expand_as(own).clone()

    def hear_waveform(self, index: int, own: Waveform) -> Waveform:
        """Noise of the level, or of the root mean square of the clip's samples."""
        level = self._level(own.samples)
        noise = self._generator(index).standard_normal(len(own.samples)) * level
        return own._replace(samples=torch.from_numpy(noise).to(own.samples))

    def _num_frames(self, index: int) -> int | None:
        """Of a clip, without those that fill it up; None where the data do not tell."""
        files = getattr(self.dataset, "files", None)
        return None if files is None else len(files[index].frames)

    def _level(self, samples: Tensor) -> float:
        """Root mean square of the noise that is heard in the place of samples."""
        own_level = float(samples.square().mean().sqrt())
        return own_level if self.level_db is None else 10 ** (self.level_db / 20)

    def _generator(self, index: int) -> np.random.Generator:
        name = zlib.crc32(encode(self.dataset.clips[index]))
        return np.random.default_rng([self.seed, name])

    def settings(self) -> list[str]:
        """The noise hangs on seed and level."""
        return [str(self.seed), "own" if self.level_db is None else f"{self.level_db:g}dB"]


def _mean(x: Tensor) -> float:
    """By NumPy: the last bits of torch's mean hang on the number of threads, fewer in a worker."""
    return float(x.numpy().mean(dtype=np.float64))
