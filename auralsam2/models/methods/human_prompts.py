"""Prompts that a careful person would give, made from the truth and shaken by a seeded generator.

Axes: K objects of a frame, S side of the image, h side of the decoder's masks.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from scipy import ndimage
from torch import Tensor

if TYPE_CHECKING:
    from auralsam2.models.backbones.sam2.network import Points

# Nobody clicks on specks: pieces below this share of the truth's area are left to the others.
MIN_SHARE = 0.02


class HumanPrompt(NamedTuple):
    """One prompt an object."""

    points: Points | None = None  # clicks or boxes of K objects
    masks: Tensor | None = None  # (K, 1, h, h) mask prompts as logits


def clip_generator(seed: int, clip: str) -> torch.Generator:
    """A generator of this clip's own: its prompts do not hang on what else is in the batch."""
    digest = hashlib.blake2b(f"{seed}/{clip}".encode(), digest_size=7).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest, "big"))


def objects_of(mask: Tensor) -> Tensor:
    """Connected pieces of one frame's truth, the largest first: a person prompts one at a time.

    Args:
        mask: (S, S) in {0, 1}.

    Returns:
        (K, S, S) in {0, 1}; K is 0 where the mask is empty.
    """
    labels, count = ndimage.label(mask.cpu().numpy() > 0, structure=np.ones((3, 3)))
    areas = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    kept = [k for k in np.argsort(-areas, kind="stable") if areas[k] >= MIN_SHARE * areas.sum()]
    pieces = labels[None] == 1 + np.array(kept, dtype=int).reshape(-1, 1, 1)
    return torch.from_numpy(pieces).to(mask)


def box_prompt(
    objects: Tensor, size: int, jitter: float, generator: torch.Generator
) -> HumanPrompt:
    """The bounding box of every object, its corners shaken by a share of its sides."""
    from auralsam2.models.drawn_prompts import box_points

    return HumanPrompt(points=box_points(objects, generator, jitter))


def click_prompt(
    objects: Tensor, size: int, jitter: float, generator: torch.Generator
) -> HumanPrompt:
    """One click an object, where it is thickest, shaken by a share of its sides but inside it."""
    from auralsam2.models.backbones.sam2.network import Points

    noise = torch.randn(len(objects), 2, generator=generator).clamp(-2, 2).numpy() * jitter
    clicks = [
        _click(one.cpu().numpy() > 0, shake) for one, shake in zip(objects, noise, strict=True)
    ]
    coords = torch.tensor(np.stack(clicks), dtype=torch.float32, device=objects.device)[:, None]
    labels = torch.ones(coords.shape[:2], dtype=torch.int32, device=objects.device)
    return HumanPrompt(points=Points(coords, labels))


def mask_prompt(
    objects: Tensor, size: int, jitter: float, generator: torch.Generator
) -> HumanPrompt:
    """A rough mask an object: shifted by a share of its sides, blurred, with noise."""
    from auralsam2.models.drawn_prompts import coarse_mask_logits

    noise = torch.randn(len(objects), 2, generator=generator).clamp(-2, 2).numpy() * jitter
    shifted = [
        _shift(one, *np.round(shake * _sides(one.cpu().numpy() > 0)).astype(int))
        for one, shake in zip(objects, noise, strict=True)
    ]
    return HumanPrompt(masks=coarse_mask_logits(torch.stack(shifted), size, generator))


Prompter = Callable[[Tensor, int, float, torch.Generator], HumanPrompt]

PROMPTS: dict[str, Prompter] = {"box": box_prompt, "click": click_prompt, "mask": mask_prompt}


def _click(inside: np.ndarray, shake: np.ndarray) -> tuple[float, float]:
    """(x, y) in pixels."""
    depth = ndimage.distance_transform_edt(np.pad(inside, 1))[1:-1, 1:-1]
    row, col = np.unravel_index(depth.argmax(), depth.shape)
    width, height = _sides(inside)
    x, y = int(col + shake[0] * width), int(row + shake[1] * height)
    within = 0 <= y < len(inside) and 0 <= x < inside.shape[1] and inside[y, x]
    return (x + 0.5, y + 0.5) if within else (col + 0.5, row + 0.5)


def _sides(inside: np.ndarray) -> np.ndarray:
    """Width and height of the bounding box."""
    rows, cols = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
    return np.array([cols[-1] - cols[0] + 1, rows[-1] - rows[0] + 1])


def _shift(mask: Tensor, x: int, y: int) -> Tensor:
    """(S, S) moved by x to the right and y down; what enters is empty."""
    return F.pad(mask[None], (x, -x, y, -y))[0]
