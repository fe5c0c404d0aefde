"""The clips that a cell does worst and best on, chosen by rule, with frames, outlines and sound."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from numpy.typing import NDArray

from analysis.clips.masks import ClipMasks, clip_masks, score_warning
from analysis.clips.picks import ranked
from analysis.clips.sound import MEDIA_TYPE
from analysis.report.pictures import data_uri, frame_uri, outline, spectrogram_uri
from analysis.runs.lost_runs import why_lost
from analysis.runs.results import Results
from analysis.runs.saved_clips import PREDICTIONS, first_runs
from auralsam2.kept_files import read_archive

Array = NDArray[Any]


class FrameView(NamedTuple):
    """A frame.

    Attributes:
        second: of the clip, from 1.
        picture: its address.
        truth: path of the outlines.
        prediction: path of the outlines.
        score: of the two masks, in words.
    """

    second: int
    picture: str
    truth: str
    prediction: str
    score: str


class ClipView(NamedTuple):
    """A clip on a page.

    Attributes:
        clip: name.
        width: of the masks.
        height: of the masks.
        frames: one a second.
        spectrogram: address of the picture.
        sound: address of the recording, or None.
        scores: in words.
        warning: what is wrong with the masks, or "".
    """

    clip: str
    width: int
    height: int
    frames: tuple[FrameView, ...]
    spectrogram: str
    sound: str | None
    scores: str
    warning: str = ""


class ClipGroup(NamedTuple):
    """Clips of one kind.

    Attributes:
        title: the kind.
        clips: in order.
    """

    title: str
    clips: tuple[ClipView, ...]


class ClipSection(NamedTuple):
    """What a cell's page shows of clips.

    Attributes:
        rule: how they were chosen.
        groups: worst and best, or those that were saved.
        problem: why worst and best cannot be shown, or "".
    """

    rule: str
    groups: tuple[ClipGroup, ...]
    problem: str = ""


def choose(
    scores: Mapping[str, float], num_clips: int, *, higher_is_better: bool = True
) -> tuple[list[str], list[str]]:
    """Return the clips with the worst and with the best scores, the extreme ones first.

    Ties are broken by name. No clip is both: of few clips, half are the worst.

    Args:
        scores: clip -> score; those that are no numbers do not count.
        num_clips: of each kind at most.
        higher_is_better: direction of the scores.
    """
    sign = 1.0 if higher_is_better else -1.0
    upwards = ranked({clip: sign * value for clip, value in scores.items()})
    worst = upwards[: min(num_clips, len(upwards) // 2)]
    best = ranked({clip: -sign * value for clip, value in scores.items() if clip not in worst})
    return worst, best[:num_clips]


def collect(
    results: Results,
    cell: str,
    column: tuple[str, str],
    *,
    num_clips: int,
    overrides: Mapping[str, Any] | None = None,
    again: bool = False,
) -> ClipSection:
    """Return the worst and best clips of a cell's first seed.

    Args:
        results: the runs.
        cell: name.
        column: split and metric that the clips are ranked by.
        num_clips: of each kind.
        overrides: of the run's config.
        again: predict anew.

    Returns:
        Where weights or data are gone: the clips that the run has saved, and why.
    """
    split, metric = column
    seed, run_dir = first_runs(results)[cell]
    scores = _scores(results, cell, split)
    own = {clip: by[metric] for (of, clip), by in scores.items() if of == seed and metric in by}
    higher = results.scale(metric).higher_is_better
    worst, best = choose(own, num_clips, higher_is_better=higher)
    try:
        masks = clip_masks(run_dir, worst + best, split=split, overrides=overrides, again=again)
    except Exception as error:
        return _saved(run_dir, split, scores, seed, num_clips, why_lost(error))
    groups = tuple(
        ClipGroup(title, tuple(_view(masks[c], scores, seed, metric) for c in chosen))
        for title, chosen in (("Worst clips", worst), ("Best clips", best))
    )
    ends = ("lowest", "highest") if higher else ("highest", "lowest")
    rule = (
        f"The {len(worst)} clips of {split} with the {ends[0]} {metric} and the {len(best)} with "
        f"the {ends[1]}, of {len(own)}, as the run with seed {seed} scored them; ties by name. "
        "Masks are made by that run's weights."
    )
    return ClipSection(rule, groups)


def _saved(
    run_dir: Path,
    split: str,
    scores: Mapping[tuple[int, str], Mapping[str, float]],
    seed: int,
    num_clips: int,
    problem: str,
) -> ClipSection:
    views: list[ClipView] = []
    try:
        arrays = read_archive(run_dir / PREDICTIONS)
    except ValueError as error:
        arrays, problem = {}, f"{problem}; {error}"
    start, end = f"{split}/", "/prediction"
    keys = [k for k in arrays if k.startswith(start) and k.endswith(end)]
    for clip in [key[len(start) : -len(end)] for key in keys][: 2 * num_clips]:
        held = {
            name: arrays[f"{start}{clip}/{name}"]
            for name in ("frames", "truth", "prediction", "log_mel")
        }
        masks = ClipMasks(clip=clip, **held, sound=None, scores={})
        views.append(_view(masks, scores, seed, ""))
    rule = f"The first clips of {split}, whose masks the run with seed {seed} has saved."
    groups = (ClipGroup("Saved clips", tuple(views)),) if views else ()
    return ClipSection(rule if views else "", groups, problem)


def _scores(results: Results, cell: str, split: str) -> dict[tuple[int, str], dict[str, float]]:
    """Return seed and clip -> metric -> score."""
    frame = results.scores
    frame = frame[(frame["cell"] == cell) & (frame["split"] == split)]
    found: dict[tuple[int, str], dict[str, float]] = {}
    for row in frame[["seed", "clip", "metric", "value"]].itertuples(index=False):
        found.setdefault((int(row[0]), str(row[1])), {})[str(row[2])] = float(row[3])
    return found


def _view(
    masks: ClipMasks,
    scores: Mapping[tuple[int, str], Mapping[str, float]],
    seed: int,
    metric: str,
) -> ClipView:
    height, width = masks.truth.shape[1:]
    pairs = zip(masks.frames, masks.truth > 0, masks.prediction > 0, strict=True)
    frames = tuple(
        FrameView(index, frame_uri(frame), outline(truth), outline(mask), _frame_score(truth, mask))
        for index, (frame, truth, mask) in enumerate(pairs, start=1)
    )
    own = scores.get((seed, masks.clip), {})
    others = sorted(of for of, clip in scores if clip == masks.clip and of != seed)
    words = [_in_words(own, f"seed {seed}")]
    words += [_in_words(scores[(of, masks.clip)], f"seed {of}") for of in others]
    return ClipView(
        clip=masks.clip,
        width=width,
        height=height,
        frames=frames,
        spectrogram=spectrogram_uri(masks.log_mel),
        sound=None if masks.sound is None else data_uri(masks.sound, MEDIA_TYPE),
        scores="; ".join(word for word in words if word),
        warning=score_warning(masks, metric, own.get(metric)),
    )


def _in_words(scores: Mapping[str, float], whose: str) -> str:
    listed = ", ".join(f"{metric} {value:.3f}" for metric, value in scores.items())
    return f"{whose}: {listed}" if listed else ""


def _frame_score(truth: Array, mask: Array) -> str:
    if not truth.any():
        # An IoU of 0 for a single pixel would say nothing: benchmarks score such frames otherwise.
        area = f"{mask.mean():.1%}" if mask.any() else "nothing"
        return f"nothing to find, {area} predicted"
    return f"IoU {(truth & mask).sum() / (truth | mask).sum():.2f}"
