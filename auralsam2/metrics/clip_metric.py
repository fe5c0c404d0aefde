"""A score per clip, averaged over the clips of a data set."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from mmengine.evaluator import BaseMetric
from torch import Tensor

from auralsam2.shapes import check_shape


class ClipMetric(BaseMetric):
    """Base of metrics that score whole clips.

    A subclass sets ``key`` and implements :meth:`score_clip`. One whose data-set score is no mean
    over clips lets :meth:`score_clip` return what it needs and overrides :meth:`clip_value` and
    :meth:`average`, as :class:`GroupedMetric` does. What it needs is pickled between processes;
    tensors in it belong on the CPU.

    Args:
        size: side in pixels at which masks are compared; None for the truth's own size.
        prefix: put in front of ``key`` with a slash; None for none.
        widen_truth: how the truth takes that size, see :func:`supervised_frames`.

    Raises:
        ValueError: if ``size`` is no positive number, or is None with ``widen_truth``.
    """

    key: str  # name of the score in the returned dict
    default_prefix = ""  # none, and no warning of mmengine's that there is none
    higher_is_better: bool = True
    # Lowest and highest possible score, where it has them. Intervals of a mean do not leave them,
    # and figures show no more than they hold.
    bounds: tuple[float, float] | None = None
    # What is asked: ``object``, whether the right thing is segmented; ``null``, how much is
    # segmented where nothing should be: shown of null splits alone; ``area``, how much is segmented
    # at all: shown where nothing that can be seen sounds.
    subject: str = "object"

    def __init__(
        self,
        size: int | None = None,
        prefix: str | None = None,
        widen_truth: bool = False,
    ) -> None:
        super().__init__(prefix=prefix)
        if size is not None and size < 1:
            raise ValueError(
                f"size must be a side in pixels, or None for the native one, got {size=}"
            )
        if size is None and widen_truth:
            raise ValueError("widen_truth=True needs a size to bring the truth to, got size=None")
        self.size, self.widen_truth = size, widen_truth
        # Score of each clip that counts after evaluation, on the main process.
        self.per_clip: dict[str, float] = {}

    @property
    def name(self) -> str:
        """The key as it stands in the evaluator's dict, prefix included."""
        return f"{self.prefix}/{self.key}" if self.prefix else self.key

    @abstractmethod
    def score_clip(self, mask_logits: Tensor, masks: Tensor) -> Any:
        """Score the supervised frames of one clip.

        Args:
            mask_logits: (T, H, W), T at least 1.
            masks: (T, H, W) truth, above 0 on the object.

        Returns:
            The score, or None for a clip that does not count.
        """

    def clip_value(self, outcome: Any) -> float | None:
        """Return a clip's score from what :meth:`score_clip` gave; None if it does not count."""
        return float(outcome)

    def average(self, outcomes: Sequence[Any]) -> float:
        """Return the data set's score from all clips' outcomes that are not None."""
        return mean(value for o in outcomes if (value := self.clip_value(o)) is not None)

    def process(self, data_batch: Any, data_samples: Sequence[Mapping[str, Any]]) -> None:
        """Score the clips of one batch, a dict each as :func:`supervised_frames` reads it."""
        for sample in data_samples:
            logits, masks = supervised_frames(sample, self.size, self.widen_truth)
            self.results.append((sample["clip"], self.score_clip(logits, masks)))

    def compute_metrics(self, results: list[tuple[str, Any]]) -> dict[str, float]:
        """Average over clips: ``{key: mean}``, not-a-number where no clip counts.

        Raises:
            ValueError: if two clips share a name.
        """
        check_unique(clip for clip, _ in results)
        counting = {clip: outcome for clip, outcome in results if outcome is not None}
        values = {clip: self.clip_value(outcome) for clip, outcome in counting.items()}
        self.per_clip = {clip: value for clip, value in values.items() if value is not None}
        return {self.key: self.average(list(counting.values()))}


