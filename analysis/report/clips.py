"""The clips that a cell does worst and best on, chosen by rule, with frames, outlines and sound."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from contourpy import contour_generator
from matplotlib import colormaps
from numpy.typing import NDArray
from PIL import Image

from analysis.clips.masks import MEDIA_TYPE, ClipMasks, clip_masks, score_warning
from analysis.clips.picks import ranked
from analysis.report.pages import data_uri
from analysis.runs.lost_runs import why_lost
from analysis.runs.results import Results, select
from analysis.runs.saved_clips import PREDICTIONS, first_runs, saved_names
from auralsam2.kept_files import read_archive

LONGEST_SIDE = 320

Array = NDArray[Any]
Scores = Mapping[tuple[int, str], Mapping[str, float]]
"""Seed and clip -> metric -> score."""


class FrameView(NamedTuple):
    """A frame: address of its picture, outlines as paths, and the score of both in words."""

    picture: str
    truth: str
    prediction: str
    score: str


class ClipView(NamedTuple):
    """A clip on a page."""

    clip: str  # name
    width: int  # of the masks
    height: int  # of the masks
    frames: tuple[FrameView, ...]  # one a second
    spectrogram: str  # address of the picture
    sound: str | None  # address of the recording, or None
    scores: str  # in words
    warning: str = ""  # what is wrong with the masks, or ""


class ClipSection(NamedTuple):
    """What a cell's page shows of clips."""

    rule: str  # how they were chosen
    groups: Mapping[str, list[ClipView]]  # title -> clips: worst and best, or those that were saved
    problem: str = ""  # why worst and best cannot be shown, or ""


