"""Controls that hear the recording of another clip."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from torch import Tensor

from auralsam2.data.clip_contents import Classes, others_to_hear, read_contents
from auralsam2.data.datasets.counterfactual import CounterfactualAudio
from auralsam2.data.datasets.wrapped import sound_of
from auralsam2.data.problems import DataError
from auralsam2.registry import DATASETS
from auralsam2.structures import Waveform


class PartnerAudio(CounterfactualAudio):
    """Clips that hear the recording of another clip of the same data set, drawn from the seed.

    The data set has ``files`` whose entries tell ``sources`` and ``frames``.

    Attributes:
        partners: for every clip the number of the one that it hears.

    Raises:
        ValueError: where some clip has no partner.
    """

    def __init__(self, dataset: Mapping[str, Any] | Any, root: str, **settings: Any) -> None:
        super().__init__(dataset, root, **settings)
        if not hasattr(self.dataset, "files"):
            raise ValueError(
                f"{type(self.dataset).__name__} has no `files` that tell what sounds in its clips: "
                f"'{self.counterfactual}' sound is not to be had; 'silence' and 'noise' are"
            )
        self.partners = self._pair(*self.classes(), np.random.default_rng(self.seed))

    @abstractmethod
    def classes(self) -> tuple[Sequence[Classes], Sequence[Classes]]:
        """Of every clip what it may not hear, and what sounds in its recording.

        A clip hears one in which something sounds, and nothing that it may not hear.
        """

    @abstractmethod
    def complaint(self, index: int) -> str:
        """What clip ``index`` lacks, where no other may be heard with it."""

    def _pair(
        self, barred: Sequence[Classes], heard: Sequence[Classes], rng: np.random.Generator
    ) -> list[int]:
        """Draw a partner of equal length; where there is none, a longer one, which is cut."""
        lengths = np.array([len(clip.frames) for clip in self.dataset.files])
        partners = []
        for i, fits in enumerate(others_to_hear(barred, heard)):
            length, fits[i] = lengths[i], False
            found = np.flatnonzero(fits & (lengths == length))
            if not found.size:
                found = np.flatnonzero(fits & (lengths > length))
            if not found.size:
                raise ValueError(
                    f"clip '{self.dataset.clips[i]}' {self.complaint(i)}; leave "
                    f"'{self.counterfactual}' out of evaluation.counterfactuals (or of data.test), "
                    "or take more clips"
                )
            partners.append(int(rng.choice(found)))
        return partners

    def hear(self, index: int, own: Tensor) -> Tensor:
        """The partner's first T examples."""
        partner = self.partners[index]
        heard = sound_of(self.dataset, partner)
        if len(heard) < len(own):
            raise DataError(
                f"the sound of clip '{self.dataset.clips[partner]}' has {len(heard)} examples, and "
                f"'{self.dataset.clips[index]}', which is to hear it, has {len(own)} frames"
            )
        return heard[: len(own)]

    def hear_waveform(self, index: int, own: Waveform) -> Waveform:
        """The partner's samples, cut to the length of the clip's own."""
        heard: Waveform = self.dataset.waveform(self.partners[index])
        length = round(len(own.samples) * heard.rate / own.rate)
        return heard._replace(samples=heard.samples[:length])


@DATASETS.register_module()
class AudioSwapped(PartnerAudio):
    """Clips with the audio of a clip in which other things sound; masks and frames stay.

    A model that truly listens must lose here; one that guesses salient objects does not. What
    sounds in the partner may be in view, silent in truth: a model that listens segments that.
    """

    counterfactual = "swapped"
    empty_truth = False

    def classes(self) -> tuple[Sequence[Classes], Sequence[Classes]]:
        """Disjoint sources: nothing that the clip's truth shows may be heard."""
        sources = [clip.sources for clip in self.dataset.files]
        return sources, sources

    def complaint(self, index: int) -> str:
        """What the clip is of, and that no other fits."""
        own = ", ".join(sorted(self.dataset.files[index].sources)) or "silent"
        return f"({own}) has no partner of its length or longer in which other things sound"


@DATASETS.register_module()
class AudioOffscreen(PartnerAudio):
    """Clips with a sound whose source is nowhere in view; masks and frames stay.

    The sound is the recording of another clip, all of whose sources are classes that the clip does
    not show. What a clip shows is known from the list of drawn objects where clips are synthetic,
    silent ones included. Elsewhere it is known from the classes of the labels, and these name what
    sounds only: on AVSBench something silent in view may be of the class that is heard, and this
    control asks no more than ``swapped`` does. Data without classes (Ref-AVS, the V1M part of
    AVSBench's object release) cannot tell, and are refused.
    """

    counterfactual = "offscreen"
    empty_truth = True

    def classes(self) -> tuple[Sequence[Classes], Sequence[Classes]]:
        """No class that is heard is one that is seen."""
        contents = self._contents = read_contents(self.dataset)
        return [clip.seen for clip in contents], [clip.heard for clip in contents]

    def complaint(self, index: int) -> str:
        """What the clip is of, and that no other fits."""
        seen = ", ".join(sorted(self._contents[index].seen)) or "nothing"
        return f"(in view: {seen}) has no partner that sounds of classes not in view"
