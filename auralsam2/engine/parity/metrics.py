"""J, F and S, frame by frame and as running means over clips."""

from __future__ import annotations

import math
from collections.abc import Iterator

from auralsam2.engine.parity.compare import Row
from auralsam2.engine.parity.fixtures import Expected
from auralsam2.metrics.f_score import sum_of_curves
from auralsam2.metrics.jaccard import jaccard
from auralsam2.metrics.null_split import PixelCount, count_pixels, share

SCORE = 1e-6


def check_metrics(expected: Expected) -> Iterator[Row]:
    """Every clip in the fixture's order, then the null metric's batches in theirs."""
    expected = expected._replace(tolerance=SCORE)
    ious: list[float] = []
    f_scores: list[float] = []
    for clip in expected.facts["order"]:
        own = expected.under(clip)
        logits, masks = own.numbers["logits"], own.numbers["gt"]
        frames, curve = jaccard(logits, masks), sum_of_curves(logits, masks).mean
        ious.append(float(frames.mean()))
        f_scores.append(float(curve.max()))
        yield from own.all_told(
            {
                "frame_iou": frames,
                "clip_iou": ious[-1],
                "clip_fscore": f_scores[-1],
                "running_mean_iou": math.fsum(ious) / len(ious),
                "running_mean_fscore": math.fsum(f_scores) / len(f_scores),
            }
        )
        yield own.row("f_curve", curve)
    yield from _check_null(expected)


def _check_null(expected: Expected) -> Iterator[Row]:
    batches = [key for key in expected.facts if key.startswith("S.")]
    seen: list[PixelCount] = []
    for batch in sorted(batches, key=lambda key: int(key.split(".")[1])):
        own, logits = expected.under(batch), expected.numbers[f"{batch.split('.', 2)[2]}.logits"]
        # A batch may hold the first frames of a clip only; its number of pixels tells.
        num_frames = int(own.facts.get("pixels", logits.numel())) // logits[0].numel()
        seen.append(count_pixels(logits[:num_frames]))
        yield own.told("sqrt_ratio_this_batch", math.sqrt(share(seen[-1:])))
        yield own.told("released_cumulative_ratio", share(seen))
