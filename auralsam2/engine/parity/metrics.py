"""Group g: J, F and S, frame by frame and as running means over clips."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from auralsam2.engine.parity.compare import Row
from auralsam2.engine.parity.fixtures import Expected, Fixtures
from auralsam2.metrics.f_score import sum_of_curves
from auralsam2.metrics.jaccard import jaccard
from auralsam2.metrics.null_split import (
    PixelCount,
    count_pixels,
    cumulative_ratio,
    mean_of_roots,
)

SCORE = 1e-6


def check_metrics(fixtures: Fixtures) -> Iterator[Row]:
    """Every clip in the fixture's order, then the null metric's batches in theirs."""
    facts, expected = fixtures.facts("metrics"), fixtures.expected("metrics")
    ious: list[float] = []
    f_scores: list[float] = []
    for clip in facts["order"]:
        own, told = expected.under(clip), facts[clip]
        logits, masks = own.numbers["logits"], own.numbers["gt"]
        frames, curve = jaccard(logits, masks), sum_of_curves(logits, masks).mean
        ious.append(float(frames.mean()))
        f_scores.append(float(curve.max()))
        for key, value in (
            ("frame_iou", frames),
            ("clip_iou", ious[-1]),
            ("clip_fscore", f_scores[-1]),
            ("running_mean_iou", math.fsum(ious) / len(ious)),
            ("running_mean_fscore", math.fsum(f_scores) / len(f_scores)),
        ):
            yield own.told(key, value, told.get(key), SCORE)
        yield from own.rows({"f_curve": curve}, SCORE)
    yield from _check_null(facts, expected)


def _check_null(facts: dict[str, Any], expected: Expected) -> Iterator[Row]:
    batches = sorted((k for k in facts if k.startswith("S.")), key=lambda k: int(k.split(".")[1]))
    seen: list[PixelCount] = []
    for batch in batches:
        logits = expected.numbers[f"{batch.split('.', 2)[2]}.logits"]
        # A batch may hold the first frames of a clip only; its number of pixels tells.
        num_frames = int(facts[batch].get("pixels", logits.numel())) // logits[0].numel()
        seen.append(count_pixels(logits[:num_frames]))
        for key, value in (
            ("sqrt_ratio_this_batch", mean_of_roots(seen[-1:])),
            ("released_cumulative_ratio", cumulative_ratio(seen)),
        ):
            yield expected.told(f"{batch}.{key}", value, facts[batch].get(key), SCORE)
