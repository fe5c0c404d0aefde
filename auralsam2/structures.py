"""Tensors that travel between the parts of the model, as named tuples.

Axes: B clips, T frames of a clip, C channels of the SAM2 neck (256 at real size), E the side of
the coarsest map (image size / 16 of SAM2), N = E * E tokens of a frame, M audio (and text) tokens
of a clip, D the contrastive space.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from torch import Tensor

UNLABELLED = 255
"""Stands in maps of classes where nothing is labelled; never the number of a class."""

NUM_EARS = {"both": 2, "mean": 1}
"""A, by what is heard of a recording's channels: the first two, or the mean of all."""


class Hearing(NamedTuple):
    """What an audio encoder asks to hear of a recording."""

    channels: str = "both"  # see NUM_EARS
    waveform_rate: int | None = None  # R, samples a second; None asks for log-mel examples

    @property
    def shape(self) -> tuple[int, ...]:
        """Of a second: (A, R), or (A, 96, 64)."""
        second = (96, 64) if self.waveform_rate is None else (self.waveform_rate,)
        return (NUM_EARS[self.channels], *second)

    @property
    def size(self) -> int:
        """Numbers of a second."""
        return prod(self.shape)


class VisualPyramid(NamedTuple):
    """The neck's maps before the decoder's 1x1 reductions, finest first."""

    levels: tuple[Tensor, ...]  # (B, T, C, 4E, 4E), (B, T, C, 2E, 2E), (B, T, C, E, E)


class FusionOutput(NamedTuple):
    """What a fusion block returns; updates are of blocks that have such a term."""

    visual: Tensor  # (B, T, N, C), the stream itself included
    audio: Tensor  # (B, M, C), likewise
    # (B, T, N, C) what the audio adds to the visual stream before the last normalisation.
    visual_update: Tensor | None = None
    audio_update: Tensor | None = None  # (B, M, C) what the visual stream adds to the audio's


class FuserOutput(NamedTuple):
    """Both streams behind the fusion of every level in order of computation, finest level first."""

    visual: tuple[Tensor, ...]  # one (B, T, N, C) a level
    audio: tuple[Tensor, ...]  # one (B, M, C) a level; the first T tokens are the frames' audio
    # One (B, T, N, C) a level where every fusion block gives one, else empty.
    visual_update: tuple[Tensor, ...] = ()

    def of_frames(self) -> tuple[Tensor, ...]:
        """The frames' audio of every level, (B, T, C) each; tokens of a text stand behind it."""
        return tuple(a[:, : v.shape[1]] for a, v in zip(self.audio, self.visual, strict=True))


class Prompts(NamedTuple):
    """Audio prompts in order of computation, finest level first; an empty tuple is *off*."""

    sparse: tuple[Tensor, ...] = ()  # one (B, T, C) a level, added to decoder tokens
    dense: tuple[Tensor, ...] = ()  # one (B, T, N, C) a level, added to decoder keys

    def at(self, frame: int) -> Prompts:
        """Those of one frame, T = 1."""
        return Prompts(*(tuple(x[:, frame : frame + 1] for x in kind) for kind in self))

    def scaled(self, weight: float) -> Prompts:
        """All times a factor; those of factor 1 are the same tensors."""
        if weight == 1:
            return self
        return Prompts(*(tuple(weight * prompt for prompt in kind) for kind in self))


class Embeddings(NamedTuple):
    """Points of the contrastive space, L2-normalised over D, finest level first."""

    visual: tuple[Tensor, ...]  # one (B, T, N, D) a level
    audio: tuple[Tensor, ...]  # one (B, T, D) a level


class Waveform(NamedTuple):
    """Sound of a clip as a tagger of its own rate wants it."""

    samples: Tensor  # (L,) float, mean of all channels, full scale 1
    rate: int  # samples a second

    def at(self, rate: int) -> Tensor:
        """(L',) samples at another rate."""
        if rate == self.rate:
            return self.samples
        import soxr
        import torch

        heard = soxr.resample(self.samples.cpu().numpy(), self.rate, rate)
        return torch.from_numpy(heard).to(self.samples)


class Prediction(NamedTuple):
    """The decoder's answer for every frame."""

    mask_logits: Tensor  # (B, T, 3, 4E, 4E), of the three multimask outputs
    ious: Tensor  # (B, T, 3) their predicted IoU in [0, 1]
    object_score_logits: Tensor  # (B, T, 1), above 0 where an object is seen
    best: Tensor  # (B, T, 4E, 4E) logits of the mask with the highest predicted IoU
    # (B, T, K, h, w) of K classes, background first, from a method with a class head.
    class_logits: Tensor | None = None

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """Those that are there, in their order."""
        return tuple(field for field in self if field is not None)
