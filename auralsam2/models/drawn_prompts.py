"""Prompts that a person would give, drawn from ground-truth masks: clicks, boxes, coarse masks."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from auralsam2.models.backbones.promptable import Points


def sample_click(region: Tensor, generator: torch.Generator) -> Tensor:
    """A random pixel of each region, away from its border where it has an inside.

    Args:
        region: (B, S, S) in {0, 1}; an empty region gives the centre of the image.
        generator: on the CPU.

    Returns:
        (B, 2) pixel coordinates x, y.
    """
    inside = 1 - F.max_pool2d(1 - region[:, None].float(), 5, stride=1, padding=2)[:, 0]
    has_inside = inside.flatten(1).any(1)[:, None, None]
    weights = torch.where(has_inside, inside, region.float()).flatten(1)
    side = region.shape[-1]
    empty = weights.sum(1) == 0
    weights[empty, (side // 2) * side + side // 2] = 1.0
    noise = torch.rand(weights.shape, generator=generator).to(weights.device)
    index = (weights * noise).argmax(1)
    return torch.stack([index % side, index // side], dim=1).float() + 0.5


def box_of(masks: Tensor, jitter: float, generator: torch.Generator) -> Tensor:
    """Bounding boxes (B, 2, 2), corners as x, y, of (B, S, S) masks, each shaken by a share."""
    side = masks.shape[-1]
    rows, cols = masks.any(2).float(), masks.any(1).float()
    span = torch.arange(side, device=masks.device, dtype=torch.float32)
    low = [torch.where(a > 0, span, side * 1.0).amin(1) for a in (cols, rows)]
    high = [torch.where(a > 0, span + 1, 0.0).amax(1) for a in (cols, rows)]
    boxes = torch.stack([torch.stack(low, 1), torch.stack(high, 1)], dim=1)
    size = (boxes[:, 1] - boxes[:, 0]).clamp(min=1)[:, None]
    noise = torch.randn(boxes.shape, generator=generator).to(masks.device)
    return (boxes + noise.clamp(-2, 2) * jitter * size).clamp(0, side)


def click_points(masks: Tensor, generator: torch.Generator) -> Points:
    """One positive click per mask: coords (B, 1, 2)."""
    coords = sample_click(masks, generator)[:, None]
    return Points(coords, torch.ones(coords.shape[:2], dtype=torch.int32, device=coords.device))


def box_points(masks: Tensor, generator: torch.Generator, jitter: float = 0.05) -> Points:
    """One box per mask as two labelled corners: coords (B, 2, 2)."""
    coords = box_of(masks, jitter, generator)
    labels = torch.tensor([2, 3], dtype=torch.int32, device=coords.device)
    return Points(coords, labels.expand(len(coords), 2))


def union_points(parts: Tensor, generator: torch.Generator) -> Points:
    """One click on each of two objects, (B, 2, S, S) -> coords (B, 2, 2), all positive."""
    coords = torch.stack([sample_click(parts[:, i], generator) for i in range(2)], dim=1)
    return Points(coords, torch.ones(coords.shape[:2], dtype=torch.int32, device=coords.device))


def correction_points(
    points: Points, masks: Tensor, predicted: Tensor, generator: torch.Generator
) -> Points:
    """Append one click in the wrongly segmented region, positive where something was missed."""
    missed = masks.bool() & ~predicted
    extra = predicted & ~masks.bool()
    more_missed = missed.flatten(1).sum(1) >= extra.flatten(1).sum(1)
    region = torch.where(more_missed[:, None, None], missed, extra)
    coords = torch.cat([points.coords, sample_click(region, generator)[:, None]], dim=1)
    labels = torch.cat([points.labels, more_missed[:, None].int()], dim=1)
    return Points(coords, labels)


def coarse_mask_logits(masks: Tensor, size: int, generator: torch.Generator) -> Tensor:
    """(B, 1, size, size) mask prompt: the mask's low-resolution logits, blurred and shaken."""
    low = F.interpolate(masks[:, None].float(), size=(size, size), mode="area")
    blurred = F.avg_pool2d(low, 3, stride=1, padding=1)
    noise = torch.randn(low.shape, generator=generator).to(low.device)
    return (blurred * 2 - 1) * 6 + noise
