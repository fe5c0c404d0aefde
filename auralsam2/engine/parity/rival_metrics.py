"""J, F and S as every rival's repository computes them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from torch import Tensor

from auralsam2.engine.parity.class_metrics import check_class_metrics
from auralsam2.engine.parity.compare import Row
from auralsam2.engine.parity.fixtures import Expected, Fixtures
from auralsam2.metrics.f_score import sum_of_curves
from auralsam2.metrics.jaccard import THRESHOLD, jaccard
from auralsam2.metrics.null_split import count_pixels, mean_of_roots
from auralsam2.metrics.protocols import REF_AVS_THRESHOLD

J_THRESHOLDS = {
    "avsbench": THRESHOLD,
    "sama_avs": THRESHOLD,
    "gavs": REF_AVS_THRESHOLD,
    "ref_avs": REF_AVS_THRESHOLD,
}


def check_rival_metrics(fixtures: Fixtures) -> Iterator[Row]:
    """Every case, its frames as one batch; and the case with classes."""
    facts, expected = fixtures.facts("metrics"), fixtures.expected("metrics")
    for case, told in facts["cases"].items():
        yield from _check_case(expected.under(case), told)
    if "avss" in facts:
        yield from check_class_metrics(facts["avss"], expected.under("avss"))


def _check_case(expected: Expected, told: dict[str, Any]) -> Iterator[Row]:
    logits, masks = expected.numbers["logits"], expected.numbers["masks"]
    for repository, theirs in told.items():
        for key, value in _scores(repository, logits, masks).items():
            yield expected.told(f"{repository}.{key}", value, theirs.get(key))


def _scores(repository: str, logits: Tensor, masks: Tensor) -> dict[str, float]:
    if repository not in J_THRESHOLDS:
        return {}
    frames = jaccard(logits, masks, J_THRESHOLDS[repository])
    scores = {"J": float(frames.mean())}
    if repository != "sama_avs":
        scores["F"] = float(sum_of_curves(logits, masks).mean.max())
    return scores | {"S": mean_of_roots([count_pixels(logits)])}
