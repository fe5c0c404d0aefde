"""What tests plant in the place of what runs leave: readings, points, masks, logs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analysis.clips.masks import ClipMasks
from analysis.dilution import readings
from analysis.dilution.indices import clip_means, over_seeds
from analysis.embeddings import points

Rows = list[tuple[Any, ...]]
PROJECTED = ("projected",)
KINDS = {"audio": 1, "foreground": 2, "background": 1}


def at_sites(
    quantity: str,
    condition: str = "true",
    value: float | Callable[..., float] = 0.1,
    *,
    at: Iterable[int] = (0,),
    clips: Iterable[str] = ("a",),
    heads: Iterable[int] = (-1,),
    tokens: str = "mask",
) -> Rows:
    """Readings of one frame a clip at the three sites; ``value`` may hang on all that they name."""
    return [
        (clip, 0, quantity, condition, swapped_at, site, head, tokens, own)
        for clip in clips
        for swapped_at in at
        for site in (1, 2, 3)
        for head in heads
        for own in [
            value(clip=clip, at=swapped_at, site=site, head=head) if callable(value) else value
        ]
    ]


def frame_of(rows: Rows) -> pd.DataFrame:
    """Readings as they are kept."""
    return pd.DataFrame(rows, columns=list(readings.COLUMNS))


def over_clips(arms: Mapping[str, Rows]) -> pd.DataFrame:
    """What figures of dilution take, of arms of one seed."""
    return over_seeds(clip_means({(arm, 0): frame_of(rows) for arm, rows in arms.items()}))


def points_of(
    num_clips: int = 8,
    *,
    seed: int = 0,
    spaces: Sequence[str] = PROJECTED,
    num_levels: int = 2,
    kinds: Mapping[str, int] = KINDS,
    category: Callable[[int], str] = lambda clip: ("dog", "bell")[clip % 2],
    sounding: Callable[[int], bool] = lambda clip: True,
) -> points.Points:
    """Points of one frame a clip; background lies apart. ``kinds``: how many there are of each."""
    rows = [
        (f"c{clip}", 0, level, space, kind, sounding(clip), category(clip))
        for space in spaces
        for level in range(num_levels)
        for clip in range(num_clips)
        for kind, count in kinds.items()
        for _ in range(count)
    ]
    table = pd.DataFrame(rows, columns=list(points.COLUMNS))
    vectors = np.random.default_rng(seed).normal(size=(len(rows), 4))
    vectors += (table[["kind"]] != "background").to_numpy()
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return points.Points(table, {space: vectors[table["space"] == space] for space in spaces})


def masks_of(clip: str, truth: np.ndarray, prediction: np.ndarray, **fields: Any) -> ClipMasks:
    """Masks (T, H, W) of a black, silent clip."""
    blank = {"frames": np.zeros((*truth.shape, 3), np.uint8), "sound": None, "scores": {}}
    blank["log_mel"] = np.zeros((len(truth), 96, 64))
    return ClipMasks(clip=clip, truth=truth, prediction=prediction, **{**blank, **fields})


def write_log(
    run_dir: Path, lines: Iterable[Mapping[str, Any]], *, session: str = "session", tail: str = ""
) -> None:
    """Write what a run logs in a session, and behind it the beginning of another line."""
    folder = run_dir / session / "vis_data"
    folder.mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (folder / "scalars.json").write_text(text + tail)
