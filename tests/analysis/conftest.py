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
def grid_folder(write_grid: Callable[..., Path], tmp_path: Path) -> Path:
    return write_grid(tmp_path / "demo")
