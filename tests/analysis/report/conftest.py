"""Grids whose names are as nasty as can be, and reports with planted masks."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from analysis.clips.masks import ClipMasks, encode_sound
from analysis.report import ReportOptions, embedded_figures, write_report
from analysis.report import clips as clip_views
from analysis.runs.results import load_runs
from auralsam2.engine.run_record import RunRecord

NASTY = '<script>alert("x")</script>'
TITLE = 'Sound & "sight" <b>bold</b>'
CONFIG = """
seed = {seed}
data = dict(root='/somewhere/private/data', batch_size=2)
model = dict(
    type='Model', backbone=dict(type='B', checkpoint='/somewhere/private/w.pt'),
    dense_prompt={dense}, depths=(1, 1))
runtime = dict(device='auto')
"""


@pytest.fixture(scope="session")
def write_cells(write_scored: Callable[..., RunRecord]) -> Callable[..., Path]:
    """Write cells of two seeds and six clips, with configs; the last one is the reference."""

    def write(folder: Path, cells: Mapping[str, float]) -> Path:
        listed = []
        for number, (cell, level) in enumerate(cells.items()):
            runs = [{"seed": s, "run_id": "", "folder": f"runs/{number}-s{s}"} for s in (0, 1)]
            listed.append({"name": cell, "runs": runs})
            dense = "None" if cell == "none" else "dict(type='D', width=3)"
            for seed, run in enumerate(runs):
                rng = np.random.default_rng(seed)
                scores = {
                    split: {"J": {f"clip{n}": mean + 0.05 * rng.normal() for n in range(6)}}
                    for split, mean in (("test", level), ("test_audio_swapped", 0.2))
                }
                curve = [{"epoch": e, "split": "val", "scores": {"J": 0.1 * e}} for e in (1, 2)]
                own = {"name": cell, "axes": {"prompts": cell}, "seed": seed, "curve": curve}
                own |= {"run_id": f"{cell}{seed}", "notes": ["<i>beware</i>"]}
                write_scored(folder / run["folder"], scores, **own)
                config = folder / run["folder"] / "config.py"
                config.write_text(CONFIG.format(seed=seed, dense=dense))
        content = {"title": TITLE, "reference": list(cells)[-1], "cells": listed}
        (folder / "grid.json").write_text(json.dumps(content))
        return folder

    return write


@pytest.fixture
def grid(write_cells: Callable[..., Path], tmp_path: Path) -> Path:
    """Two cells, one of them nasty; with configs, validations and notes."""
    return write_cells(tmp_path / "grid", {"none": 0.2, NASTY: 0.6})


@pytest.fixture(scope="session")
def pages(write_cells: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A report of such a grid: index, and the pages of both cells."""
    folder = write_cells(tmp_path_factory.mktemp("nasty"), {"none": 0.2, NASTY: 0.6})
    with pytest.MonkeyPatch.context() as patch:
        _plant(patch, folder, [])
        options = ReportOptions(num_clips=1)
        return write_report(load_runs(folder), folder, folder / "report", options)


@pytest.fixture(scope="session")
def four_cells(write_cells: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The index of a report without clips and figures."""
    cells = {"none": 0.2, "sparse": 0.4, "dense": 0.5, "sparse+dense": 0.6}
    folder = write_cells(tmp_path_factory.mktemp("four"), cells)
    options = ReportOptions(num_clips=0, figures=folder / "none")
    return write_report(load_runs(folder), folder, folder / "report", options)[0]


@pytest.fixture
def no_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded_figures, "draw_missing", lambda *_: None)


@pytest.fixture
def planted_masks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[tuple[Path, list[str]]]:
    """Every clip has two frames of masks; returns what was asked for."""
    asked: list[tuple[Path, list[str]]] = []
    _plant(monkeypatch, tmp_path, asked)
    return asked


def _plant(patch: pytest.MonkeyPatch, folder: Path, asked: list[tuple[Path, list[str]]]) -> None:
    """Let every clip have two frames of masks and two seconds of a tone."""
    tone = 0.5 * np.sin(np.arange(3 * 22_050) * 0.1)
    soundfile.write(folder / "sound.wav", np.stack([tone, 0 * tone], axis=1), 22_050)
    encoded = encode_sound(folder / "sound.wav", 2)

    def planted(run_dir: Path, clips: list[str], **_: Any) -> dict[str, ClipMasks]:
        asked.append((run_dir, list(clips)))
        truth, prediction = np.zeros((2, 2, 12, 16), np.uint8)
        truth[0, 2:6, 2:6] = 1
        prediction[:, 2:6, 4:8] = 1
        frames = np.full((2, 8, 8, 3), 90, np.uint8)
        log_mel = np.random.default_rng(0).normal(size=(2, 96, 64)).astype(np.float32)
        made = (ClipMasks(c, frames, truth, prediction, log_mel, encoded, {}) for c in clips)
        return {masks.clip: masks for masks in made}

    patch.setattr(clip_views, "clip_masks", planted)
