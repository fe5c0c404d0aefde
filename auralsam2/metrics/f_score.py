"""F-score over all thresholds, as AVSBench defines it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from auralsam2.messages import unknown_values
from auralsam2.metrics.clip_metric import GroupedMetric, group_size_problems, on_object
from auralsam2.metrics.jaccard import AVERAGES, predicted_foreground
from auralsam2.registry import METRICS

BETA_SQUARED = 0.3
NUM_THRESHOLDS = 255
BLOCK = 2**17
"""Pixels that are counted at once."""
EMPTY_CLIPS = ("zero", "skip")
# What meets the thresholds, from logits in float32.
PREDICTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "probabilities": Tensor.sigmoid,
    "logits": lambda logits: logits,
    "masks": lambda logits: predicted_foreground(logits).float(),
}
# AVSBench's guard of the divisions, far below one pixel.
EPSILON = 1e-20


def threshold_counts(
    values: Tensor,
    masks: Tensor,
    num_thresholds: int = NUM_THRESHOLDS,
    predictions: str = "logits",
) -> tuple[Tensor, Tensor, Tensor]:
    """Count the pixels at or above each threshold from one histogram a frame.

    Args:
        values: (T, H, W), in [0, 1] or beyond; not-a-number is below every threshold.
        masks: (T, H, W) truth, above 0 on the object.
        num_thresholds: K, evenly spaced in [0, 1].
        predictions: key of ``PREDICTIONS``, what of the values meets the thresholds.

    Returns:
        Predicted pixels and those of them on the object, (T, K) int64 each, exactly the counts of
        ``values >= thresholds[k]``; and the object's, (T, 1).
    """
    histograms = _histograms(values, masks, num_thresholds, PREDICTIONS[predictions])
    counts = histograms.flip(1).cumsum(1).flip(1)
    return counts[:, 1:].sum(dim=-1), counts[:, 1:, 1], counts[:, :1, 1]


def _histograms(
    values: Tensor, masks: Tensor, num_thresholds: int, prediction: Callable[[Tensor], Tensor]
) -> Tensor:
    """(T, K + 1, 2) int64 pixels of every frame by the thresholds that they reach, and by truth.

    Values (T, H, W) become what meets the thresholds by ``prediction``, block by block: a frame of
    1024 px does not fit the caches of a CPU, and all else here is quicker than the main memory.
    """
    thresholds = torch.linspace(0, 1, num_thresholds, dtype=values.dtype, device=values.device)
    block = BLOCK if values.device.type == "cpu" else max(values[0].numel(), 1)
    frames = []
    for frame, mask in zip(values.flatten(1), masks.flatten(1), strict=True):
        counts = torch.zeros(2 * (num_thresholds + 1), dtype=torch.int64, device=values.device)
        for part, truth in zip(frame.split(block), mask.split(block), strict=True):
            counts += _cells(prediction(part), truth, thresholds).bincount(minlength=len(counts))
        frames.append(counts.view(-1, 2))
    return torch.stack(frames)


def _cells(probabilities: Tensor, masks: Tensor, thresholds: Tensor) -> Tensor:
    """Of (N,) pixels twice the number of thresholds reached, plus 1 on the object, int32."""
    flat, top = probabilities.nan_to_num(nan=-1.0), len(thresholds) - 1
    # All thresholds below the nearest one are reached; rounding cannot skip a neighbour, so one
    # exact comparison settles the rest, several times faster than a binary search.
    reached = (flat * top).round_().clamp_(0, top).int()
    reached += flat >= thresholds.index_select(0, reached)
    return reached.mul_(2).add_(on_object(masks))


def f_score_curves(
    values: Tensor,
    masks: Tensor,
    num_thresholds: int = NUM_THRESHOLDS,
    predictions: str = "logits",
) -> Tensor:
    """F-score of every frame at thresholds evenly spaced in [0, 1].

    Args:
        values: (T, H, W), in [0, 1] or beyond; a pixel is predicted at or above the threshold.
        masks: (T, H, W) truth, above 0 on the object.
        num_thresholds: K.
        predictions: key of ``PREDICTIONS``, what of the values meets the thresholds.

    Returns:
        (T, K) float64; 0 where nothing of the object is predicted and in frames without object.
    """
    predicted, correct, size = threshold_counts(values, masks, num_thresholds, predictions)
    precision = correct.double() / (predicted + EPSILON)
    recall = correct.double() / (size + EPSILON)
    curves = (1 + BETA_SQUARED) * precision * recall / (BETA_SQUARED * precision + recall)
    return curves.nan_to_num(nan=0.0)


@dataclass(frozen=True)
class CurveSum:
    """F-score curves of the frames of a clip that show an object, added up."""

    total: Tensor  # (K,) float64 on the CPU
    num_frames: int  # how many curves were added; frames without object have none

    @property
    def mean(self) -> Tensor:
        """(K,) the clip's curve, zeros without an object; its maximum is the clip's F."""
        return self.total / max(self.num_frames, 1)


def sum_of_curves(
    mask_logits: Tensor, masks: Tensor, predictions: str = "probabilities"
) -> CurveSum:
    """Add the F-score curves of the frames of a clip that show an object.

    Of logits (T, H, W) and truth (T, H, W), above 0 on the object; ``predictions`` is a key of
    ``PREDICTIONS``, what of the logits meets the thresholds.
    """
    shown = masks.flatten(1).amax(dim=1) > 0
    if not shown.any():
        return CurveSum(torch.zeros(NUM_THRESHOLDS, dtype=torch.float64), 0)
    if not shown.all():
        mask_logits, masks = mask_logits[shown], masks[shown]
    curves = f_score_curves(mask_logits.float(), masks, predictions=predictions)
    return CurveSum(curves.sum(dim=0).cpu(), len(curves))


@METRICS.register_module()
class FScoreMetric(GroupedMetric):
    """F: maximum over thresholds of a clip's mean curve, then mean over clips.

    Args:
        empty_clips: ``"zero"`` counts a clip (or group) without object in any frame as 0, as
            AVSBench's evaluation does; ``"skip"`` leaves it out.
        group_size: clips whose frames share one mean curve; None for the whole data set. The
            maximum is taken per group, so F depends on it: the released trainer takes a batch's
            frames together, which is one clip in its AVSBench trees and up to four in Ref-AVS.
        predictions: what meets the thresholds: ``"probabilities"``; ``"logits"`` as they are, so
            that thresholds below one half are never tried (SAMA-AVS); ``"masks"``, where the logit
            is above 0, so that only two thresholds differ: everything, or the mask (SAM4AVS).
        average: ``"clip"``, or ``"frame"``: every frame has a maximum of its own, 0 without an
            object unless that is skipped, and the mean is that of all frames (AL-Ref-SAM2, of
            masks).
        **shared: of :class:`~auralsam2.metrics.clip_metric.ClipMetric`.

    Raises:
        ValueError: if an argument is out of range.
    """

    key = "F"
    bounds = (0.0, 1.0)

    def __init__(
        self,
        empty_clips: str = "zero",
        group_size: int | None = 1,
        predictions: str = "probabilities",
        average: str = "clip",
        **shared: Any,
    ) -> None:
        super().__init__(**shared)
        problems = unknown_values(
            empty_clips=(empty_clips, EMPTY_CLIPS),
            predictions=(predictions, tuple(PREDICTIONS)),
            average=(average, AVERAGES),
        )
        self.of_frames = average == "frame"
        problems += group_size_problems(group_size, f"{average=}" if self.of_frames else "")
        if problems:
            raise ValueError("\n".join(problems))
        self.empty_clips, self.predictions = empty_clips, predictions
        self.group_size = group_size

    def score_clip(self, mask_logits: Tensor, masks: Tensor) -> list[CurveSum]:
        """Return the sum of the curves of the clip's frames, or the curve of each of them."""
        parts = [slice(t, t + 1) for t in range(len(masks))] if self.of_frames else [slice(None)]
        return [sum_of_curves(mask_logits[part], masks[part], self.predictions) for part in parts]

    def score_group(self, outcomes: Sequence[CurveSum]) -> float | None:
        """Return the maximum of the mean curve over the frames that show an object."""
        num_frames = sum(clip.num_frames for clip in outcomes)
        if num_frames == 0:
            return 0.0 if self.empty_clips == "zero" else None
        total = torch.stack([clip.total for clip in outcomes]).sum(dim=0)
        return float((total / num_frames).max())

    def clip_value(self, outcome: Sequence[CurveSum]) -> float | None:
        """Return the maximum of the clip's mean curve, or the mean of its frames' maxima."""
        score = super().average(outcome)
        return None if math.isnan(score) else score

    def average(self, outcomes: Sequence[Sequence[CurveSum]]) -> float:
        """Return the mean over groups, or over all frames."""
        return super().average([curve for outcome in outcomes for curve in outcome])
