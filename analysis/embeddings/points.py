"""Points of the audio-visual space of trained runs, kept in the run's folder."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.measured_run import run_settings, still_holds
from analysis.run_captures import DAMAGED, archive_bytes, check_weights
from analysis.runs.comparable import check_tested_clips
from analysis.runs.controls import base_split, is_control
from auralsam2.kept_files import keep_with_facts, kept_with_facts
from auralsam2.messages import unknown_name

FILE_NAME = "embeddings.npz"
SETTINGS_NAME = "embeddings.json"
COLUMNS = ("clip", "frame", "level", "space", "kind", "sounding", "category")
SEVERAL, UNKNOWN = "several", "unknown"
_SCHEMA = 2

Vectors = NDArray[np.float32]


class Points(NamedTuple):
    """Points of one run.

    Attributes:
        table: one row a point, columns `COLUMNS`; ``category`` is the class that sounds in the
            frame, or in the clip where the data say no more; ``"several"`` where more than one
            does, ``"unknown"`` where none does or nothing is known.
        vectors: (P, D) for every space, rows as in the part of ``table`` of that space.
    """

    table: pd.DataFrame
    vectors: dict[str, Vectors]

    @property
    def num_levels(self) -> int:
        """Levels of the pyramid."""
        return int(self.table["level"].max()) + 1

    def select(self, space: str, level: int) -> tuple[pd.DataFrame, Vectors]:
        """Return the rows and vectors of one space and level."""
        rows = self.table[self.table["space"] == space].reset_index(drop=True)
        chosen = (rows["level"] == level).to_numpy()
        return rows[chosen].reset_index(drop=True), self.vectors[space][chosen]


def capture_points(
    run_dir: Path,
    *,
    per_kind: int = 16,
    max_clips: int | None = None,
    split: str = "test",
    seed: int = 0,
    again: bool = False,
    overrides: Mapping[str, Any] | None = None,
) -> Points:
    """Draw the points of a finished run, or read those drawn before with the same settings.

    Args:
        run_dir: with ``config.py``, ``record.json`` and ``best.safetensors``.
        per_kind: most visual points a frame, inside and outside the mask each.
        max_clips: the first ones of the split; None for all.
        split: whose clips; not one of counterfactual audio, whose sounds are not their clips'.
        seed: of the drawing.
        again: also where the folder has the points already.
        overrides: of the run's config, e.g. ``{"data.root": ...}`` where the data have moved.

    Raises:
        FileNotFoundError: where the folder is no run, or its weights or data are gone.
        ValueError: for a split that is not known or has other sounds, settings below 1, or data
            with other clips than those that the run was tested on;
            `auralsam2.engine.embedding_points.NoAudioVisualSpaceError` where the run's model has
            no audio-visual space.
    """
    _check_settings(per_kind, max_clips, split)
    settings = _settings(run_dir, per_kind, max_clips, split, seed, overrides or {})
    if not again and (kept := _read(run_dir, settings)) is not None:
        return kept
    check_weights(run_dir)
    rows, vectors = _draw(run_dir, per_kind, max_clips, split, seed, overrides or {})
    points = Points(
        pd.DataFrame(rows, columns=list(COLUMNS)),
        {space: np.concatenate(parts) for space, parts in vectors.items()},
    )
    # Texts as fixed-width arrays: an object array would be a pickle.
    arrays: dict[str, Any] = {
        f"table/{c}": points.table[c].to_numpy(dtype=_dtype(points.table[c])) for c in COLUMNS
    }
    arrays |= {f"vectors/{space}": v for space, v in points.vectors.items()}
    content = archive_bytes(arrays)
    keep_with_facts(run_dir / FILE_NAME, run_dir / SETTINGS_NAME, content, settings)
    return points


def _read(run_dir: Path, settings: Mapping[str, Any]) -> Points | None:
    """Return the points in the run's folder where they were drawn with these settings."""
    found = kept_with_facts(run_dir / FILE_NAME, run_dir / SETTINGS_NAME)
    if found is None:
        return None
    content, held = found
    if not still_holds(held, settings, code=("code_version",)):
        return None
    try:
        with np.load(io.BytesIO(content)) as arrays:
            table = pd.DataFrame({c: arrays[f"table/{c}"] for c in COLUMNS})
            vectors = {
                key.removeprefix("vectors/"): arrays[key]
                for key in arrays.files
                if key.startswith("vectors/")
            }
    except DAMAGED:
        return None
    return Points(table, vectors)


def _draw(
    run_dir: Path,
    per_kind: int,
    max_clips: int | None,
    split: str,
    seed: int,
    overrides: Mapping[str, Any],
) -> tuple[list[tuple[Any, ...]], dict[str, list[Vectors]]]:
    from auralsam2 import config
    from auralsam2.data.heard_classes import heard_classes
    from auralsam2.engine.embedding_points import draw_points
    from auralsam2.engine.evaluate import test_datasets, trained_model
    from auralsam2.engine.run_target import find_target
    from auralsam2.registry import load_all

    target = find_target(str(run_dir), None)
    cfg = config.load(target.config, overrides)
    load_all()
    datasets = test_datasets(cfg)
    if split not in datasets:
        raise ValueError(unknown_name("test split", split, datasets))
    dataset = datasets[split]
    check_tested_clips(run_dir, split, dataset.clips)
    heard = heard_classes(dataset)
    model = trained_model(cfg, target.checkpoint)
    rows: list[tuple[Any, ...]] = []
    vectors: dict[str, list[Vectors]] = {}
    frames = draw_points(model, cfg, dataset, per_kind=per_kind, max_clips=max_clips, seed=seed)
    for frame in frames:
        category = _category(heard.get(frame.clip, frozenset()), frame.frame)
        for kind, own in frame.vectors.items():
            key = (frame.clip, frame.frame, frame.level, frame.space, kind)
            rows += [(*key, frame.sounding, category)] * len(own)
            vectors.setdefault(frame.space, []).append(own)
    return rows, vectors


def _category(heard: Any, frame: int) -> str:
    """The class that sounds, where it is one and the data say so."""
    classes = heard[frame] if isinstance(heard, list) else heard
    if not classes:
        return UNKNOWN
    return str(next(iter(classes))) if len(classes) == 1 else SEVERAL


def _check_settings(per_kind: int, max_clips: int | None, split: str) -> None:
    problems = []
    if per_kind < 1:
        problems.append(f"per_kind must be at least 1, got {per_kind}")
    if max_clips is not None and max_clips < 1:
        problems.append(f"max_clips must be at least 1, got {max_clips}")
    if is_control(split):
        problems.append(
            f"split '{split}' has counterfactual audio, whose classes are not those of its clips; "
            f"take '{base_split(split)}'"
        )
    if problems:
        raise ValueError("; ".join(problems))


def _settings(
    run_dir: Path,
    per_kind: int,
    max_clips: int | None,
    split: str,
    seed: int,
    overrides: Mapping[str, Any],
) -> dict[str, Any]:
    """Return what the points depend on; not where the data lie, so that they may move."""
    from auralsam2.engine.provenance import code_version

    return {
        "schema": _SCHEMA,
        **run_settings(run_dir, overrides),
        "per_kind": per_kind,
        "max_clips": max_clips,
        "split": split,
        "seed": seed,
        "code_version": code_version(),
    }


def _dtype(column: Any) -> Any:
    return str if column.dtype == object or str(column.dtype).startswith("str") else column.dtype
