"""Every protocol of J, F and S in use, side by side from one count of pixels a clip.

Papers of the field report these scores under the same letters although they are averaged,
thresholded and grouped in different ways.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from torch import Tensor

from auralsam2.metrics.clip_metric import (
    ClipMetric,
    GroupedMetric,
    check_unique,
    group_size_problems,
)
from auralsam2.metrics.f_score import FScoreMetric
from auralsam2.metrics.jaccard import THRESHOLD, JaccardMetric
from auralsam2.metrics.null_split import NullMetric

# The Ref-AVS benchmark's threshold of J.
REF_AVS_THRESHOLD = 0.4
# Clips of a batch where AVSBench and Ref-AVS are evaluated, by their own scripts.
BATCH = 4


class Protocol(NamedTuple):
    """One way to score a data set."""

    name: str  # the letter, what is pooled, and a threshold other than 0.5
    meaning: str  # in one phrase, with the benchmarks that do so
    counted: str  # what is counted of a clip, the same for protocols that differ in the pooling
    metric: GroupedMetric  # counts and pools


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
    usual = threshold == THRESHOLD
    at, above = ("", "") if usual else (f"@{threshold}", f", foreground above {threshold}")
    batches, clips = ("AVSBench", "ours") if usual else ("Ref-AVS", "GAVS")
    batch = f"mean of {size} clips' frames, then over batches ({batches})"
    return [
        Protocol(f"J_{name}{at}", f"{meaning}{above}", f"J{at}", JaccardMetric(threshold, **how))
        for name, meaning, how in (
            ("clip", f"mean of each clip's frames, then over clips ({clips})", {}),
            ("frame", "mean over all frames of the data set", {"group_size": None}),
            (f"batch{size}", batch, {"group_size": size}),
        )
    ]


def _f_score_protocols(size: int) -> list[Protocol]:
    batches = f"maximum of {size} clips' mean curve, then over batches (AVSBench, Ref-AVS)"
    return [
        Protocol(name, meaning, "F", FScoreMetric(**how))
        for name, meaning, how in (
            ("F_clip", "maximum of each clip's mean curve, then over clips (ours)", {}),
            ("F_clip_skip_empty", "the same without clips of no object", {"empty_clips": "skip"}),
            (f"F_batch{size}", batches, {"group_size": size}),
            ("F_dataset", "maximum of the data set's one mean curve", {"group_size": None}),
        )
    ]


def _null_protocols(size: int) -> list[Protocol]:
    ratios, whole = {"reduction": "mean_of_ratios"}, {"reduction": "cumulative_ratio"}
    batches = f"root of {size} clips' share, mean over batches (Ref-AVS)"
    return [
        Protocol(name, meaning, "S", NullMetric(**how))
        for name, meaning, how in (
            ("S_clip", "root of each clip's share, mean over clips (ours)", {}),
            (f"S_batch{size}", batches, {"group_size": size}),
            ("S_clip_no_root", "each clip's share, mean over clips", ratios),
            ("S_dataset_no_root", "share of all pixels (AuralSAM2's release)", whole),
        )
    ]


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
        self.protocols = protocols(group_size)
        self.counting = {protocol.counted: protocol.metric for protocol in self.protocols}

    def score_clip(self, mask_logits: Tensor, masks: Tensor) -> dict[str, Any]:
        """Return what is counted of the clip, once for all protocols with the same ``counted``."""
        return {key: metric.score_clip(mask_logits, masks) for key, metric in self.counting.items()}

    def compute_metrics(self, results: list[tuple[str, dict[str, Any]]]) -> dict[str, float]:
        """Return the score by every protocol's name.

        Raises:
            ValueError: if two clips share a name.
        """
        check_unique(clip for clip, _ in results)
        return {
            protocol.name: protocol.metric.average(
                [counts[protocol.counted] for _, counts in results]
            )
            for protocol in self.protocols
        }
