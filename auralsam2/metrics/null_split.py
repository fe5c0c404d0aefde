"""S, the metric of the null split of Ref-AVS: how much is segmented where nothing should be."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from auralsam2.metrics.clip_metric import ClipMetric, mean
from auralsam2.metrics.jaccard import THRESHOLD, predicted_foreground
from auralsam2.registry import METRICS


@dataclass(frozen=True)
class PixelCount:
    """Pixels of a clip predicted as foreground, and all of them."""

    predicted: int
    total: int

    @property
    def ratio(self) -> float:
        """Share of the pixels that is predicted."""
        return self.predicted / self.total


def count_pixels(mask_logits: Tensor, threshold: float = THRESHOLD) -> PixelCount:
    """Count the predicted pixels of a clip.

    Args:
        mask_logits: (T, H, W).
        threshold: probability above which a pixel is predicted.
    """
    predicted = predicted_foreground(mask_logits, threshold)
    return PixelCount(int(predicted.sum()), predicted.numel())


def mean_of_roots(clips: Sequence[PixelCount]) -> float:
    """Mean over clips of the root of the predicted share, as the Ref-AVS benchmark defines S."""
    return mean(math.sqrt(clip.ratio) for clip in clips)


def mean_of_ratios(clips: Sequence[PixelCount]) -> float:
    """Mean over clips of the predicted share itself."""
    return mean(clip.ratio for clip in clips)


def cumulative_ratio(clips: Sequence[PixelCount]) -> float:
    """Predicted share of the pixels of all clips, no root, as the released trainer reports S."""
    if not clips:
        return math.nan
    return sum(clip.predicted for clip in clips) / sum(clip.total for clip in clips)


REDUCTIONS = {
    "mean_of_roots": mean_of_roots,
    "mean_of_ratios": mean_of_ratios,
    "cumulative_ratio": cumulative_ratio,
}


@METRICS.register_module()
class NullMetric(ClipMetric):
    """S: root of the share of pixels predicted as foreground, mean over clips; lower is better.

    The truth is not read: S is meant for splits in which nothing is to be segmented.

    Args:
        reduction: ``"mean_of_roots"`` (benchmark), ``"mean_of_ratios"`` (no root) or
            ``"cumulative_ratio"`` (no root, over all pixels of the data set, as released).
        size: side in pixels at which masks are counted; None for the truth's own size.
        collect_device: where results of several processes meet, ``"cpu"`` or ``"gpu"``.
        prefix: put in front of ``S`` with a slash; None for none.

    Raises:
        ValueError: if the reduction is unknown.
    """

    key = "S"
    higher_is_better = False

    def __init__(
        self,
        reduction: str = "mean_of_roots",
        size: int | None = None,
        collect_device: str = "cpu",
        prefix: str | None = None,
    ) -> None:
        super().__init__(size=size, collect_device=collect_device, prefix=prefix)
        if reduction not in REDUCTIONS:
            raise ValueError(f"unknown {reduction=}; known: {', '.join(REDUCTIONS)}")
        self._reduce = REDUCTIONS[reduction]

    def score_clip(self, mask_logits: Tensor, masks: Tensor) -> PixelCount:
        """Return the clip's pixels."""
        return count_pixels(mask_logits)

    def clip_value(self, outcome: PixelCount) -> float:
        """Return the reduction over this clip alone."""
        return self._reduce([outcome])

    def average(self, outcomes: Sequence[PixelCount]) -> float:
        """Return the reduction over all clips."""
        return self._reduce(outcomes)
