"""Masks of chosen clips by a run's own weights, kept in the run's folder."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.measured_run import run_settings, still_holds
from analysis.run_captures import DAMAGED, archive_bytes, check_weights
from auralsam2.kept_files import keep_with_facts, kept_with_facts

_NAME = "clip_masks"
_USUAL_SPLIT = "test"
_TOLERANCE = 0.005
"""Scores of masks made anew on other hardware differ by less."""
_SCHEMA = 1
_ARRAYS = ("frames", "truth", "prediction", "log_mel")

Array = NDArray[Any]


class ClipMasks(NamedTuple):
    """What a model predicts for one clip of T frames.

    Attributes:
        clip: name.
        frames: (T, h, w, 3) uint8; the model's size, which may differ from the masks'.
        truth: (T, H, W), above 0 on the object.
        prediction: (T, H, W), above 0 where predicted.
        log_mel: (T, 96, 64), the sound of each frame's second, time before frequency.
        sound: a file of `analysis.clips.sound`; None where the recording cannot be read.
        scores: metric -> score of these masks.
    """

    clip: str
    frames: Array
    truth: Array
    prediction: Array
    log_mel: Array
    sound: bytes | None
    scores: Mapping[str, float]


def clip_masks(
    run_dir: Path,
    clips: Sequence[str],
    *,
    split: str = _USUAL_SPLIT,
    overrides: Mapping[str, Any] | None = None,
    again: bool = False,
) -> dict[str, ClipMasks]:
    """Predict the masks of chosen clips, or read them where the run's folder has them.

    Args:
        run_dir: with ``config.py`` and ``record.json``, and ``best.safetensors`` where something
            was trained.
        clips: names.
        split: that they belong to.
        overrides: of the run's config, e.g. ``{"data.root": ...}`` where the data have moved.
        again: also where the folder has them.

    Returns:
        Clip -> masks, in the order asked for.

    Raises:
        FileNotFoundError: where the run's config, weights or data are not there any more.
        ValueError: where its model cannot be built, or the split or a clip is not known.
        Exception: whatever the run's own components raise; see `analysis.runs.lost_runs`.
    """
    settings = _settings(run_dir, split, overrides or {})
    kept = {} if again else _read(run_dir, settings)
    missing = [clip for clip in clips if clip not in kept]
    if missing:
        check_weights(run_dir)
        kept |= _predict(run_dir, missing, split, overrides or {})
        _write(run_dir, settings, kept)
    return {clip: kept[clip] for clip in clips}


def score_warning(masks: ClipMasks, metric: str, recorded: float | None) -> str:
    """Say that masks do not score what the run recorded; "" where they do, or nothing is known."""
    now = masks.scores.get(metric)
    if now is None or recorded is None or abs(now - recorded) <= _TOLERANCE:
        return ""
    return (
        f"These masks score {metric} {now:.3f}, the run recorded {recorded:.3f}: weights, data, "
        "code or settings are no longer those of the run."
    )


def _predict(
    run_dir: Path, clips: Sequence[str], split: str, overrides: Mapping[str, Any]
) -> dict[str, ClipMasks]:
    from auralsam2 import config
    from auralsam2.engine.run_target import find_target

    target = find_target(str(run_dir), None)
    # From here on torch is needed.
    from auralsam2.data.datasets.chosen_clips import ChosenClips
    from auralsam2.engine.evaluate import evaluate_model, test_datasets, trained_model
    from auralsam2.messages import unknown_name
    from auralsam2.registry import load_all

    few = {"evaluation.num_saved_clips": len(clips), "data.num_workers": 0}
    cfg = config.load(target.config, {**overrides, **few})
    load_all()
    datasets = test_datasets(cfg)
    if split not in datasets:
        raise ValueError(f"'{run_dir}': {unknown_name('test split', split, datasets)}")
    dataset = datasets[split]
    if strangers := [clip for clip in clips if clip not in set(dataset.clips)]:
        raise ValueError(f"the data have no clip {', '.join(strangers)} in split '{split}'")
    chosen = ChosenClips(dataset, clips)
    with _fewer_words():
        result = evaluate_model(trained_model(cfg, target.checkpoint), cfg, {split: chosen})
    recordings = {file.uid: file.audio for file in getattr(dataset, "files", ())}
    scores = result.splits[split].per_clip
    return {clip: _entry(clip, result.saved, split, recordings.get(clip), scores) for clip in clips}


@contextmanager
def _fewer_words() -> Iterator[None]:
    """Keep mmengine from warning of every metric without a prefix, run after run."""
    from mmengine.logging import MMLogger

    logger = MMLogger.get_current_instance()
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def _entry(
    clip: str,
    saved: Mapping[str, Array],
    split: str,
    recording: Path | None,
    scores: Mapping[str, Mapping[str, float]],
) -> ClipMasks:
    arrays = {key: saved[f"{split}/{clip}/{key}"] for key in _ARRAYS}
    own = {metric: float(by[clip]) for metric, by in scores.items() if clip in by}
    sound = _sound(recording, len(arrays["frames"]))
    return ClipMasks(clip=clip, **arrays, sound=sound, scores=own)


def _sound(recording: Path | None, num_frames: int) -> bytes | None:
    from analysis.clips.sound import encode_sound

    try:
        return None if recording is None else encode_sound(recording, num_frames)
    except (ValueError, OSError, ImportError):
        return None


def _settings(run_dir: Path, split: str, overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the masks depend on; not where the data lie, so that they may move."""
    return {"schema": _SCHEMA, "split": split, **run_settings(run_dir, overrides)}


def _read(run_dir: Path, settings: dict[str, Any]) -> dict[str, ClipMasks]:
    found = kept_with_facts(*_paths(run_dir, settings["split"]))
    if found is None:
        return {}
    content, held = found
    try:
        if not still_holds(held["settings"], settings):
            return {}
        with np.load(io.BytesIO(content)) as arrays:
            return {
                clip: ClipMasks(
                    clip=clip,
                    **{key: arrays[f"{number}/{key}"] for key in _ARRAYS},
                    sound=arrays[f"{number}/sound"].tobytes() or None,
                    scores={m: np.nan if v is None else v for m, v in scores.items()},
                )
                for number, (clip, scores) in enumerate(held["clips"].items())
            }
    except DAMAGED:
        return {}


def _write(run_dir: Path, settings: Mapping[str, Any], kept: Mapping[str, ClipMasks]) -> None:
    arrays: dict[str, Array] = {}
    for number, masks in enumerate(kept.values()):
        arrays |= {f"{number}/{key}": getattr(masks, key) for key in _ARRAYS}
        arrays[f"{number}/sound"] = np.frombuffer(masks.sound or b"", dtype=np.uint8)
    scores = {
        clip: {m: v if np.isfinite(v) else None for m, v in masks.scores.items()}
        for clip, masks in kept.items()
    }
    facts = {"settings": dict(settings), "clips": scores}
    keep_with_facts(*_paths(run_dir, settings["split"]), archive_bytes(arrays), facts)


def _paths(run_dir: Path, split: str) -> tuple[Path, Path]:
    """Return the files of a split's masks and of what these depend on."""
    stem = _NAME if split == _USUAL_SPLIT else f"{_NAME}_{split}"
    return run_dir / f"{stem}.npz", run_dir / f"{stem}.json"
