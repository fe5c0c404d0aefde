"""Every protocol of J, F and S in use, side by side from one count of pixels a clip.

Papers of the field report these scores under the same letters although they are averaged,
thresholded and grouped in different ways.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

from torch import Tensor

from auralsam2.metrics.clip_metric import ClipMetric, check_unique, group_size_problems
from auralsam2.metrics.f_score import CurveSum, mean_f_score, sum_of_curves
from auralsam2.metrics.jaccard import THRESHOLD, jaccard, mean_jaccard
from auralsam2.metrics.null_split import (
    PixelCount,
    count_pixels,
    cumulative_ratio,
    mean_of_ratios,
    mean_of_roots,
)

# The Ref-AVS benchmark's threshold of J.
REF_AVS_THRESHOLD = 0.4
# Clips of a batch where AVSBench and Ref-AVS are evaluated, by their own scripts.
BATCH = 4


@dataclass(frozen=True)
class ClipStatistics:
    """All that the protocols need to know of a clip."""

    jaccards: dict[float, Tensor]  # (T,) J of the frames, by threshold
    curves: CurveSum  # F-score curves of the frames with an object
    pixels: PixelCount  # pixels predicted as foreground


def clip_statistics(mask_logits: Tensor, masks: Tensor) -> ClipStatistics:
    """Score one clip's logits (T, H, W) against the truth (T, H, W), above 0 on the object."""
    thresholds = (THRESHOLD, REF_AVS_THRESHOLD)
    return ClipStatistics(
        {t: jaccard(mask_logits, masks, t).cpu() for t in thresholds},
        sum_of_curves(mask_logits, masks),
        count_pixels(mask_logits),
    )


class Protocol(NamedTuple):
    """One way to score a data set."""

    name: str  # the letter, what is pooled, and a threshold other than 0.5
    meaning: str  # in one phrase, with the benchmarks that do so
    # From the statistics of all clips, in the order of the data set.
    score: Callable[[Sequence[ClipStatistics]], float]


def protocols(group_size: int = BATCH) -> list[Protocol]:
    """Return every protocol, some of batches of ``group_size`` clips.

    S means something on null splits only.
    """
    return [
        *_jaccard_protocols(group_size, THRESHOLD),
        *_jaccard_protocols(group_size, REF_AVS_THRESHOLD),
        *_f_score_protocols(group_size),
        *_null_protocols(group_size),
    ]


def _jaccard_protocols(size: int, threshold: float) -> list[Protocol]:
    def score(clips: Sequence[ClipStatistics], group_size: int | None) -> float:
        return mean_jaccard([clip.jaccards[threshold] for clip in clips], group_size)

    usual = threshold == THRESHOLD
    at, above = ("", "") if usual else (f"@{threshold}", f", foreground above {threshold}")
    batches, clips = ("AVSBench", "ours") if usual else ("Ref-AVS", "GAVS")
    return [
        Protocol(f"J_{name}{at}", f"{meaning}{above}", partial(score, group_size=group_size))
        for name, meaning, group_size in (
            ("clip", f"mean of each clip's frames, then over clips ({clips})", 1),
            ("frame", "mean over all frames of the data set", None),
            (f"batch{size}", f"mean of {size} clips' frames, then over batches ({batches})", size),
        )
    ]


def _f_score_protocols(size: int) -> list[Protocol]:
    def score(clips: Sequence[ClipStatistics], **how: Any) -> float:
        return mean_f_score([clip.curves for clip in clips], **how)

    batches = f"maximum of {size} clips' mean curve, then over batches (AVSBench, Ref-AVS)"
    return [
        Protocol(name, meaning, partial(score, **how))
        for name, meaning, how in (
            ("F_clip", "maximum of each clip's mean curve, then over clips (ours)", {}),
            ("F_clip_skip_empty", "the same without clips of no object", {"empty_clips": "skip"}),
            (f"F_batch{size}", batches, {"group_size": size}),
            ("F_dataset", "maximum of the data set's one mean curve", {"group_size": None}),
        )
    ]


def _null_protocols(size: int) -> list[Protocol]:
    def score(
        clips: Sequence[ClipStatistics], reduce: Callable[[Sequence[PixelCount]], float]
    ) -> float:
        return reduce([clip.pixels for clip in clips])

    batch = partial(mean_of_roots, group_size=size)
    return [
        Protocol(name, meaning, partial(score, reduce=reduce))
        for name, meaning, reduce in (
            ("S_clip", "root of each clip's share, mean over clips (ours)", mean_of_roots),
            (f"S_batch{size}", f"root of {size} clips' share, mean over batches (Ref-AVS)", batch),
            ("S_clip_no_root", "each clip's share, mean over clips", mean_of_ratios),
            ("S_dataset_no_root", "share of all pixels (AuralSAM2's release)", cumulative_ratio),
        )
    ]


def protocol_scores(clips: Sequence[ClipStatistics], group_size: int = BATCH) -> dict[str, float]:
    """Score clips, in the order of the data set, by every protocol: its name -> the score.

    Of ``group_size`` clips each batch is made; a short last one counts like the others.
    """
    return {protocol.name: protocol.score(clips) for protocol in protocols(group_size)}


class ProtocolsMetric(ClipMetric):
    """All protocols as one mmengine metric; counts every clip once.

    Args:
        group_size: clips of a batch, for the protocols that score batches. Its clips are
            neighbours in the order of the data set, also where several processes evaluate.
        **shared: of :class:`~auralsam2.metrics.clip_metric.ClipMetric`.

    Raises:
        ValueError: if ``group_size`` is no positive number, or another argument out of range.
    """

    def __init__(self, group_size: int = BATCH, **shared: Any) -> None:
        super().__init__(**shared)
        if problems := group_size_problems(group_size):
            raise ValueError(problems[0])
        self.group_size = group_size

    def score_clip(self, mask_logits: Tensor, masks: Tensor) -> ClipStatistics:
        """Return what the protocols need of the clip."""
        return clip_statistics(mask_logits, masks)

    def compute_metrics(self, results: list[tuple[str, ClipStatistics]]) -> dict[str, float]:
        """Return all scores, see :func:`protocol_scores`.

        Raises:
            ValueError: if two clips share a name.
        """
        check_unique(clip for clip, _ in results)
        return protocol_scores([statistics for _, statistics in results], self.group_size)
