"""A clip that a person corrects: clicks enter SAM2's decoder, its memory carries them.

Rules are those of SAM2's official video predictor where every corrected frame becomes a
conditioning one (its ``add_all_frames_to_correct_as_cond``). A frame that has been answered is
corrected from what was there: its memory-conditioned features, its previous mask as a mask prompt,
and all its clicks. What was corrected stays as it is, and all other frames are answered anew.

Axes: T frames of the clip, P clicks of a frame, C channels, E side of the image embedding.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from auralsam2.messages import UnfitModelError
from auralsam2.models.backbones.promptable import Decoded, Points
from auralsam2.models.backbones.sam2.memory import ClipMemory
from auralsam2.models.decode import EMPTY_LOGIT
from auralsam2.models.tracking import MemoryTracker, decode_frames, frame_order, of_clips
from auralsam2.structures import Prediction, Prompts, VisualPyramid

if TYPE_CHECKING:
    from auralsam2.models.backbones.sam2.network import PromptableSAM2
    from auralsam2.models.injection import StepwiseInjection

WEIGHT_BESIDE_CLICKS = 0.25
"""Of the audio prompts of a frame in which a person has clicked. They were trained without clicks,
and outvote most at full weight and at half of it (docs/clicks.md)."""
LARGEST_LOGIT = 32.0
"""Previous masks are cut at it before they are mask prompts, as upstream does."""


class CannotClickError(UnfitModelError):
    """A model that clicks cannot enter."""


class Interaction(ABC):
    """One clip of T frames under a person's clicks."""

    def __init__(self, network: PromptableSAM2, maps: Sequence[Tensor]) -> None:
        """Of maps (T, ...) as ``decoder_features`` gives them."""
        self.network, self.maps = network, maps
        self.frames: dict[int, Decoded] = {}  # answers so far

    @abstractmethod
    def click(self, frame: int, points: Points) -> None:
        """Answer again, given all clicks (1, P, 2) that a frame has; those of others stay."""

    def answer(self) -> Prediction:
        """Masks (1, T, ...) as they are now; frames without an answer are empty."""
        side = self.maps[0].shape[-1]
        logits = self.maps[0].new_full((1, 3, side, side), EMPTY_LOGIT, dtype=torch.float32)
        score = logits[:, 0, 0, :1]
        empty = Decoded(logits, torch.zeros_like(logits[..., 0, 0]), score, logits[:, :1], score)
        return of_clips([self.frames.get(t, empty) for t in range(len(self.maps[0]))])

    def previous(self, frame: int) -> Tensor | None:
        """(1, 1, 4E, 4E) mask prompt from what a frame shows now."""
        own = self.frames.get(frame)
        return None if own is None else own.best.clamp(-LARGEST_LOGIT, LARGEST_LOGIT)

    def frame_maps(self, frame: int) -> list[Tensor]:
        """The maps of one frame, (1, ...)."""
        return [level[frame : frame + 1] for level in self.maps]


class ClickedClip(Interaction):
    """A clip without sound: SAM2 with clicks, as its official video predictor answers them.

    Nothing is segmented before the first click. From the earliest corrected frame objects are
    carried to the end of the clip, and then to its beginning.
    """

    # Whether masks of frames without clicks are made 0 or 1 before they enter the memory.
    binary_memory = False

    def __init__(self, network: PromptableSAM2, maps: Sequence[Tensor]) -> None:
        super().__init__(network, maps)
        self.memory = ClipMemory(network, len(maps[0]))
        self.conditioning: set[int] = set()

    def click(self, frame: int, points: Points) -> None:
        """See :meth:`Interaction.click`."""
        maps, afresh = self.frame_maps(frame), self.begins(frame)
        features = self.condition(frame, afresh)
        out = self.decode(frame, features, maps, points, self.previous(frame))
        # Whatever the mode of decoding, the person has been shown this one.
        self.frames[frame] = out._replace(mask_logits=out.best.expand(-1, 3, -1, -1))
        self.conditioning.add(frame)
        self.store(frame, out)
        self.carry()

    def begins(self, frame: int) -> bool:
        """Whether a frame that is clicked sees no memory."""
        return frame not in self.frames

    def carry(self) -> None:
        """Answer all frames but the conditioning ones."""
        for t in self.order():
            if t in self.conditioning:
                continue
            self.frames[t] = self.decode(t, self.condition(t), self.frame_maps(t))
            self.store(t, self.frames[t])

    def order(self) -> Sequence[int]:
        """Frames from the earliest conditioning one on, then those before it, backwards."""
        start = min(self.conditioning)
        return [*range(start, len(self.maps[0])), *range(start - 1, -1, -1)]

    def backwards(self, frame: int) -> bool:
        """Whether a frame reads the memory of those behind it."""
        return bool(self.conditioning) and frame < min(self.conditioning)

    def condition(self, frame: int, first: bool = False) -> Tensor:
        """(1, C, E, E) features; the ``first`` frame to be answered sees no memory."""
        return self.memory.condition(
            frame, self.frame_maps(frame)[-1], first, self.backwards(frame)
        )

    def decode(
        self,
        frame: int,
        features: Tensor,
        maps: Sequence[Tensor],
        points: Points | None = None,
        masks: Tensor | None = None,
    ) -> Decoded:
        """One pass of prompt encoder and decoder; without an object its mask is empty.

        One click may mean several things, and the mask with the highest predicted IoU counts. To
        several clicks the single-mask output answers, or the best one where that is not stable.
        """
        network: PromptableSAM2 = self.network
        given: dict[str, Any] = {"points": points, "masks": masks, "pad_point": True}
        if points is not None and points.coords.shape[1] > network.multimask_max_pt_num:
            out = network.decode(features, maps[:-1], all_masks=True, single=True, **given)
            best = network.stable_mask(out.mask_logits, out.ious)
            out = Decoded(out.mask_logits[:, 1:], out.ious[:, 1:], out[2], best, out.pointer)
        else:
            out = network.decode(features, maps[:-1], **given)
        return network.gated(out)

    def store(self, frame: int, out: Decoded) -> None:
        """Remember a frame."""
        is_conditioning = frame in self.conditioning
        self.memory.store(
            frame,
            self.frame_maps(frame)[-1],
            out,
            is_conditioning=is_conditioning,
            from_prompts=is_conditioning or self.binary_memory,
        )


