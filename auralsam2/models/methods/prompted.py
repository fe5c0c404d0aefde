"""SAM2 with human prompts: the upper line of every comparison."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor

from auralsam2.models.decoder_rows import CannotProbeError, DecoderCalls, DecoderRow
from auralsam2.models.methods.base import EMPTY_LOGIT, ClipBatch, Node, SAM2Method
from auralsam2.models.methods.human_prompts import (
    PROMPTS,
    HumanPrompt,
    clip_generator,
    objects_of,
)
from auralsam2.registry import MODELS
from auralsam2.structures import Prediction

if TYPE_CHECKING:
    from auralsam2.models.backbones.sam2.memory import ClipMemory
    from auralsam2.models.backbones.sam2.network import Decoded, PromptableSAM2

PROMPTED_FRAMES = ("every", "first")


class FrameAnswer(NamedTuple):
    """One frame's mask, its objects joined."""

    mask_logits: Tensor  # (3, 4E, 4E)
    ious: Tensor  # (3,)
    score: Tensor  # (1,)
    best: Tensor  # (4E, 4E)


@MODELS.register_module()
class PromptedSAM2(SAM2Method):
    """SAM2 as people use it, prompted from the truth; trains nothing, hears nothing.

    Every connected piece of the truth counts as one object with a prompt of its own; the frame's
    mask is the union. A frame whose truth is empty gets no prompt and hence an empty mask. The
    prompts of a clip are drawn from (seed, name of the clip): the same at every evaluation.

    Args:
        backbone: node of ``BACKBONES``.
        prompt: ``box``, ``click`` (one positive) or ``mask`` (a rough one, as logits).
        prompted_frames: ``every`` frame is prompted and answered as an image, or only the
            ``first`` one whose truth is not empty; the objects are then carried to the later
            frames by SAM2's memory. New objects of later frames are missed.
        jitter: how far a prompt is off, as a standard deviation in sides of the object (cut at
            two); 0 is exact.
        seed: of the prompts.
        **shared: see :class:`SAM2Method`.

    Raises:
        ValueError: naming every argument that is out of range.
    """

    def __init__(
        self,
        backbone: Node,
        prompt: str = "box",
        prompted_frames: str = "every",
        jitter: float = 0.05,
        seed: int = 0,
        **shared: Any,
    ) -> None:
        problems = []
        if prompt not in PROMPTS:
            problems.append(f"unknown {prompt=}; known: {', '.join(PROMPTS)}")
        if prompted_frames not in PROMPTED_FRAMES:
            problems.append(f"unknown {prompted_frames=}; known: {', '.join(PROMPTED_FRAMES)}")
        if not 0 <= jitter < 1:
            problems.append(f"jitter must be at least 0 and below 1, got {jitter=}")
        if shared.get("tracker") is not None:
            problems.append("tracker must be None, prompted_frames says how masks travel")
        if problems:
            raise ValueError("PromptedSAM2: " + "; ".join(problems))
        super().__init__(backbone=backbone, **shared)
        self.prompt, self.prompted_frames = prompt, prompted_frames
        self.jitter, self.seed = jitter, seed

    def predict_clip(self, batch: ClipBatch) -> Prediction:
        """Masks of every frame, one clip after the other."""
        network: PromptableSAM2 = self.backbone.network
        levels = self.encode(batch.frames).levels
        clips = []
        for i, name in enumerate(batch.clip):
            maps = network.decoder_features([level[i] for level in levels])
            clips.append(self._answer_clip(maps, batch.masks[i], name))
        return Prediction(
            *(
                torch.stack(
                    [torch.stack([getattr(frame, key) for frame in clip]) for clip in clips]
                )
                for key in FrameAnswer._fields
            )
        )

    def decoder_rows(self, masks: Tensor) -> DecoderCalls:
        """One call a frame of a clip, one row an object; frames without truth are not decoded.

        Raises:
            CannotProbeError: where objects are carried by memory: whether a piece of a later
                frame's truth is one of them, and which, is not known.
        """
        if self.prompted_frames != "every":
            raise CannotProbeError(
                f"PromptedSAM2 with prompted_frames={self.prompted_frames!r} cannot be looked "
                "into: which object of a later frame is which is not known; take 'every'"
            )
        objects = (
            (i, t, objects_of(mask)) for i, clip in enumerate(masks) for t, mask in enumerate(clip)
        )
        return [[DecoderRow(i, t, one) for one in held] for i, t, held in objects if len(held)]

    def _answer_clip(self, maps: Sequence[Tensor], masks: Tensor, name: str) -> list[FrameAnswer]:
        """Masks of T frames from their maps (T, ...)."""
        from auralsam2.models.backbones.sam2.memory import ClipMemory

        generator = clip_generator(self.seed, name)
        memory: ClipMemory | None = None
        answers: list[FrameAnswer] = []
        num_objects = 0
        for t, mask in enumerate(masks):
            given = None
            if memory is None or self.prompted_frames == "every":
                objects = objects_of(mask)
                if not len(objects):
                    answers.append(_empty(maps[0]))
                    continue
                given = PROMPTS[self.prompt](objects, maps[0].shape[-1], self.jitter, generator)
                memory, num_objects = ClipMemory(self.backbone.network, len(masks)), len(objects)
            frame = [m[t : t + 1].expand(num_objects, -1, -1, -1) for m in maps]
            answers.append(_join(self._decode(memory, t, frame, given)))
        return answers

    def _decode(
        self, memory: ClipMemory, t: int, maps: Sequence[Tensor], given: HumanPrompt | None
    ) -> Decoded:
        """Answer for K objects of one frame, and remember it as upstream's video predictor does."""
        network: PromptableSAM2 = self.backbone.network
        features = memory.condition(t, maps[2], is_conditioning=given is not None)
        points, masks = given or HumanPrompt()
        out = network.decode(features, maps[:2], points=points, masks=masks, pad_point=True)
        out = out._replace(
            mask_logits=network.gate(out.mask_logits, out.object_score_logits),
            best=network.gate(out.best, out.object_score_logits),
        )
        if self.prompted_frames == "first":
            memory.store(
                t,
                maps[2],
                network.upsample(out.best),
                out.pointer,
                out.object_score_logits,
                is_conditioning=given is not None,
            )
        return out


def _join(out: Decoded) -> FrameAnswer:
    """The union of K objects; what is said of its quality is their mean."""
    return FrameAnswer(
        out.mask_logits.amax(0),
        out.ious.mean(0),
        out.object_score_logits.amax(0),
        out.best.amax(0)[0],
    )


def _empty(fine: Tensor) -> FrameAnswer:
    """No object: (T, C / 8, 4E, 4E) gives the side."""
    side = fine.shape[-1]
    logits = fine.new_full((3, side, side), EMPTY_LOGIT)
    return FrameAnswer(logits, fine.new_zeros(3), fine.new_full((1,), EMPTY_LOGIT), logits[0])
