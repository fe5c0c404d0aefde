"""Which pixels enter the contrastive set: hard and easy ones of each class, frame by frame."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

# Two classes (background, sounding object), each with easy and hard pixels.
NUM_KINDS = 4


def reduce_masks(masks: Tensor, size: int) -> Tensor:
    """Reduce masks to the token grid by nearest neighbour, (B, T, S, S) to (B, T, E * E)."""
    return F.interpolate(masks.float(), size=(size, size), mode="nearest").flatten(2)


def reduce_logits(mask_logits: Tensor, size: int) -> Tensor:
    """Reduce logits to the token grid bilinearly, (B, T, h, w) to (B, T, E * E), no gradient."""
    reduced = F.interpolate(
        mask_logits.detach().float(), size=(size, size), mode="bilinear", align_corners=False
    )
    return reduced.flatten(2)


def pixel_labels(masks: Tensor, size: int) -> Tensor:
    """Labels of tokens, (B, T, S, S) to (B, T, E * E) int64: 1 sounding object, 0 background."""
    return (reduce_masks(masks, size) > 0).long()


def pixel_predictions(mask_logits: Tensor, size: int) -> Tensor:
    """Where reduced logits are above 0, (B, T, h, w) to (B, T, E * E) bool."""
    return reduce_logits(mask_logits, size) > 0


def quotas(num_hard: Tensor, num_easy: Tensor, max_samples: int) -> tuple[Tensor, Tensor]:
    """Share ``2 * max_samples`` places between hard and easy pixels of a class.

    Each kind has ``max_samples`` places; those that one kind leaves free go to the other.

    Numbers of pixels that the prediction gets wrong (hard) and right (easy), (...) each, become
    numbers of those to take.
    """
    spare_hard = (max_samples - num_hard).clamp(min=0)
    spare_easy = (max_samples - num_easy).clamp(min=0)
    take_hard = torch.minimum(num_hard, max_samples + spare_easy)
    take_easy = torch.minimum(num_easy, max_samples + spare_hard)
    return take_hard, take_easy


def sample_pixels(
    labels: Tensor, predictions: Tensor, max_samples: int, generator: torch.Generator | None
) -> Tensor:
    """Draw hard and easy pixels of each class without replacement, all frames at once.

    Args:
        labels: (G, N) int64 in {0, 1}, one row a frame and level.
        predictions: (G, N) bool; a pixel is hard where it disagrees with its label.
        max_samples: at most this many hard and this many easy pixels a row and class, see
            :func:`quotas`.
        generator: source of randomness on any device; None is torch's default one.

    Returns:
        (G, N) bool, the drawn pixels. Each keeps the label of its own position.
    """
    easy = predictions == (labels > 0)
    kind = 2 * labels + easy.long()
    counts = torch.zeros(len(kind), NUM_KINDS, dtype=torch.long, device=kind.device)
    counts.scatter_add_(1, kind, torch.ones_like(kind))
    take = torch.stack(quotas(counts[:, 0::2], counts[:, 1::2], max_samples), dim=-1).flatten(1)

    device = kind.device if generator is None else generator.device
    noise = torch.rand(kind.shape, generator=generator, device=device, dtype=torch.float64)
    # Half-width noise cannot carry a pixel into the next kind.
    order = (kind + 0.5 * noise.to(kind.device)).argsort(dim=1)
    position = torch.empty_like(order)
    position.scatter_(1, order, torch.arange(kind.shape[1], device=kind.device).expand_as(order))
    rank = position - (counts.cumsum(1) - counts).gather(1, kind)
    return rank < take.gather(1, kind)
