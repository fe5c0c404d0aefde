"""Group g: J, F and S, frame by frame and as running means over clips."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from auralsam2.engine.parity.compare import Row, compare
from auralsam2.engine.parity.fixtures import Fixtures
from auralsam2.metrics.f_score import sum_of_curves
from auralsam2.metrics.jaccard import jaccard
from auralsam2.metrics.null_split import (
    PixelCount,
    count_pixels,
    cumulative_ratio,
    mean_of_roots,
)

NAME = "metrics"
SCORE = 1e-6


def check_metrics(fixtures: Fixtures) -> Iterator[Row]:
    """Every clip in the fixture's order, then the null metric's batches in theirs."""
    facts, numbers = fixtures.facts(NAME), fixtures.tensors(NAME)
    ious: list[float] = []
    f_scores: list[float] = []
    for clip in facts["order"]:
        logits, masks = numbers[f"{clip}.logits"], numbers[f"{clip}.gt"]
        frames, curve = jaccard(logits, masks), sum_of_curves(logits, masks).mean
        ious.append(float(frames.mean()))
        f_scores.append(float(curve.max()))
        yield from _check_clip(clip, facts[clip], frames, ious, f_scores)
        if f"{clip}.f_curve" in numbers:
            yield compare(NAME, f"{clip}.f_curve", curve, numbers[f"{clip}.f_curve"], SCORE)
    yield from _check_null(facts, numbers)


def _check_clip(
    clip: str, facts: dict[str, Any], frames: Tensor, ious: list[float], f_scores: list[float]
) -> Iterator[Row]:
    expected = torch.tensor(facts["frame_iou"], dtype=torch.float64)
    yield compare(NAME, f"{clip}.frame_iou", frames, expected, SCORE)
    for key, value in (
        ("clip_iou", ious[-1]),
        ("clip_fscore", f_scores[-1]),
        ("running_mean_iou", math.fsum(ious) / len(ious)),
        ("running_mean_fscore", math.fsum(f_scores) / len(f_scores)),
    ):
        yield compare(NAME, f"{clip}.{key}", value, facts[key], SCORE)


def _check_null(facts: dict[str, Any], numbers: dict[str, Tensor]) -> Iterator[Row]:
    batches = sorted((k for k in facts if k.startswith("S.")), key=lambda k: int(k.split(".")[1]))
    seen: list[PixelCount] = []
    for batch in batches:
        logits = numbers[f"{batch.split('.', 2)[2]}.logits"]
        # A batch may hold the first frames of a clip only; its number of pixels tells.
        num_frames = int(facts[batch]["pixels"]) // logits[0].numel()
        seen.append(count_pixels(logits[:num_frames]))
        for key, value in (
            ("sqrt_ratio_this_batch", mean_of_roots(seen[-1:])),
            ("released_cumulative_ratio", cumulative_ratio(seen)),
        ):
            yield compare(NAME, f"{batch}.{key}", value, facts[batch][key], SCORE)
