"""Masks of chosen clips by a run's own weights, kept in the run's folder."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.kept import Kept, OpenRun, check_weights
from auralsam2.kept_files import archive_arrays, archive_bytes

MEDIA_TYPE = "audio/flac"
_USUAL_SPLIT = "test"
_TOLERANCE = 0.005
"""Scores of masks made anew on other hardware differ by less."""
_ARRAYS = ("frames", "truth", "prediction", "log_mel")

Array = NDArray[Any]


class ClipMasks(NamedTuple):
    """What a model predicts for one clip of T frames."""

    clip: str  # name
    frames: Array  # (T, h, w, 3) uint8; the model's size, which may differ from the masks'
    truth: Array  # (T, H, W), above 0 on the object
    prediction: Array  # (T, H, W), above 0 where predicted
    log_mel: Array  # (T, 96, 64), the sound of each frame's second, time before frequency
    sound: bytes | None  # a file of `encode_sound`; None where the recording cannot be read
    scores: Mapping[str, float]  # metric -> score of these masks


@dataclass(frozen=True)
class _SplitMasks(Kept[dict[str, ClipMasks]]):
    """Masks of clips of a split, which become more with every call; no code makes them invalid."""

    schema: ClassVar[int] = 1
    split: str

    def path(self, run_dir: Path) -> Path:
        """Return the file of the split."""
        own = "" if self.split == _USUAL_SPLIT else f"_{self.split}"
        return run_dir / f"clip_masks{own}.npz"

    def code(self) -> dict[str, str]:
        """Return nothing: `score_warning` tells masks that code has changed."""
        return {}

    def encode(self, numbers: Mapping[str, ClipMasks]) -> tuple[bytes, dict[str, Any]]:
        """Return an archive, and the clips' scores."""
        arrays: dict[str, Array] = {}
        for number, masks in enumerate(numbers.values()):
            arrays |= {f"{number}/{key}": getattr(masks, key) for key in _ARRAYS}
            arrays[f"{number}/sound"] = np.frombuffer(masks.sound or b"", dtype=np.uint8)
        scores = {
            clip: {m: v if np.isfinite(v) else None for m, v in masks.scores.items()}
            for clip, masks in numbers.items()
        }
        return archive_bytes(arrays), {"clips": scores}

    def decode(self, content: bytes, facts: Mapping[str, Any]) -> dict[str, ClipMasks]:
        """Read both."""
        arrays = archive_arrays(content)
        return {
            clip: ClipMasks(
                clip=clip,
                **{key: arrays[f"{number}/{key}"] for key in _ARRAYS},
                sound=arrays[f"{number}/sound"].tobytes() or None,
                scores={m: np.nan if v is None else v for m, v in scores.items()},
            )
            for number, (clip, scores) in enumerate(facts["clips"].items())
        }


def clip_masks(
    run_dir: Path,
    clips: Sequence[str],
    *,
    split: str = _USUAL_SPLIT,
    overrides: Mapping[str, Any] | None = None,
    again: bool = False,
) -> dict[str, ClipMasks]:
    """Predict the masks of chosen clips, or read them where the run's folder has them.

    Returns:
        Clip -> masks, in the order asked for.

    Raises:
        FileNotFoundError: where the run's config, weights or data are not there any more.
        ValueError: where its model cannot be built, or the split or a clip is not known.
        Exception: whatever the run's own components raise; see `analysis.runs.lost_runs`.
    """
    masks = _SplitMasks(split)
    settings = masks.settings(run_dir, overrides or {})
    kept = masks.read(run_dir, settings) or {}
    missing = [clip for clip in clips if again or clip not in kept]
    if missing:
        check_weights(run_dir)
        kept |= _predict(run_dir, missing, split, overrides or {})
        masks.write(run_dir, settings, kept)
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


def encode_sound(path: Path, seconds: float) -> bytes:
    """Return what a model hears of a recording, without loss: FLAC, mono, 16 kHz.

    Args:
        path: of any sound file, or a video.
        seconds: from the beginning; the rest is left out.

    Raises:
        FileNotFoundError: where there is no such file.
        ValueError: where it cannot be decoded.
    """
    import soundfile

    from auralsam2.data.audio import SAMPLE_RATE, read_waveform, resampled

    samples, rate = read_waveform(path)
    mono = resampled(samples.mean(axis=1)[: round(seconds * rate)], rate, SAMPLE_RATE)
    file = io.BytesIO()
    soundfile.write(file, np.clip(mono, -1, 1), SAMPLE_RATE, format="FLAC", subtype="PCM_16")
    return file.getvalue()


def _predict(
    run_dir: Path, clips: Sequence[str], split: str, overrides: Mapping[str, Any]
) -> dict[str, ClipMasks]:
    few = {"evaluation.num_saved_clips": len(clips), "data.num_workers": 0}
    run = OpenRun(run_dir, {**overrides, **few})
    from auralsam2.data.datasets.wrapped import ChosenClips
    from auralsam2.engine.evaluate import evaluate_model

    dataset = run.dataset(split)
    if strangers := [clip for clip in clips if clip not in dataset.clips]:
        raise ValueError(f"the data have no clip {', '.join(strangers)} in split '{split}'")
    result = evaluate_model(run.model(), run.cfg, {split: ChosenClips(dataset, clips)})
    recordings = {file.uid: file.audio for file in getattr(dataset, "files", ())}
    scores = result.splits[split].per_clip
    return {clip: _entry(clip, result.saved, split, recordings.get(clip), scores) for clip in clips}


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
    try:
        return None if recording is None else encode_sound(recording, num_frames)
    except (ValueError, OSError, ImportError):
        return None
