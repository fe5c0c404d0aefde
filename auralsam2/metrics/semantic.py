"""Mean IoU and F of classes, as AVSBench's semantic task defines them (AVSS, Zhou et al. 2023).

Axes: U frames with a label, K classes with the background first.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

from auralsam2.class_maps import check_classes, labels_at, predicted_classes
from auralsam2.messages import unknown_values
from auralsam2.metrics.clip_metric import ClipMetric
from auralsam2.metrics.f_score import BETA_SQUARED
from auralsam2.registry import METRICS
from auralsam2.shapes import check_shape
from auralsam2.structures import UNLABELLED

BACKGROUND = 0
LEFT_OUT = {"none": None, "background": BACKGROUND, "last": -1}
UNSEEN = ("zero", "skip")


class ClassCounts(NamedTuple):
    """Pixels of every frame and class, (U, K) int64 each."""

    both: Tensor  # predicted and true
    predicted: Tensor
    true: Tensor

    @property
    def occur(self) -> Tensor:
        """(U, K) bool: whether a class is predicted or true anywhere in the frame."""
        return (self.predicted + self.true) > 0


def count_classes(predicted: Tensor, truth: Tensor, num_classes: int) -> ClassCounts:
    """Count pixels frame by frame.

    Args:
        predicted: (U, H, W) numbers of classes.
        truth: (U, H, W) likewise; pixels of 255 do not count.
        num_classes: K, above every number.
    """
    num_frames = len(truth)
    frame = torch.arange(num_frames, device=truth.device)[:, None, None]
    labelled = truth != UNLABELLED
    answer = (frame * num_classes + predicted.long())[labelled]
    asked = (frame * num_classes + truth.long())[labelled]

    def histogram(cells: Tensor) -> Tensor:
        return cells.bincount(minlength=num_frames * num_classes).view(num_frames, num_classes)

    return ClassCounts(histogram(asked[answer == asked]), histogram(answer), histogram(asked))


@dataclass(frozen=True)
class ClassSums:
    """Scores of some frames, added up class by class."""

    total: Tensor  # (K,) float64 sum over frames
    num_frames: Tensor  # (K,) int64 frames in which the class is predicted or true

    @property
    def means(self) -> Tensor:
        """(K,) float64; 0 of classes that never occur."""
        return self.total / self.num_frames.clamp(min=1)


class ClassMetric(ClipMetric):
    """Base of scores of every class, averaged over the frames where it occurs, then over classes.

    Of a method with a class head, on data with ``semantic=True``. A class occurs in a frame where
    it is predicted or true there. ``per_clip`` holds the mean over the classes that occur in a
    clip; the data set's score adds up the frames of all clips first, so that it is no mean of them.

    Args:
        left_out: class that does not count: ``"none"``, ``"background"``, or ``"last"``, the one
            with the highest number, which AVSBench's code leaves out where it says *without
            background*.
        unseen: ``"zero"`` counts classes that occur in no frame as 0 (AVSS), ``"skip"`` leaves
            them out.
        padded_to: clips with fewer labelled frames count as having so many, the others all
            background and right: 10 as released; None for what there is.
        **shared: of :class:`~auralsam2.metrics.clip_metric.ClipMetric`.

    Raises:
        ValueError: if an argument is out of range.
    """

    bounds = (0.0, 1.0)

    def __init__(
        self,
        left_out: str = "none",
        unseen: str = "zero",
        padded_to: int | None = None,
        **shared: Any,
    ) -> None:
        super().__init__(**shared)
        problems = unknown_values(left_out=(left_out, LEFT_OUT), unseen=(unseen, UNSEEN))
        if padded_to is not None and padded_to < 1:
            problems.append(f"padded_to must be a number of frames or None, got {padded_to=}")
        if self.widen_truth:
            problems.append("widen_truth=True means nothing for classes")
        if problems:
            raise ValueError("\n".join(problems))
        self.left_out, self.unseen, self.padded_to = LEFT_OUT[left_out], unseen, padded_to

    @abstractmethod
    def class_scores(self, counts: ClassCounts) -> Tensor:
        """(U, K) float64 score of every frame and class; of what occurs, the rest is ignored."""

    def process(self, data_batch: Any, data_samples: Sequence[Mapping[str, Any]]) -> None:
        """Score the clips of one batch, a dict each as :func:`labelled_frames` reads it."""
        for sample in data_samples:
            predicted, truth = labelled_frames(sample, type(self).__name__, self.size)
            counts = count_classes(predicted, truth, sample["class_logits"].shape[1])
            self.results.append((sample["clip"], self.add_frames(counts)))

    def score_clip(self, mask_logits: Tensor, masks: Tensor) -> Any:
        """Not used: what is scored are classes, see :meth:`class_scores`."""
        raise NotImplementedError

    def add_frames(self, counts: ClassCounts) -> ClassSums:
        """Scores of a clip's frames, and of those that count as padding."""
        occur = counts.occur
        total = torch.where(occur, self.class_scores(counts), 0.0).sum(dim=0).cpu()
        num_frames = occur.sum(dim=0).cpu()
        padding = max(0, (self.padded_to or 0) - len(occur))
        total[BACKGROUND] += padding
        num_frames[BACKGROUND] += padding
        return ClassSums(total, num_frames)

    def clip_value(self, outcome: ClassSums) -> float | None:
        """Return the mean over the classes that occur in a clip; None where none does."""
        kept = self._kept(len(outcome.total)) & (outcome.num_frames > 0)
        return float(outcome.means[kept].mean()) if kept.any() else None

    def average(self, outcomes: Sequence[ClassSums]) -> float:
        """Return the mean over classes, not-a-number where none counts."""
        if not outcomes:
            return float("nan")
        total = torch.stack([outcome.total for outcome in outcomes]).sum(dim=0)
        num_frames = torch.stack([outcome.num_frames for outcome in outcomes]).sum(dim=0)
        kept = self._kept(len(total))
        if self.unseen == "skip":
            kept = kept & (num_frames > 0)
        return float(ClassSums(total, num_frames).means[kept].mean())

    def _kept(self, num_classes: int) -> Tensor:
        kept = torch.ones(num_classes, dtype=torch.bool)
        if self.left_out is not None:
            kept[self.left_out] = False
        return kept


