"""J, F and S as each repository of the field computes them, from registered metrics.

A number of ours can stand beside one of a paper if both come from the same column. Of the
resolution a repository compares at is kept what our predictions allow: the decoder's map is
interpolated bilinearly to that side, in one step even where the repository takes two (GAVS and
SAMA-AVS by way of 1024 px), and the truth takes the nearest pixel from its own size, or is widened
as Ref-AVS does. What a model saw stays its own: an input size is no matter of scores.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from auralsam2.metrics.clip_metric import ClipMetric
from auralsam2.metrics.jaccard import THRESHOLD
from auralsam2.metrics.protocols import BATCH, REF_AVS_THRESHOLD
from auralsam2.registry import METRICS

SEPARATOR = "/"
"""Between a repository and a letter, where scores are listed: ``AVSBench/J``."""

Letters = Mapping[str, Mapping[str, Any]]
"""A registered metric and its arguments, by the letter that it stands for."""


class Repository(NamedTuple):
    """One column: how a repository scores."""

    name: str  # of the method or benchmark
    source: str  # repository and commit; empty for ours
    differs: str  # what it does otherwise than the first, in one phrase
    metrics: Letters  # J, F and, where it has one, S
    # The same where a benchmark, as :func:`benchmark` names it, is scored in another way.
    elsewhere: Mapping[str, Letters] = {}
    of_classes: bool = False  # its J and F are of classes

    @property
    def meaning(self) -> str:
        """What the column is, in one line."""
        alone = self.of_classes or self is REPOSITORIES[0]
        like = "" if alone else f"as {REPOSITORIES[0].name}, but: "
        return f"{like}{self.differs}" + (f" ({self.source})" if self.source else "")

    def build(self, data: str = "", **changed: Any) -> dict[str, ClipMetric]:
        """Metrics by letter, for clips of a benchmark; some arguments may be ``changed``."""
        letters = self.elsewhere.get(data, self.metrics)
        return {key: METRICS.build({**node, **changed}) for key, node in letters.items()}


def benchmark(label_source: str) -> str:
    """``ref_avs``, ``v2`` or ``avsbench``, from where the labels of a data set come."""
    if label_source == "ref-avs":
        return "ref_avs"
    return "v2" if label_source.endswith("/v2") else "avsbench"


def _scores(threshold: float = THRESHOLD, of: str = "probabilities", **shared: Any) -> Letters:
    return {
        "J": {"type": "JaccardMetric", "threshold": threshold, **shared},
        "F": {"type": "FScoreMetric", "predictions": of, **shared},
    }


def _null(**arguments: Any) -> Letters:
    return {"S": {"type": "NullMetric", **arguments}}


_RELEASED_NULL = _null(size=1024, reduction="cumulative_ratio")
_CLASSES = {"size": 224, "padded_to": 10}

REPOSITORIES = (
    Repository(
        "AVSBench",
        "OpenNLPLab/AVSBench f7414aff",
        "J above 0.5, F without frames of no object, batches of 4 clips, at 224 px",
        _scores(size=224, group_size=BATCH),
    ),
    Repository(
        "AVSS",
        "OpenNLPLab/AVSBench f7414aff, avss",
        "mean IoU and F of classes, of methods and data that have them; clips of fewer than 10 "
        "frames are padded with background; at 224 px",
        {
            "J": {"type": "MeanIoUMetric", **_CLASSES},
            "F": {"type": "ClassFScoreMetric", **_CLASSES},
        },
        of_classes=True,
    ),
    Repository(
        "AVSegFormer",
        "vvvb-github/AVSegFormer 7083cb65",
        "batches of 2 clips, at 512 px",
        _scores(size=512, group_size=2),
    ),
    Repository(
        "SAMA-AVS",
        "jinxiang-liu/anno-free-AVS 15e6b046",
        "F of raw logits, so of probabilities from 0.5 to 0.73 alone; clip by clip, at 1024 px",
        _scores(of="logits", size=1024),
    ),
    Repository(
        "GAVS",
        "GeWu-Lab/Generalizable-Audio-Visual-Segmentation 753b23b0",
        "J above 0.4, clip by clip, at the frame's own size",
        _scores(REF_AVS_THRESHOLD),
    ),
    Repository(
        "Ref-AVS",
        "GeWu-Lab/Ref-AVS 82eb6881",
        "J above 0.4, S the root of a batch's share; batches of 4, at 256 px, the truth widened",
        {
            **_scores(REF_AVS_THRESHOLD, size=256, widen_truth=True, group_size=BATCH),
            **_null(size=256, group_size=BATCH),
        },
    ),
    Repository(
        "AL-Ref-SAM2",
        "appletea233/AL-Ref-SAM2 28a7ccba",
        "masks, not probabilities; F the maximum of a frame, 0 without an object; frame by frame, "
        "at 224 px (of V2 at the frame's own size)",
        _scores(of="masks", size=224, average="frame"),
        {"v2": _scores(of="masks", average="frame")},
    ),
    Repository(
        "SAM4AVS",
        "Lihr747/Sam4AVS e8939a0f",
        "masks, not probabilities; clip by clip, at 224 px",
        _scores(of="masks", size=224),
    ),
    Repository(
        "AuralSAM2",
        "yyliu01/AuralSAM2 64a16dd5, as released",
        "S the share of all pixels of the split without a root; clip by clip (of Ref-AVS batches "
        "of 4), at 1024 px",
        {**_scores(size=1024), **_RELEASED_NULL},
        {"ref_avs": {**_scores(size=1024, group_size=BATCH), **_RELEASED_NULL}},
    ),
    Repository(
        "ours",
        "",
        "clip by clip, S the root of a clip's share, at the frame's own size",
        {**_scores(), **_null()},
    ),
)
