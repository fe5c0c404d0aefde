"""J, F and S as every rival's repository computes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from auralsam2.engine.parity.class_metrics import check_class_metrics
from auralsam2.engine.parity.compare import Row, failure
from auralsam2.engine.parity.fixtures import Expected, Fixtures
from auralsam2.metrics.clip_metric import ClipMetric
from auralsam2.metrics.repositories import REPOSITORIES, Repository

CLIP = 5
"""Frames of a clip where a case holds several."""


def check_rival_metrics(fixtures: Fixtures) -> Iterator[Row]:
    """Every case and repository, at the size of the fixture; and the case with classes."""
    facts, expected = fixtures.facts("metrics"), fixtures.expected("metrics")
    known = {each.name.lower().replace("-", "_"): each for each in REPOSITORIES}
    for case, told in facts["cases"].items():
        for name, theirs in told.items():
            own = expected.under(case)._replace(label=f"{case}.{name}.")
            if name in known:
                yield from _check_case(own, theirs, known[name])
            else:
                yield failure("metrics", f"{case}.{name}", "no such repository")
    if "avss" in facts:
        yield from check_class_metrics(facts["avss"], expected.under("avss"))


def _check_case(expected: Expected, told: Mapping[str, Any], of: Repository) -> Iterator[Row]:
    """The frames as one batch and, where it is told, frame by frame and clip by clip."""
    logits, masks = expected.numbers["logits"], expected.numbers["masks"]
    for letter, metric in of.build(size=None, widen_truth=False).items():
        batch, _ = _scores(metric, logits, masks, len(masks))
        _, frames = _scores(metric, logits, masks, 1)
        _, clips = _scores(metric, logits, masks, CLIP)
        for key, value in (
            ("", batch),
            ("_per_frame", frames),
            ("_of_each_clip", clips),
            ("_if_batches_of_one_clip", clips.mean()),
        ):
            yield expected.told(f"{letter}{key}", value, told.get(f"{letter}{key}"))


def _scores(metric: ClipMetric, logits: Tensor, masks: Tensor, step: int) -> tuple[float, Tensor]:
    """Of a data set of clips of ``step`` frames, and of each of them."""
    parts = list(zip(logits.split(step), masks.split(step), strict=True))
    for number, (logit, mask) in enumerate(parts):
        supervised = torch.ones(len(mask), dtype=torch.bool)
        clip = {"clip": f"{number:06}", "mask_logits": logit, "masks": mask}
        metric.process(None, [clip | {"supervised": supervised}])
    (score,) = metric.evaluate(len(parts)).values()
    return score, torch.tensor([metric.per_clip[clip] for clip in sorted(metric.per_clip)])
