"""J, F and S as every rival's repository computes them, and AVSBench's means over classes."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from auralsam2.engine.parity.compare import Row, failure
from auralsam2.engine.parity.fixtures import Expected
from auralsam2.metrics.clip_metric import ClipMetric
from auralsam2.metrics.repositories import REPOSITORIES, Repository
from auralsam2.metrics.semantic import ClassMetric, ClassSums, count_classes
from auralsam2.registry import METRICS

CLIP = 5
"""Frames of a clip where a case holds several."""

OF_CLASSES = {
    "MeanIoUMetric": ("iou_sum_per_class", "miou", "miou_reported_as_no_background"),
    "ClassFScoreMetric": ("f_sum_per_class", "F", "F_reported_as_no_background"),
}
"""Sums and means of the facts, by metric."""


def check_rival_metrics(expected: Expected) -> Iterator[Row]:
    """Every case and repository, at the size of the fixture; and the case with classes."""
    known = {each.name.lower().replace("-", "_"): each for each in REPOSITORIES}
    for case, by_name in expected.facts["cases"].items():
        for name, told in by_name.items():
            own = expected.under(case)._replace(facts=told, label=f"{case}.{name}.")
            if name in known:
                yield from _check_case(own, known[name])
            else:
                yield failure(f"{case}.{name}", "no such repository")
    if "avss" in expected.facts:
        yield from _check_classes(expected.under("avss"))


def _check_case(expected: Expected, of: Repository) -> Iterator[Row]:
    """The frames as one batch and, where it is told, frame by frame and clip by clip."""
    logits, masks = expected.numbers["logits"], expected.numbers["masks"]
    for letter, metric in of.build(size=None, widen_truth=False).items():
        batch, _ = _scores(metric, logits, masks, len(masks))
        _, frames = _scores(metric, logits, masks, 1)
        _, clips = _scores(metric, logits, masks, CLIP)
        yield from expected.all_told(
            {
                letter: batch,
                f"{letter}_per_frame": frames,
                f"{letter}_of_each_clip": clips,
                f"{letter}_if_batches_of_one_clip": clips.mean(),
            }
        )


def _scores(metric: ClipMetric, logits: Tensor, masks: Tensor, step: int) -> tuple[float, Tensor]:
    """Of a data set of clips of ``step`` frames, and of each of them."""
    parts = list(zip(logits.split(step), masks.split(step), strict=True))
    for number, (logit, mask) in enumerate(parts):
        supervised = torch.ones(len(mask), dtype=torch.bool)
        clip = {"clip": f"{number:06}", "mask_logits": logit, "masks": mask}
        metric.process(None, [clip | {"supervised": supervised}])
    (score,) = metric.evaluate(len(parts)).values()
    return score, torch.tensor([metric.per_clip[clip] for clip in sorted(metric.per_clip)])


def _check_classes(expected: Expected) -> Iterator[Row]:
    """One clip, its padded frames among the others, and counted without having been predicted."""
    logits, labels = expected.numbers["logits"], expected.numbers["labels"]
    real = labels.flatten(1).any(dim=1) | logits.flatten(1).any(dim=1)
    for name, keys in OF_CLASSES.items():
        for padded_to, frames in ((None, slice(None)), (len(labels), real)):
            counts = count_classes(logits[frames].argmax(dim=1), labels[frames], logits.shape[1])
            sums, mean = _class_score(name, "none", padded_to, counts)
            _, without_last = _class_score(name, "last", padded_to, counts)
            own = expected._replace(label=f"avss.{name}.padded_to_{padded_to}.")
            found = dict(zip(keys, (sums.total, mean, without_last), strict=True))
            yield from own.all_told({"count_per_class": sums.num_frames, **found})


def _class_score(
    name: str, left_out: str, padded_to: int | None, counts: Tensor
) -> tuple[ClassSums, float]:
    node = {"type": name, "left_out": left_out, "padded_to": padded_to}
    metric: ClassMetric = METRICS.build(node)
    sums = metric.add_frames(counts)
    return sums, metric.average([sums])
