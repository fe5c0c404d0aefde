"""Maps of classes: what logits say, what labels say, both at one size.

Axes: K classes with the background first, h, w, H and W sides of maps.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from auralsam2.structures import UNLABELLED


def foreground_logits(class_logits: Tensor) -> Tensor:
    """(..., K, h, w) -> (..., h, w): the largest logit of an object less the background's.

    Above 0 exactly where the most likely class is not the background.
    """
    return class_logits[..., 1:, :, :].amax(dim=-3) - class_logits[..., 0, :, :]


def predicted_classes(class_logits: Tensor, size: tuple[int, int]) -> Tensor:
    """Most likely class of every pixel.

    Args:
        class_logits: (T, K, h, w), interpolated bilinearly.
        size: (H, W).

    Returns:
        (T, H, W) uint8.
    """
    # Frame by frame: 71 classes of ten frames at their own size would fill gigabytes.
    frames = [
        F.interpolate(frame[None], size=size, mode="bilinear", align_corners=False)[0].argmax(dim=0)
        for frame in class_logits.float()
    ]
    return torch.stack(frames).to(torch.uint8)


def labels_at(semantic: Tensor, size: int) -> Tensor:
    """Numbers of classes (F, H, W) -> (F, size, size), each pixel the nearest one's."""
    if semantic.shape[-2:] == (size, size):
        return semantic
    square = (size, size)
    return F.interpolate(semantic[None].byte(), size=square, mode="nearest-exact")[0]


def check_classes(semantic: Tensor, num_classes: int, whose: str = "the labels") -> None:
    """Refuse labels of more classes than a model tells apart.

    Raises:
        ValueError: naming the highest one.
    """
    classes = semantic[semantic != UNLABELLED]
    highest = int(classes.max()) if classes.numel() else 0
    if highest >= num_classes:
        raise ValueError(
            f"{whose} have classes up to {highest}, and the model tells {num_classes} apart, the "
            f"background included; set model.num_classes to {highest + 1} or more"
        )
