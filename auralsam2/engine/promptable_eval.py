"""How well a SAM2 segments fresh synthetic clips when it is shown what to segment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from auralsam2.data.synthetic.scene import render, sample_scene

if TYPE_CHECKING:
    from auralsam2.models.backbones.sam2.network import Points, PromptableSAM2

MIN_AREA = 0.004

# Far from the seeds that a training would choose.
SEED = 1_000_000


@torch.no_grad()
def promptable_scores(
    network: PromptableSAM2, num_clips: int = 100, num_frames: int = 5, seed: int = SEED
) -> dict[str, float]:
    """Mean IoU over fresh clips, one object each, by kind of prompt.

    Args:
        network: in eval mode.
        num_clips: clips drawn.
        num_frames: T; scores of frames later than the first are of propagation.
        seed: of the clips; keep it away from the training's.

    Returns:
        ``box``, ``click`` (the mask with the best predicted IoU), ``click_single`` (the
        single-mask output) in the first frame; ``propagated_mask``: the true mask of the first
        frame carried through memory, mean over the later frames in which the object is seen.
    """
    from auralsam2.models.pretraining.prompts import box_points, click_points

    generator = torch.Generator().manual_seed(seed)
    scores: dict[str, list[float]] = {
        key: [] for key in ("box", "click", "click_single", "propagated_mask")
    }
    for index in range(num_clips):
        frames, masks = _draw(seed, index, num_frames, int(network.image_size))
        maps = network.decoder_features(network.raw_pyramid(frames))
        first = [m[:1] for m in maps]
        first[2] = first[2] + network.no_mem_embed.reshape(1, -1, 1, 1)
        for kind, points in (
            ("box", box_points(masks[:1], generator, jitter=0.0)),
            ("click", click_points(masks[:1], generator)),
        ):
            best, single = _answer(network, first, points)
            scores[kind].append(_iou(best, masks[0]))
            if kind == "click":
                scores["click_single"].append(_iou(single, masks[0]))
        scores["propagated_mask"] += _propagate(network, maps, masks)
    return {key: float(np.mean(values)) for key, values in scores.items()}


def _draw(seed: int, index: int, num_frames: int, size: int) -> tuple[Tensor, Tensor]:
    rng = np.random.default_rng([seed, index])
    while True:
        frames, masks = render(sample_scene(rng, num_frames=num_frames), size)
        large = np.flatnonzero(masks[0].mean(axis=(1, 2)) >= MIN_AREA)
        if len(large):
            chosen = masks[:, int(rng.choice(large))]
            return normalised(frames), torch.from_numpy(np.ascontiguousarray(chosen))


def normalised(frames: np.ndarray) -> Tensor:
    """(T, S, S, 3) uint8 -> (T, 3, S, S) float with ImageNet statistics."""
    from auralsam2.models.methods.base import PIXEL_MEAN, PIXEL_STD

    pixels = torch.from_numpy(np.ascontiguousarray(frames)).permute(0, 3, 1, 2).float()
    return (pixels - torch.tensor(PIXEL_MEAN).view(3, 1, 1)) / torch.tensor(PIXEL_STD).view(3, 1, 1)


def _answer(network: PromptableSAM2, maps: list[Tensor], points: Points) -> tuple[Tensor, Tensor]:
    out = network.decode(maps[2], maps[:2], points=points, all_masks=True)
    both = network.upsample(torch.cat([out.best, out.mask_logits[:, :1]], dim=1))[0] > 0
    return both[0], both[1]


def _propagate(network: PromptableSAM2, maps: list[Tensor], masks: Tensor) -> list[float]:
    from auralsam2.models.backbones.sam2.memory import ClipMemory

    memory = ClipMemory(network, len(masks))
    whole = masks[:1, None].float()
    coarse = maps[2]
    pointer = network.pointer_of_mask(coarse[:1], [maps[0][:1], maps[1][:1]], whole)
    present = torch.full((1, 1), 10.0)
    memory.store(
        0, coarse[:1], whole * 20 - 10, pointer, present, is_conditioning=True, from_prompts=False
    )
    scores = []
    for t in range(1, len(masks)):
        features = memory.condition(t, coarse[t : t + 1], is_conditioning=False)
        out = network.decode(features, [maps[0][t : t + 1], maps[1][t : t + 1]], pad_point=True)
        gated = network.gate(out.best, out.object_score_logits)
        logits = network.upsample(gated)
        memory.store(
            t,
            coarse[t : t + 1],
            logits,
            out.pointer,
            out.object_score_logits,
            is_conditioning=False,
        )
        if masks[t].any():
            scores.append(_iou(logits[0, 0] > 0, masks[t]))
    return scores


def _iou(predicted: Tensor, truth: Tensor) -> float:
    return float((predicted & truth).sum() / (predicted | truth).sum().clamp(min=1))