class GroupedMetric(ClipMetric):
    """Base of metrics that score groups of clips together, and average over groups.

    Groups are neighbours in the order of the data set; a short last one counts like the others.
    ``per_clip`` holds the scores of single clips all the same. A subclass implements
    :meth:`score_group`.

    Attributes:
        group_size: clips of a group; None: the whole data set is one.
    """

    group_size: int | None

    @abstractmethod
    def score_group(self, outcomes: Sequence[Any]) -> float | None:
        """Score some clips from what :meth:`score_clip` gave; None where they do not count."""

    def clip_value(self, outcome: Any) -> float | None:
        """Return the score of this clip alone."""
        return self.score_group([outcome])

    def average(self, outcomes: Sequence[Any]) -> float:
        """Return the mean over groups, not-a-number where none counts."""
        step = max(len(outcomes), 1) if self.group_size is None else self.group_size
        cut = (outcomes[start : start + step] for start in range(0, len(outcomes), step))
        return mean(score for group in cut if (score := self.score_group(group)) is not None)


def group_size_problems(group_size: int | None, alone: str = "") -> list[str]:
    """What is wrong with a number of clips of a group.

    ``alone`` is an argument as users give it, ``average='frame'``, that allows no groups.
    """
    if alone and group_size != 1:
        return [f"{alone} knows no batches, got {group_size=}"]
    if group_size is None or group_size >= 1:
        return []
    return [f"group_size must be at least 1 clip, or None, got {group_size=}"]


def supervised_frames(
    sample: Mapping[str, Any], size: int | None = None, widen_truth: bool = False
) -> tuple[Tensor, Tensor]:
    """Logits and truth of the frames of a clip that have a truth.

    Args:
        sample: a dict with ``clip`` (its name), ``mask_logits`` (T, H, W) at native resolution,
            ``masks`` (T, H, W) and ``supervised`` (T,) bool, which says whose frames have a
            truth; for other sizes, also ``low_res_logits`` (T, h, w), the decoder's own map.
        size: side in pixels to compare at; None for the native one. Logits are interpolated
            bilinearly, once: from the decoder's map where the sample has it, else from the native
            ones. The truth takes the nearest pixel.
        widen_truth: the truth is interpolated bilinearly too, and every pixel in which any of the
            object is left belongs to it, as the Ref-AVS benchmark resizes its labels.

    Returns:
        Logits and truth, two (U, H, W), or (U, size, size).

    Raises:
        ValueError: if shapes differ or the clip has no supervised frame.
    """
    clip, logits, masks = sample["clip"], sample["mask_logits"], sample["masks"]
    sizes = check_shape(logits, "T H W", f"mask_logits of clip {clip!r}")
    check_shape(masks, "T H W", f"masks of clip {clip!r}", **sizes)
    supervised = sample["supervised"].to(logits.device).bool()
    check_shape(supervised, "T", f"supervised of clip {clip!r}", T=sizes["T"])
    if not supervised.any():
        raise ValueError(f"clip {clip!r} has no frame with a truth to score against")
    truth = masks.to(logits.device)[supervised]
    if size is None:
        return logits[supervised], truth
    low = sample.get("low_res_logits", logits)
    check_shape(low, "T h w", f"low_res_logits of clip {clip!r}", T=sizes["T"])
    square = (size, size)
    resized = F.interpolate(
        low[supervised].float()[None], size=square, mode="bilinear", align_corners=False
    )
    return resized[0], resize_truth(truth, size, widen_truth)


def resize_truth(masks: Tensor, size: int, widen: bool = False) -> Tensor:
    """Bring the truth (T, H, W) to (T, size, size) uint8, 1 on the object.

    Whether objects are widened on the way see :func:`supervised_frames`.
    """
    objects, square = on_object(masks)[None], (size, size)
    if not widen:
        # Pixel centres, as the bilinear interpolation has them.
        return F.interpolate(objects.byte(), size=square, mode="nearest-exact")[0]
    # The benchmark resizes 8-bit images: what rounds to 0 of 255 is gone.
    grey = F.interpolate(255.0 * objects.float(), size=square, mode="bilinear", align_corners=False)
    return (grey[0] >= 0.5).byte()


def on_object(masks: Tensor) -> Tensor:
    """Where masks are above 0, bool."""
    # A cast is many times faster than a comparison.
    return masks.bool() if masks.dtype in (torch.uint8, torch.bool) else masks > 0


def mean(values: Iterable[float]) -> float:
    """Return the mean, not-a-number of nothing."""
    known = list(values)
    return sum(known) / len(known) if known else math.nan


def check_unique(clips: Iterable[str]) -> None:
    """Raise a ValueError that names the clips that occur more than once."""
    repeated = sorted(clip for clip, count in Counter(clips).items() if count > 1)
    if repeated:
        raise ValueError(f"clips need unique names, got several of {', '.join(repeated)}")
