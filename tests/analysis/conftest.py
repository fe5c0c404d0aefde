from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from auralsam2.engine import run_record
from auralsam2.engine.run_record import RunRecord

CELLS = {"none": 0.21, "sparse": 0.55, "dense": 0.58, "sparse+dense": 0.66}
CLIPS = tuple(f"clip_{index:02}" for index in range(6))
SPLITS = ("test", "test_audio_swapped")


@pytest.fixture
def write_run() -> Callable[..., RunRecord]:
    """Write one finished run with plausible scores."""

    def write(
        folder: Path, cell: str, seed: int, level: float = 0.5, clips=CLIPS, **fields: object
    ) -> RunRecord:
        record = run_record.start(
            name=cell,
            axes={"prompts": cell},
            seed=seed,
            run_id=hashlib.sha256(f"{cell}{seed}".encode()).hexdigest()[:10],
            config_hash=hashlib.sha256(f"config {cell}{seed}".encode()).hexdigest(),
            data_fingerprint="d" * 64,
        )
        record.code_version = "0.1.0+abc"
        rng = np.random.default_rng(seed + 10 * len(cell))
        for split in SPLITS:
            mean = level if split == "test" else min(level, 0.25)
            scores = {
                metric: {
                    clip: float(np.clip(mean + up + rng.normal(0, 0.05), 0, 1)) for clip in clips
                }
                for metric, up in (("J", 0.0), ("F", 0.08))
            }
            means = {metric: float(np.mean(list(by.values()))) for metric, by in scores.items()}
            run_record.add_scores(record, split, means, scores)
        record.num_parameters = {"total": 100, "trainable": 10}
        run_record.finish(record, 12.0)
        for key, value in fields.items():
            setattr(record, key, value)
        run_record.write(record, folder)
        return record

    return write


@pytest.fixture
def write_grid(write_run: Callable[..., RunRecord]) -> Callable[..., Path]:
    """Write a grid folder of finished runs."""

    def write(folder: Path, cells=CELLS, seeds=(0, 1), **manifest: object) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        listed = []
        for cell, level in cells.items():
            runs = [
                {"seed": s, "run_id": "x", "folder": f"runs/{cell.replace(' ', '_')}-s{s}-x"}
                for s in seeds
            ]
            for run in runs:
                write_run(folder / run["folder"], cell, run["seed"], level)
            listed.append({"name": cell, "axes": {"prompts": cell}, "recipe": "r", "runs": runs})
        content = {
            "schema": 1,
            "name": "demo",
            "title": "Audio prompts of a frozen SAM2",
            "reference": "sparse+dense",
            "cells": listed,
            **manifest,
        }
        (folder / "grid.json").write_text(json.dumps(content))
        return folder

    return write


@pytest.fixture
def save_predictions() -> Callable[..., None]:
    """Write moving discs over textured frames, as predictions of one run."""

    def save(
        run_dir: Path, shift: int, clips=CLIPS[:3], num_frames: int = 5, size=(96, 128)
    ) -> None:
        height, width = size
        down, across = np.mgrid[:height, :width]
        arrays: dict[str, np.ndarray] = {}
        for number, clip in enumerate(clips):
            rng = np.random.default_rng(number)
            centres = [(30 + 8 * t, 40 + 14 * t + 5 * number) for t in range(num_frames)]
            truth = np.stack([_disc(down, across, *centre, 17) for centre in centres])
            truth[num_frames // 2] = 0  # silence
            far = [(70 - 5 * t, 100 - 12 * t) for t in range(num_frames)]
            silent = np.stack([_disc(down, across, *centre, 14) for centre in far])
            texture = rng.integers(0, 60, (num_frames, 64, 64, 3))
            frames = np.full((num_frames, 64, 64, 3), 70) + texture
            rows = np.linspace(0, height - 1, 64).astype(int)
            columns = np.linspace(0, width - 1, 64).astype(int)
            frames[truth[:, rows][:, :, columns] > 0] += (90, 60, 0)
            frames[silent[:, rows][:, :, columns] > 0] += (0, 60, 100)
            moved = np.roll(truth, shift, axis=2)
            tones = -4 + rng.random((num_frames, 96, 64))
            tones[:, 20:80, 10 + 8 * number : 14 + 8 * number] += 3
            tones[num_frames // 2] = -4
            for split, masks in zip(SPLITS, (moved, silent), strict=True):
                arrays |= {
                    f"{split}/{clip}/frames": frames.astype(np.uint8),
                    f"{split}/{clip}/truth": truth,
                    f"{split}/{clip}/prediction": masks,
                    f"{split}/{clip}/log_mel": tones.astype(np.float32),
                }
        np.savez_compressed(run_dir / "predictions.npz", **arrays)

    return save


def _disc(down: np.ndarray, across: np.ndarray, y: int, x: int, radius: int) -> np.ndarray:
    return ((down - y) ** 2 + (across - x) ** 2 <= radius**2).astype(np.uint8)


@pytest.fixture
def grid_folder(write_grid: Callable[..., Path], tmp_path: Path) -> Path:
    return write_grid(tmp_path / "demo")
