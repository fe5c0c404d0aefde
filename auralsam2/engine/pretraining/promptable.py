"""Promptable segmentation as a training task: how the embedded ``sam2-mini`` learns.

Still images are answered for one click, two clicks on two objects, a box and a coarse mask, each
followed by one corrective click; clips are answered from a prompt or a mask in the first frame and
then by propagation through memory. Single-mask and multimask outputs are both supervised: a frozen
decoder whose multimask tokens were never trained is of no use to audio prompts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

import torch
import torch.nn.functional as F
from mmengine.model import BaseModel
from torch import Tensor
from torchvision.ops import sigmoid_focal_loss

from auralsam2.losses.mask import dice_loss, mask_iou
from auralsam2.models.backbones.promptable import Decoded, Points
from auralsam2.models.backbones.sam2.build import build_sam2
from auralsam2.models.backbones.sam2.memory import ClipMemory
from auralsam2.models.backbones.sam2.network import PromptableSAM2
from auralsam2.models.drawn_prompts import (
    box_points,
    click_points,
    coarse_mask_logits,
    correction_points,
    union_points,
)
from auralsam2.models.methods.base import PIXEL_MEAN, PIXEL_STD

SIZE = "mini"
FOCAL, DICE, IOU, OBJECT = 20.0, 1.0, 1.0, 1.0
ALPHA, GAMMA = 0.25, 2.0


class PromptableSegmentation(BaseModel):
    """SAM2 under promptable-segmentation losses.

    Args:
        image_size: side of the input in pixels.
        seed: of the prompts' generator; step i draws from (seed, i), so a resumed run goes on
            with the prompts it would have drawn.
    """

    def __init__(self, image_size: int = 128, seed: int = 0) -> None:
        super().__init__()
        self.sam2: PromptableSAM2 = build_sam2(SIZE, image_size=image_size)
        self.seed = seed
        self.register_buffer("step", torch.zeros((), dtype=torch.long))
        self.register_buffer("mean", torch.tensor(PIXEL_MEAN).view(3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(PIXEL_STD).view(3, 1, 1), persistent=False)

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
        features = self.features(torch.cat([images, clips.flatten(0, 1)]))
        still = [f[: len(images)] for f in features]
        moving = [f[len(images) :].unflatten(0, clips.shape[:2]) for f in features]
        losses = self._image_losses(still, image_masks, generator)
        for name, value in self._clip_losses(moving, clip_masks, generator).items():
            losses[f"{name}_clip"] = value
        return losses

    def features(self, frames: Tensor) -> list[Tensor]:
        """(N, 3, S, S) uint8 -> the maps that the decoder reads, before memory conditioning."""
        pyramid = self.sam2.raw_pyramid((frames.float() - self.mean) / self.std)
        return self.sam2.decoder_features(pyramid)

    def without_memory(self, features: Sequence[Tensor]) -> list[Tensor]:
        """The maps of frames that no other frame is seen from."""
        return [*features[:2], features[2] + self.sam2.no_mem_embed.reshape(1, -1, 1, 1)]

    def _image_losses(
        self, features: Sequence[Tensor], masks: Tensor, generator: torch.Generator
    ) -> dict[str, Tensor]:
        # Objects become the batch, so that all prompts share the encoder's work: the first object
        # of each image gets a click, the second a box; clicks on both ask for their union.
        maps = self.without_memory(features)
        first, second, both = masks[:, 0], masks[:, 1], masks.amax(1)
        half = len(masks) // 2
        low = coarse_mask_logits(
            torch.cat([second[:half], both[:half]]), maps[0].shape[-1], generator
        )
        few = [f[:half] for f in maps]
        rest = [f[half:] for f in maps]
        answer = partial(self._answer, generator=generator)
        answers = [
            answer(maps, first, points=click_points(first, generator), correct=True),
            answer(maps, second, points=box_points(second, generator)),
            answer(rest, both[half:], points=union_points(masks[half:], generator)),
            answer(few, second[:half], low=low[:half]),
            answer(few, both[:half], low=low[half:]),
        ]
        return _mean(answers)

    def _answer(
        self,
        features: Sequence[Tensor],
        masks: Tensor,
        *,
        generator: torch.Generator,
        points: Points | None = None,
        low: Tensor | None = None,
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
        given = bool(torch.rand((), generator=generator) < 0.5)
        points = None if given else box_points(masks[:, 0], generator)
        answered = self.propagate(features, masks, points)
        return _mean([all_token_loss(out, masks[:, t]) for t, out, _ in answered])

    def propagate(
        self, features: Sequence[Tensor], masks: Tensor, points: Points | None = None
    ) -> Iterator[tuple[int, Decoded, Tensor]]:
        """Answer the frames of K clips one after the other, each with the memory of those before.

        Args:
            features: three maps of all frames, (K, T, ...).
            masks: (K, T, S, S); the first frame is given its own where there are no points.
            points: the prompt of the first frame.

        Yields:
            Index, decoding and (K, 1, S, S) gated mask logits of every frame that is answered.
        """
        memory = ClipMemory(self.sam2, masks.shape[1])
        for t in range(masks.shape[1]):
            maps, first = [f[:, t] for f in features], t == 0
            if first and points is None:
                whole = masks[:, :1].float()
                logits, seen = whole * 20 - 10, whole.flatten(1).amax(1, keepdim=True) * 20 - 10
                pointer = self.sam2.pointer_of_mask(maps[2], maps[:2], whole)
                out = Decoded(logits, torch.ones_like(seen), seen, logits, pointer)
            else:
                conditioned = memory.condition(t, maps[2], is_conditioning=first)
                out = self._decode([*maps[:2], conditioned], points if first else None, None, True)
                best = self.sam2.gate(out.best, out.object_score_logits)
                yield t, out, self.sam2.upsample(best)
                out = out._replace(best=best)
            prompted = not first or points is not None
            memory.store(t, maps[2], out, is_conditioning=first, from_prompts=prompted)


def all_token_loss(out: Decoded, masks: Tensor) -> dict[str, Tensor]:
    """Single-mask token and the best multimask token supervised, IoU of all four, object score.

    Args:
        out: with all four masks, (B, 4, h, h).
        masks: (B, S, S) in {0, 1}; empty where the object is not seen (only its score counts).

    Returns:
        ``loss_mask``, ``loss_dice``, ``loss_iou``, ``loss_class``: scalars, weighted.
    """
    truth = masks.float()
    seen = truth.flatten(1).amax(1)
    count = seen.sum().clamp(min=1)
    with torch.no_grad():
        # Choosing at low resolution quarters the cost of the four masks; the loss itself is
        # taken at full resolution for the two that are supervised.
        low = F.interpolate(truth[:, None], size=out.mask_logits.shape[-2:], mode="area")
        score = FOCAL * _focal(out.mask_logits, low) + DICE * dice_loss(out.mask_logits, low)
        best = 1 + score[:, 1:].argmin(1)
        actual = mask_iou(out.mask_logits, low > 0.5)
    rows = torch.arange(len(truth), device=truth.device)
    chosen = torch.stack([out.mask_logits[:, 0], out.mask_logits[rows, best]], dim=1)
    full = F.interpolate(chosen, size=masks.shape[-2:], mode="bilinear", align_corners=False)
    target = truth[:, None].expand_as(full)
    focal, dice = _focal(full, target).mean(1), dice_loss(full, target).mean(1)
    iou = F.l1_loss(out.ious.float(), actual, reduction="none").mean(1)
    score_logits = out.object_score_logits[:, 0].float()
    return {
        "loss_mask": FOCAL * (focal * seen).sum() / count,
        "loss_dice": DICE * (dice * seen).sum() / count,
        "loss_iou": IOU * (iou * seen).sum() / count,
        "loss_class": OBJECT * F.binary_cross_entropy_with_logits(score_logits, seen),
    }


def _focal(logits: Tensor, target: Tensor) -> Tensor:
    """(B, M): sigmoid focal loss averaged over pixels; ``target`` may be a soft mask."""
    loss = sigmoid_focal_loss(logits, target.expand_as(logits), ALPHA, GAMMA)
    return loss.flatten(2).mean(2)


def _mean(parts: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
    return {key: torch.stack([p[key] for p in parts]).mean() for key in parts[0]}
