"""Promptable segmentation as a training task: how the embedded ``sam2-mini`` learns.

Still images are answered for one click, two clicks on two objects, a box and a coarse mask, each
followed by one corrective click; clips are answered from a prompt or a mask in the first frame and
then by propagation through memory. Single-mask and multimask outputs are both supervised: a frozen
decoder whose multimask tokens were never trained is of no use to audio prompts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from mmengine.model import BaseModel
from torch import Tensor

from auralsam2.models.backbones.sam2.memory import ClipMemory
from auralsam2.models.backbones.sam2.network import Decoded, Points, PromptableSAM2
from auralsam2.models.pretraining.loss import all_token_loss
from auralsam2.models.pretraining.prompts import (
    box_points,
    click_points,
    coarse_mask_logits,
    correction_points,
    union_points,
)
from auralsam2.registry import MODELS

MEAN, STD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)


@MODELS.register_module()
class PromptableSegmentation(BaseModel):
    """SAM2 under promptable-segmentation losses.

    Args:
        size: backbone size.
        version: SAM generation.
        image_size: side of the input in pixels.
        seed: of the prompts' generator; step i draws from (seed, i), so a resumed run goes on
            with the prompts it would have drawn.
    """

    def __init__(
        self, size: str = "mini", version: str = "2.1", image_size: int = 128, seed: int = 0
    ) -> None:
        super().__init__()
        from auralsam2.models.backbones.sam2.build import build_sam2

        self.sam2: PromptableSAM2 = build_sam2(size, version, image_size)
        self.seed = seed
        self.register_buffer("step", torch.zeros((), dtype=torch.long))
        self.register_buffer("mean", torch.tensor(MEAN).view(3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(STD).view(3, 1, 1), persistent=False)

    def forward(
        self,
        images: Tensor,
        image_masks: Tensor,
        clips: Tensor,
        clip_masks: Tensor,
        mode: str = "loss",
    ) -> dict[str, Tensor]:
        """Losses of one step.

        Args:
            images: (I, 3, S, S) uint8.
            image_masks: (I, 2, S, S) uint8, two objects of each image.
            clips: (K, T, 3, S, S) uint8.
            clip_masks: (K, T, S, S) uint8, one object of each clip; empty where it is not seen.
            mode: only ``loss``.
        """
        if mode != "loss":
            raise ValueError(f"PromptableSegmentation only computes losses, got {mode=}")
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + int(self.step))
        self.step += 1
        frames = torch.cat([images, clips.flatten(0, 1)])
        pyramid = self.sam2.raw_pyramid((frames.float() - self.mean) / self.std)
        features = self.sam2.decoder_features(pyramid)
        still = [f[: len(images)] for f in features]
        moving = [f[len(images) :].unflatten(0, clips.shape[:2]) for f in features]
        losses = self._image_losses(still, image_masks, generator)
        for name, value in self._clip_losses(moving, clip_masks, generator).items():
            losses[f"{name}_clip"] = value
        return losses

    def _image_losses(
        self, features: Sequence[Tensor], masks: Tensor, generator: torch.Generator
    ) -> dict[str, Tensor]:
        # Objects become the batch, so that all prompts share the encoder's work: the first object
        # of each image gets a click, the second a box; clicks on both ask for their union.
        maps = list(features)
        maps[2] = maps[2] + self.sam2.no_mem_embed.reshape(1, -1, 1, 1)
        first, second, both = masks[:, 0], masks[:, 1], masks.amax(1)
        half = len(masks) // 2
        low = coarse_mask_logits(
            torch.cat([second[:half], both[:half]]), maps[0].shape[-1], generator
        )
        few = [f[:half] for f in maps]
        rest = [f[half:] for f in maps]
        answers = [
            self._answer(
                maps, first, click_points(first, generator), None, generator, correct=True
            ),
            self._answer(maps, second, box_points(second, generator), None, generator),
            self._answer(rest, both[half:], union_points(masks[half:], generator), None, generator),
            self._answer(few, second[:half], None, low[:half], generator),
            self._answer(few, both[:half], None, low[half:], generator),
        ]
        return _mean(answers)

    def _answer(
        self,
        features: Sequence[Tensor],
        masks: Tensor,
        points: Points | None,
        low: Tensor | None,
        generator: torch.Generator,
        correct: bool = False,
    ) -> dict[str, Tensor]:
        """Losses of a prompt and, where asked for, once more after a corrective click."""
        pad = bool(torch.rand((), generator=generator) < 0.5)
        out = self._decode(features, points, low, pad)
        losses = [all_token_loss(out, masks)]
        if correct and points is not None:
            with torch.no_grad():
                predicted = self.sam2.upsample(out.best)[:, 0] > 0
                more = correction_points(points, masks, predicted, generator)
            corrected = self._decode(features, more, out.best.detach(), False)
            losses.append(all_token_loss(corrected, masks))
        return _mean(losses)

    def _decode(
        self, features: Sequence[Tensor], points: Points | None, low: Tensor | None, pad: bool
    ) -> Decoded:
        return self.sam2.decode(
            features[2], features[:2], points=points, masks=low, pad_point=pad, all_masks=True
        )

    def _clip_losses(
        self, features: Sequence[Tensor], masks: Tensor, generator: torch.Generator
    ) -> dict[str, Tensor]:
        num_frames = masks.shape[1]
        memory = ClipMemory(self.sam2, num_frames)
        given = bool(torch.rand((), generator=generator) < 0.5)
        losses = []
        for t in range(num_frames):
            maps = [f[:, t] for f in features]
            conditioned = memory.condition(t, maps[2], is_conditioning=t == 0)
            if t == 0 and given:
                self._store_given(memory, maps, conditioned, masks[:, 0])
                continue
            points = None
            if t == 0:
                first = masks[:, 0]
                points = box_points(first, generator)
            out = self._decode([*maps[:2], conditioned], points, None, True)
            losses.append(all_token_loss(out, masks[:, t]))
            full = self.sam2.upsample(self.sam2.gate(out.best, out.object_score_logits))
            memory.store(
                t,
                maps[2],
                full,
                out.pointer,
                out.object_score_logits,
                is_conditioning=t == 0,
                from_prompts=True,
            )
        return _mean(losses)

    def _store_given(
        self, memory: ClipMemory, maps: Sequence[Tensor], conditioned: Tensor, masks: Tensor
    ) -> None:
        whole = masks[:, None].float()
        pointer = self.sam2.pointer_of_mask(maps[2], maps[:2], whole)
        seen = whole.flatten(1).amax(1, keepdim=True) * 20 - 10
        memory.store(
            0, maps[2], whole * 20 - 10, pointer, seen, is_conditioning=True, from_prompts=False
        )


def _mean(parts: Sequence[dict[str, Any]]) -> dict[str, Tensor]:
    return {key: torch.stack([p[key] for p in parts]).mean() for key in parts[0]}