class HeardClip(ClickedClip):
    """A clip whose every frame has audio prompts; without a click that is what the tracker gives.

    A frame that is clicked is answered afresh, without memory and without the mask that sound has
    proposed there, and its audio prompts weigh a quarter: what a person says of a frame leads.

    Args:
        network: the SAM2.
        maps: (T, ...).
        tracker: whose conditioning frame, order and memory they are.
        prompts: of this clip, B = 1.
        injection: where they go.
    """

    binary_memory = True

    def __init__(
        self,
        network: PromptableSAM2,
        maps: Sequence[Tensor],
        tracker: MemoryTracker,
        prompts: Prompts,
        injection: StepwiseInjection,
    ) -> None:
        super().__init__(network, maps)
        self.tracker, self.prompts, self.injection = tracker, prompts, injection
        self.clicked: set[int] = set()
        first = tracker.conditioning_frame(len(maps[0]))
        self.start = first
        self.conditioning.add(first)
        self.frames[first] = self.decode(first, self.condition(first, True), self.frame_maps(first))
        self.store(first, self.frames[first])
        self.carry()

    def click(self, frame: int, points: Points) -> None:
        """See :meth:`Interaction.click`."""
        if frame not in self.clicked:
            self.frames.pop(frame, None)
            self.clicked.add(frame)
        super().click(frame, points)

    def begins(self, frame: int) -> bool:
        """Every frame that is clicked."""
        return True

    def order(self) -> Sequence[int]:
        """That of the tracker."""
        return frame_order(len(self.maps[0]), self.start)

    def backwards(self, frame: int) -> bool:
        """Never, as in the tracker."""
        return False

    def condition(self, frame: int, first: bool = False) -> Tensor:
        """(1, C, E, E) features."""
        return super().condition(frame, first or not self.tracker.use_memory)

    def decode(
        self,
        frame: int,
        features: Tensor,
        maps: Sequence[Tensor],
        points: Points | None = None,
        masks: Tensor | None = None,
    ) -> Decoded:
        """One pass of prompt encoder and decoder, with the audio prompts of the frame.

        Of its masks the one with the highest predicted IoU counts, as in training.
        """
        prompts = self.prompts if points is None else self.prompts.scaled(WEIGHT_BESIDE_CLICKS)
        given = (prompts.at(frame), self.injection, points, masks)
        return decode_frames(self.network, features, maps[:-1], *given)

    def store(self, frame: int, out: Decoded) -> None:
        """Remember a frame, by the tracker's rule where no object is seen."""
        super().store(frame, self.network.gated(out) if self.tracker.gate_memory else out)


def clips_of(network: PromptableSAM2, pyramid: VisualPyramid) -> list[list[Tensor]]:
    """What the decoder reads of every clip: three maps (T, ...) each."""
    flat = network.decoder_features([level.flatten(0, 1) for level in pyramid.levels])
    shape = pyramid.levels[0].shape[:2]
    return [list(maps) for maps in zip(*(m.unflatten(0, shape) for m in flat), strict=True)]


def prompts_of(prompts: Prompts, clip: int) -> Prompts:
    """Those of one clip of a batch, B = 1."""
    return Prompts(*(tuple(x[clip : clip + 1] for x in kind) for kind in prompts))
