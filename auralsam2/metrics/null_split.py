"""S of the null split of Ref-AVS, and A: how much is segmented where nothing should be."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from auralsam2.messages import unknown_values
from auralsam2.metrics.clip_metric import ClipMetric, group_size_problems, groups, mean
from auralsam2.metrics.jaccard import THRESHOLD, predicted_foreground
from auralsam2.registry import METRICS


@dataclass(frozen=True)
class PixelCount:
    """Pixels of a clip predicted as foreground, and all of them."""

    predicted: int
    total: int


def count_pixels(mask_logits: Tensor, threshold: float = THRESHOLD) -> PixelCount:
    """Count the pixels of a clip's logits (T, H, W) whose probability is above the threshold."""
    predicted = predicted_foreground(mask_logits, threshold)
    return PixelCount(int(predicted.count_nonzero()), predicted.numel())


def share(clips: Sequence[PixelCount]) -> float:
    """Share of all pixels of some clips that is predicted."""
    return sum(clip.predicted for clip in clips) / sum(clip.total for clip in clips)


def mean_of_roots(clips: Sequence[PixelCount], group_size: int | None = 1) -> float:
    """Root of the predicted share of every group of clips, then the mean over groups.

    Args:
        clips: in the order of the data set.
        group_size: clips of a group. 1 (ours): every clip has its root. The Ref-AVS benchmark
            takes that of a batch of 4, and counts a shorter last batch once like the others; ours
            is never above it where all batches are full and clips alike. None: one group.

    Returns:
        S, not-a-number of no clip.
    """
    return mean(math.sqrt(share(group)) for group in groups(clips, group_size))


def mean_of_ratios(clips: Sequence[PixelCount], group_size: int | None = 1) -> float:
    """Predicted share itself of every group of clips, then the mean over groups."""
    return mean(share(group) for group in groups(clips, group_size))


def cumulative_ratio(clips: Sequence[PixelCount]) -> float:
    """Predicted share of the pixels of all clips, no root, as the released trainer reports S."""
    return mean_of_ratios(clips, group_size=None)


REDUCTIONS = ("mean_of_roots", "mean_of_ratios", "cumulative_ratio")


@METRICS.register_module()
class NullMetric(ClipMetric):
    """S: root of a clip's share of predicted pixels, mean over clips; lower is better.

    The truth is not read: S is meant for splits in which nothing is to be segmented.

    Args:
        reduction: ``"mean_of_roots"``, ``"mean_of_ratios"`` (no root) or ``"cumulative_ratio"``
            (no root, over all pixels of the data set, as released).
        group_size: clips of a batch whose pixels are counted together, see :func:`mean_of_roots`;
            the Ref-AVS benchmark takes 4. ``per_clip`` holds the scores of single clips all the
            same.
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
        problems = group_size_problems(group_size)
        problems += unknown_values(reduction=(reduction, REDUCTIONS))
        if reduction == "cumulative_ratio" and group_size != 1:
            problems.append(f"{reduction=} knows no batches, got {group_size=}")
        if problems:
            raise ValueError("\n".join(problems))
        self._reduce = mean_of_roots if reduction == "mean_of_roots" else mean_of_ratios
        self.group_size = None if reduction == "cumulative_ratio" else group_size

    def score_clip(self, mask_logits: Tensor, masks: Tensor) -> PixelCount:
        """Return the clip's pixels."""
        return count_pixels(mask_logits)

    def clip_value(self, outcome: PixelCount) -> float:
        """Return the reduction over this clip alone."""
        return self._reduce([outcome])

    def average(self, outcomes: Sequence[PixelCount]) -> float:
        """Return the reduction over all clips."""
        return self._reduce(outcomes, self.group_size)


@METRICS.register_module()
class AreaMetric(ClipMetric):
    """A: share of the frame that is predicted, mean over frames, then clips; lower is better.

    The truth is not read. On control splits on which nothing that is heard belongs to anything in
    view (silence, noise, a sound from off the screen) a model that listens segments nothing, and
    this is the *false-positive area*. There the evaluation adds it by itself; elsewhere, on real
    sound or where another object of the clip may be heard (swapped), a larger area is no worse
    than a smaller one. The masks of such a split are those of the real sound: its J is *muted J*
    on silence and *swapped J* on swapped sound, how much of the score stays without the sound that
    belongs to the clip.

    With referring expressions that need no sound ("the ring"), the area under silence is not
    false.

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
