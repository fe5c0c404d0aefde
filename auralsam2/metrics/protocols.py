"""Every protocol of J, F and S in use, side by side from one count of pixels a clip.

Papers of the field report these scores under the same letters although they are averaged,
thresholded and grouped in different ways.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mmengine.evaluator import BaseMetric
from torch import Tensor

from auralsam2.metrics.clip_metric import check_size, check_unique, supervised_frames
from auralsam2.metrics.f_score import CurveSum, mean_f_score, sum_of_curves
from auralsam2.metrics.jaccard import THRESHOLD, jaccard, mean_over_clips, mean_over_frames
from auralsam2.metrics.null_split import (
    PixelCount,
    count_pixels,
    cumulative_ratio,
    mean_of_ratios,
    mean_of_roots,
)

# The Ref-AVS benchmark's threshold of J.
REF_AVS_THRESHOLD = 0.4
# Clips that the release pools in one batch when it evaluates Ref-AVS.
REF_AVS_GROUP = 4


@dataclass(frozen=True)
class ClipStatistics:
    """All that the protocols need to know of a clip.

    Attributes:
        jaccards: (T,) J of the frames, by threshold.
        curves: F-score curves of the frames with an object.
        pixels: pixels predicted as foreground.
    """

    jaccards: dict[float, Tensor]
    curves: CurveSum
    pixels: PixelCount


def clip_statistics(mask_logits: Tensor, masks: Tensor) -> ClipStatistics:
    """Score the frames of one clip.

    Args:
        mask_logits: (T, H, W).
        masks: (T, H, W) truth, above 0 on the object.
    """
    thresholds = (THRESHOLD, REF_AVS_THRESHOLD)
    return ClipStatistics(
        {t: jaccard(mask_logits, masks, t).cpu() for t in thresholds},
        sum_of_curves(mask_logits, masks),
        count_pixels(mask_logits),
    )


def protocol_scores(
    clips: Sequence[ClipStatistics], group_size: int = REF_AVS_GROUP
) -> dict[str, float]:
    """Score a data set by every protocol.

    Args:
        clips: in the order of the data set.
        group_size: clips of a batch, for ``F_batch``.

    Returns:
        By name of the protocol: ``J_clip`` (mean over clips) and ``J_frame`` (over frames), the
        same at threshold 0.4 as ``J_clip@0.4`` and ``J_frame@0.4``; ``F_clip``,
        ``F_clip_skip_empty`` (clips without object left out), ``F_batchN`` (maximum per group of
        N clips), ``F_dataset`` (one maximum); ``S`` (mean of roots), ``S_no_root`` and
        ``S_cumulative`` (over all pixels, no root). S means something on null splits only.
    """
    scores: dict[str, float] = {}
    for threshold, suffix in ((THRESHOLD, ""), (REF_AVS_THRESHOLD, f"@{REF_AVS_THRESHOLD}")):
        frames = [clip.jaccards[threshold] for clip in clips]
        scores[f"J_clip{suffix}"] = mean_over_clips(frames)
        scores[f"J_frame{suffix}"] = mean_over_frames(frames)
    curves = [clip.curves for clip in clips]
    pixels = [clip.pixels for clip in clips]
    return scores | {
        "F_clip": mean_f_score(curves),
        "F_clip_skip_empty": mean_f_score(curves, empty_clips="skip"),
        f"F_batch{group_size}": mean_f_score(curves, group_size),
        "F_dataset": mean_f_score(curves, None),
        "S": mean_of_roots(pixels),
        "S_no_root": mean_of_ratios(pixels),
        "S_cumulative": cumulative_ratio(pixels),
    }


class ProtocolsMetric(BaseMetric):
    """All protocols as one mmengine metric; counts every clip once.

    Args:
        size: side in pixels at which masks are compared; None for the truth's own size.
        group_size: clips of a batch, for ``F_batch``. Groups are neighbours in the order of the
            data set, also where several processes evaluate.
        collect_device: where results of several processes meet, ``"cpu"`` or ``"gpu"``.
        prefix: put in front of every name with a slash; None for none.

    Raises:
        ValueError: if ``size`` or ``group_size`` is no positive number.
    """

    def __init__(
        self,
        size: int | None = None,
        group_size: int = REF_AVS_GROUP,
        collect_device: str = "cpu",
        prefix: str | None = None,
    ) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)
        check_size(size)
        if group_size < 1:
            raise ValueError(f"group_size must be at least 1 clip, got {group_size=}")
        self.size = size
        self.group_size = group_size

    def process(self, data_batch: Any, data_samples: Sequence[Mapping[str, Any]]) -> None:
        """Count the clips of one batch, see :func:`~clip_metric.supervised_frames`."""
        for sample in data_samples:
            statistics = clip_statistics(*supervised_frames(sample, self.size))
            self.results.append((sample["clip"], statistics))

    def compute_metrics(self, results: list[tuple[str, ClipStatistics]]) -> dict[str, float]:
        """Return all scores, see :func:`protocol_scores`.

        Raises:
            ValueError: if two clips share a name.
        """
        check_unique(clip for clip, _ in results)
        return protocol_scores([statistics for _, statistics in results], self.group_size)
