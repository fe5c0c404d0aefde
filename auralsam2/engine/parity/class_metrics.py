"""Mean IoU and F of classes as AVSBench's semantic task computes them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from torch import Tensor

from auralsam2.engine.parity.compare import Row
from auralsam2.engine.parity.fixtures import Expected
from auralsam2.metrics.semantic import ClassMetric, ClassSums, count_classes
from auralsam2.registry import METRICS

# Sums and means of the facts, by metric.
TOLD = {
    "MeanIoUMetric": ("iou_sum_per_class", "miou", "miou_reported_as_no_background"),
    "ClassFScoreMetric": ("f_sum_per_class", "F", "F_reported_as_no_background"),
}


def check_class_metrics(facts: dict[str, Any], expected: Expected) -> Iterator[Row]:
    """One clip, its padded frames among the others, and counted without having been predicted."""
    logits, labels = expected.numbers["logits"], expected.numbers["labels"]
    real = labels.flatten(1).any(dim=1) | logits.flatten(1).any(dim=1)
    for name, keys in TOLD.items():
        for padded_to, frames in ((None, slice(None)), (len(labels), real)):
            kept = expected._replace(label=f"avss.{name}.padded_to_{padded_to}.")
            yield from _rows(kept, facts, name, keys, logits[frames], labels[frames], padded_to)


def _rows(
    expected: Expected,
    facts: dict[str, Any],
    name: str,
    keys: tuple[str, str, str],
    logits: Tensor,
    labels: Tensor,
    padded_to: int | None,
) -> Iterator[Row]:
    counts = count_classes(logits.argmax(dim=1), labels, logits.shape[1])

    def score(left_out: str) -> tuple[ClassSums, float]:
        metric: ClassMetric = METRICS.build(
            {"type": name, "left_out": left_out, "padded_to": padded_to}
        )
        sums = metric.add_frames(counts)
        return sums, metric.average([sums])

    sums, mean = score("none")
    yield expected.told("count_per_class", sums.num_frames, facts.get("count_per_class"))
    yield expected.told(keys[0], sums.total, facts.get(keys[0]))
    yield expected.told(keys[1], mean, facts.get(keys[1]))
    yield expected.told(keys[2], score("last")[1], facts.get(keys[2]))
