"""Jaccard index J (foreground IoU) as AVSBench defines it."""

from __future__ import annotations

from torch import Tensor

from auralsam2.metrics.clip_metric import ClipMetric
from auralsam2.registry import METRICS

EPSILON = 1e-7


def jaccard(mask_logits: Tensor, masks: Tensor) -> Tensor:
    """Jaccard index of every frame.

    Args:
        mask_logits: (T, H, W); a pixel is predicted where it is above 0, i.e. its probability
            above 0.5.
        masks: (T, H, W) truth, above 0 on the object.

    Returns:
        (T,) float64 in [0, 1]: intersection / (union + 1e-7); for a frame with empty truth the
        share of its pixels that are predicted as background.
    """
    predicted, truth = (mask_logits > 0).flatten(1), (masks > 0).flatten(1)
    intersection = (predicted & truth).sum(dim=1).double()
    union = (predicted | truth).sum(dim=1).double()
    num_pixels = predicted.shape[1]
    background = (num_pixels - union) / num_pixels
    return (intersection / (union + EPSILON)).where(truth.any(dim=1), background)


@METRICS.register_module()
class JaccardMetric(ClipMetric):
    """J: mean over the frames of a clip, then over clips."""

    key = "J"

    def score_clip(self, mask_logits: Tensor, masks: Tensor) -> float:
        """Return the mean Jaccard index of the frames, see :func:`jaccard`."""
        return float(jaccard(mask_logits, masks).mean())