def labelled_frames(
    sample: Mapping[str, Any], metric: str, size: int | None = None
) -> tuple[Tensor, Tensor]:
    """Predicted and true classes of the frames of a clip that have a label.

    Args:
        sample: a dict with ``clip`` (its name), ``class_logits`` (T, K, h, w),
            ``predicted_classes`` (T, H, W) at native resolution, ``semantic`` (T, H, W) and
            ``supervised`` (T,) bool.
        metric: who asks, for messages.
        size: side in pixels to compare at; None for the native one. Logits are interpolated
            bilinearly, the truth takes the nearest pixel.

    Returns:
        Two (U, H, W), or (U, size, size).

    Raises:
        ValueError: where the model has no class head, the data no classes, labels are of more
            classes than the head tells apart, or no frame has a label.
    """
    _refuse_without_classes(sample, metric)
    clip = sample["clip"]
    logits, truth = sample["class_logits"], sample["semantic"].to(sample["class_logits"].device)
    sizes = check_shape(logits, "T K h w", f"class_logits of clip {clip!r}")
    native = check_shape(sample["predicted_classes"], "T H W", f"classes of clip {clip!r}")
    check_shape(truth, "T H W", f"semantic of clip {clip!r}", **native)
    supervised = sample["supervised"].to(logits.device).bool()
    if not supervised.any():
        raise ValueError(f"clip {clip!r} has no frame with a truth to score against")
    truth = truth[supervised]
    check_classes(truth, sizes["K"], f"the labels of clip {clip!r}")
    if size is None:
        return sample["predicted_classes"].to(logits.device)[supervised], truth
    return predicted_classes(logits[supervised], (size, size)), labels_at(truth, size)


def _refuse_without_classes(sample: Mapping[str, Any], metric: str) -> None:
    if "class_logits" not in sample:
        raise ValueError(
            f"{metric} scores classes, and this model has no class head; leave it out of "
            "evaluation.metrics, or take a method that tells classes apart"
        )
    if "semantic" not in sample:
        raise ValueError(
            f"{metric} scores classes, and the data set gives none of clip {sample['clip']!r}; set "
            "semantic=True in data.val and data.test (AVSBench's semantic release has classes)"
        )


@METRICS.register_module()
class MeanIoUMetric(ClassMetric):
    """mIoU: intersection over union of every class, see :class:`ClassMetric`."""

    key = "mIoU"

    def class_scores(self, counts: ClassCounts) -> Tensor:
        """(U, K) float64 intersection over union; not-a-number of classes that do not occur."""
        return counts.both.double() / (counts.predicted + counts.true - counts.both)


@METRICS.register_module()
class ClassFScoreMetric(ClassMetric):
    """F of classes: precision and recall of the most likely class, see :class:`ClassMetric`.

    Unlike F of masks there are no thresholds.
    """

    key = "mF"

    def class_scores(self, counts: ClassCounts) -> Tensor:
        """(U, K) float64; 0 where precision or recall has no denominator, or both are 0."""
        precision = counts.both.double() / counts.predicted
        recall = counts.both.double() / counts.true
        scores = (1 + BETA_SQUARED) * precision * recall / (BETA_SQUARED * precision + recall)
        return scores.nan_to_num(nan=0.0)