def choose(
    scores: Mapping[str, float], num_clips: int, *, higher_is_better: bool = True
) -> tuple[list[str], list[str]]:
    """Return at most ``num_clips`` each with the worst and the best scores, the extreme ones first.

    Ties are broken by name, scores that are no numbers do not count. No clip is both: of few clips,
    half are the worst.
    """
    sign = 1.0 if higher_is_better else -1.0
    upwards = ranked({clip: sign * value for clip, value in scores.items()})
    worst = upwards[: min(num_clips, len(upwards) // 2)]
    best = ranked({clip: -sign * value for clip, value in scores.items() if clip not in worst})
    return worst, best[:num_clips]


def collect(
    results: Results, cell: str, column: tuple[str, str], *, num_clips: int, **making: Any
) -> ClipSection:
    """Return the worst and best clips of a cell's first seed, ranked by a split and metric.

    Where weights or data are gone: the clips that the run has saved, and why. ``making`` are
    ``overrides`` and ``again`` of `analysis.clips.masks.clip_masks`.
    """
    split, metric = column
    seed, run_dir = first_runs(results)[cell]
    scores = _scores(results, cell, split)
    own = {clip: by[metric] for (of, clip), by in scores.items() if of == seed and metric in by}
    higher = results.scale(metric).higher_is_better
    worst, best = choose(own, num_clips, higher_is_better=higher)
    try:
        masks = clip_masks(run_dir, worst + best, split=split, **making)
    except Exception as error:
        return _saved(run_dir, split, scores, seed, num_clips, why_lost(error))
    groups = {
        title: [_view(masks[clip], scores, seed, metric) for clip in chosen]
        for title, chosen in (("Worst clips", worst), ("Best clips", best))
    }
    ends = ("lowest", "highest") if higher else ("highest", "lowest")
    rule = (
        f"The {len(worst)} clips of {split} with the {ends[0]} {metric} and the {len(best)} with "
        f"the {ends[1]}, of {len(own)}, as the run with seed {seed} scored them; ties by name. "
        "Masks are made by that run's weights."
    )
    return ClipSection(rule, groups)


def spectrogram_uri(log_mel: Array) -> str:
    """Return the sound of all seconds (T, 96, 64) side by side as a PNG, low bands below."""
    bands = log_mel.reshape(-1, log_mel.shape[-1]).T[::-1]
    low, high = float(bands.min()), float(bands.max())
    shares = (bands - low) / (high - low) if high > low else np.zeros_like(bands)
    image = Image.fromarray(colormaps["magma"](shares, bytes=True)[..., :3])
    return _uri(image.quantize(64), "PNG", optimize=True)


def frame_uri(frame: Array) -> str:
    """Return one frame (h, w, 3) uint8 as a JPEG, at most `LONGEST_SIDE` pixels long."""
    image = Image.fromarray(np.ascontiguousarray(frame))
    image.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    return _uri(image, "JPEG", quality=88)


def outline(mask: Array) -> str:
    """Return the outlines of a mask (H, W) as the path of an SVG whose unit is one pixel.

    Pixel (y, x) covers x to x + 1 and y to y + 1. Empty where nothing is inside.
    """
    inside = np.pad(np.asarray(mask) > 0, 1).astype(float)  # closes outlines at the border
    if not inside.any():
        return ""
    lines = contour_generator(z=inside).lines(0.5)
    # Padded by one, and a pixel's value lies at its centre.
    return "".join(_path(np.asarray(line) - 0.5) for line in lines)


def _path(line: Array) -> str:
    """Return one closed line, points on the straight between their neighbours left out."""
    points = line[:-1]
    before, after = points - np.roll(points, 1, axis=0), np.roll(points, -1, axis=0) - points
    bends = np.abs(before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0]) > 1e-9
    return "M" + "L".join(f"{x:g} {y:g}" for x, y in points[bends]) + "Z"


def _uri(image: Image.Image, kind: str, **options: Any) -> str:
    file = io.BytesIO()
    image.save(file, format=kind, **options)
    return data_uri(file.getvalue(), f"image/{kind.lower()}")


def _saved(
    run_dir: Path, split: str, scores: Scores, seed: int, num_clips: int, problem: str
) -> ClipSection:
    try:
        arrays = read_archive(run_dir / PREDICTIONS)
    except ValueError as error:
        arrays, problem = {}, f"{problem}; {error}"
    views = []
    for clip in saved_names(arrays, split)[: 2 * num_clips]:
        names = ("frames", "truth", "prediction", "log_mel")
        held = {name: arrays[f"{split}/{clip}/{name}"] for name in names}
        views.append(_view(ClipMasks(clip, **held, sound=None, scores={}), scores, seed, ""))
    if not views:
        return ClipSection("", {}, problem)
    rule = f"The first clips of {split}, whose masks the run with seed {seed} has saved."
    return ClipSection(rule, {"Saved clips": views}, problem)


def _scores(results: Results, cell: str, split: str) -> Scores:
    own = select(results.scores, cell=cell, split=split)
    found: dict[tuple[int, str], dict[str, float]] = {}
    for row in own[["seed", "clip", "metric", "value"]].itertuples(index=False):
        found.setdefault((int(row[0]), str(row[1])), {})[str(row[2])] = float(row[3])
    return found


def _view(masks: ClipMasks, scores: Scores, seed: int, metric: str) -> ClipView:
    height, width = masks.truth.shape[1:]
    pairs = zip(masks.frames, masks.truth > 0, masks.prediction > 0, strict=True)
    others = sorted(of for of, clip in scores if clip == masks.clip and of != seed)
    words = [_in_words(scores.get((of, masks.clip), {}), of) for of in (seed, *others)]
    return ClipView(
        clip=masks.clip,
        width=width,
        height=height,
        frames=tuple(
            FrameView(frame_uri(frame), outline(truth), outline(mask), _frame_score(truth, mask))
            for frame, truth, mask in pairs
        ),
        spectrogram=spectrogram_uri(masks.log_mel),
        sound=None if masks.sound is None else data_uri(masks.sound, MEDIA_TYPE),
        scores="; ".join(word for word in words if word),
        warning=score_warning(masks, metric, scores.get((seed, masks.clip), {}).get(metric)),
    )


def _in_words(scores: Mapping[str, float], seed: int) -> str:
    listed = ", ".join(f"{metric} {value:.3f}" for metric, value in scores.items())
    return f"seed {seed}: {listed}" if listed else ""


def _frame_score(truth: Array, mask: Array) -> str:
    if not truth.any():
        # An IoU of 0 for a single pixel would say nothing: benchmarks score such frames otherwise.
        area = f"{mask.mean():.1%}" if mask.any() else "nothing"
        return f"nothing to find, {area} predicted"
    return f"IoU {(truth & mask).sum() / (truth | mask).sum():.2f}"
