"""Jaccard index J (foreground IoU) as AVSBench defines it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from auralsam2.messages import unknown_values
from auralsam2.metrics.clip_metric import GroupedMetric, group_size_problems, on_object
from auralsam2.registry import METRICS

EPSILON = 1e-7
THRESHOLD = 0.5


def predicted_foreground(mask_logits: Tensor, threshold: float = THRESHOLD) -> Tensor:
    """Return where the probability is above the threshold; at 0.5, where the logit is above 0."""
    return mask_logits > math.log(threshold / (1 - threshold))


def jaccard(mask_logits: Tensor, masks: Tensor, threshold: float = THRESHOLD) -> Tensor:
    """Jaccard index of every frame.

    Args:
        mask_logits: (T, H, W); a pixel is predicted where its probability is above the threshold.
        masks: (T, H, W) truth, above 0 on the object.
        threshold: in (0, 1); 0.5 (logit above 0) in AVSBench, 0.4 in the Ref-AVS benchmark.

    Returns:
        (T,) float64 in [0, 1]: intersection / (union + 1e-7), in pixels; for a frame with empty
        truth the share of its pixels that are predicted as background.
    """
    predicted = predicted_foreground(mask_logits, threshold).flatten(1)
    truth = on_object(masks).flatten(1)
    # Sums in int64, the default, take 15 times as long; a frame has less than 2 ** 31 pixels.
    intersection, shown, size = (
        pixels.sum(dim=1, dtype=torch.int32).double()
        for pixels in (predicted & truth, predicted, truth)
    )
    union, num_pixels = shown + size - intersection, predicted.shape[1]
    background = (num_pixels - union) / num_pixels
    return (intersection / (union + EPSILON)).where(size > 0, background)


AVERAGES = ("clip", "frame")


@METRICS.register_module()
class JaccardMetric(GroupedMetric):
    """J: mean over the frames of a clip, then over clips.

    Args:
        threshold: probability above which a pixel is predicted, in (0, 1); the Ref-AVS benchmark
            takes 0.4.
        average: ``"clip"``, every clip counts once, or ``"frame"``, every frame does. The two
            agree where all clips have as many supervised frames.
        group_size: clips whose frames are averaged before groups are; the Ref-AVS benchmark takes
            batches of 4. None is the same as ``average="frame"``.
        **shared: of :class:`~auralsam2.metrics.clip_metric.ClipMetric`.

    Raises:
        ValueError: if an argument is out of range.
    """

    key = "J"
    bounds = (0.0, 1.0)

    def __init__(
        self,
        threshold: float = THRESHOLD,
        average: str = "clip",
        group_size: int | None = 1,
        **shared: Any,
    ) -> None:
        super().__init__(**shared)
        whole = average == "frame"
        problems = group_size_problems(group_size, f"{average=}" if whole else "")
        if not 0 < threshold < 1:
            problems.append(f"threshold must be a probability between 0 and 1, got {threshold=}")
        problems += unknown_values(average=(average, AVERAGES))
        if problems:
            raise ValueError("\n".join(problems))
        self.threshold = threshold
        self.group_size = None if whole else group_size

    def score_clip(self, mask_logits: Tensor, masks: Tensor) -> Tensor:
        """Return the Jaccard index of the frames, (T,), see :func:`jaccard`."""
        return jaccard(mask_logits, masks, self.threshold).cpu()

    def score_group(self, outcomes: Sequence[Tensor]) -> float:
        """Return the mean over all frames."""
        return float(torch.cat(list(outcomes)).mean())
