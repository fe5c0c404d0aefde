"""S of the null split of Ref-AVS, and A: how much is segmented where nothing should be."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from auralsam2.messages import unknown_values
from auralsam2.metrics.clip_metric import ClipMetric, GroupedMetric, group_size_problems
from auralsam2.metrics.jaccard import THRESHOLD, predicted_foreground
from auralsam2.registry import METRICS


@dataclass(frozen=True)
class PixelCount:
    """Pixels of a clip predicted as foreground, and all of them."""

    predicted: int
    total: int


def count_pixels(mask_logits: Tensor) -> PixelCount:
    """Count the pixels of a clip's logits (T, H, W) that are above 0."""
    predicted = predicted_foreground(mask_logits)
    return PixelCount(int(predicted.count_nonzero()), predicted.numel())


def share(clips: Sequence[PixelCount]) -> float:
    """Share of all pixels of some clips that is predicted."""
    return sum(clip.predicted for clip in clips) / sum(clip.total for clip in clips)


REDUCTIONS = ("mean_of_roots", "mean_of_ratios", "cumulative_ratio")


@METRICS.register_module()
class NullMetric(GroupedMetric):
    """S: root of a clip's share of predicted pixels, mean over clips; lower is better.

    The truth is not read: S is meant for splits in which nothing is to be segmented.

    Args:
        reduction: ``"mean_of_roots"``, ``"mean_of_ratios"`` (no root) or ``"cumulative_ratio"``
            (no root, over all pixels of the data set, as released).
        group_size: clips whose pixels are counted together. The Ref-AVS benchmark takes batches of
            4; one root a clip (ours) is never above that where all batches are full and clips
            alike.
        **shared: of :class:`~auralsam2.metrics.clip_metric.ClipMetric`.

    Raises:
        ValueError: if an argument is out of range.
    """

    key = "S"
    higher_is_better = False
    bounds = (0.0, 1.0)
    subject = "null"

    def __init__(
        self,
        reduction: str = "mean_of_roots",
        group_size: int | None = 1,
        **shared: Any,
    ) -> None:
        super().__init__(**shared)
        whole = reduction == "cumulative_ratio"
        problems = group_size_problems(group_size, f"{reduction=}" if whole else "")
        problems += unknown_values(reduction=(reduction, REDUCTIONS))
        if problems:
            raise ValueError("\n".join(problems))
        self.takes_root = reduction == "mean_of_roots"
        self.group_size = None if whole else group_size

    def score_clip(self, mask_logits: Tensor, masks: Tensor) -> PixelCount:
        """Return the clip's pixels."""
        return count_pixels(mask_logits)

    def score_group(self, outcomes: Sequence[PixelCount]) -> float:
        """Return the predicted share of all pixels, or its root."""
        predicted = share(outcomes)
        return math.sqrt(predicted) if self.takes_root else predicted


@METRICS.register_module()
class AreaMetric(ClipMetric):
    """A: share of the frame that is predicted, mean over frames, then clips; lower is better.

    The truth is not read. On control splits on which nothing that is heard belongs to anything in
    view (silence, noise, a sound from off the screen) a model that listens segments nothing, and
    this is the *false-positive area*; there the evaluation adds it by itself. Elsewhere, on real
    sound or where another object of the clip may be heard (swapped), a larger area is no worse
    than a smaller one. Nor is the area under silence false where referring expressions need no
    sound ("the ring").

    Args:
        threshold: probability above which a pixel is predicted, in (0, 1).
        **shared: of :class:`~auralsam2.metrics.clip_metric.ClipMetric`.

    Raises:
        ValueError: if the threshold is no probability.
    """

    key = "A"
    higher_is_better = False
    bounds = (0.0, 1.0)
    subject = "area"

    def __init__(self, threshold: float = THRESHOLD, **shared: Any) -> None:
        super().__init__(**shared)
        if not 0 < threshold < 1:
            raise ValueError(f"threshold must be a probability between 0 and 1, got {threshold=}")
        self.threshold = threshold

    def score_clip(self, mask_logits: Tensor, masks: Tensor) -> float:
        """Return the predicted share of the clip's supervised frames."""
        return float(predicted_foreground(mask_logits, self.threshold).double().mean())
