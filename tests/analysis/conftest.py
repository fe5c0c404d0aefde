from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.measured_runs import MeasuredRuns
from analysis.robustness import scores as robustness
from analysis.robustness.measure import Axis, MeasuredRobustness, curves
from analysis.runs.results import Results, load_runs
from auralsam2.engine.metric_scales import MetricScale
from auralsam2.engine.run_record import RunRecord

CELLS = {"none": 0.21, "sparse": 0.55, "dense": 0.58, "sparse+dense": 0.66}
CLIPS = tuple(f"clip_{index:02}" for index in range(6))
SPLITS = ("test", "test_audio_swapped")


@pytest.fixture
def write_run(write_scored: Callable[..., RunRecord]) -> Callable[..., RunRecord]:
    """Write one finished run with plausible scores."""

    def write(
        folder: Path, cell: str, seed: int, level: float = 0.5, clips=CLIPS, **fields: object
    ) -> RunRecord:
        rng = np.random.default_rng(seed + 10 * len(cell))
        scores: dict[str, dict[str, dict[str, float]]] = {}
        for split in SPLITS:
            mean = level if split == "test" else min(level, 0.25)
            scores[split] = {
                metric: {
                    clip: float(np.clip(mean + up + rng.normal(0, 0.05), 0, 1)) for clip in clips
                }
                for metric, up in (("J", 0.0), ("F", 0.08))
            }
        own: dict[str, object] = {
            "name": cell,
            "axes": {"prompts": cell},
            "seed": seed,
            "run_id": hashlib.sha256(f"{cell}{seed}".encode()).hexdigest()[:10],
            "config_hash": hashlib.sha256(f"config {cell}{seed}".encode()).hexdigest(),
            "data_fingerprint": "d" * 64,
            "code_version": "0.1.0+abc",
            "num_parameters": {"total": 100, "trainable": 10},
            "duration_s": 12.0,
        }
        return write_scored(folder, scores, **{**own, **fields})

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
def planted(exact: Callable[..., Path]) -> Callable[..., Path]:
    """Write a grid in which cells differ from ``b`` by planted effects."""

    def write(effects: dict[str, float], num_seeds: int = 5, num_clips: int = 30, **keys) -> Path:
        rng = np.random.default_rng(0)
        clips = {f"clip{index:03}": 0.5 + rng.normal(0, 0.1) for index in range(num_clips)}
        scores = {}
        for cell, effect in {"b": 0.0, **effects}.items():
            for seed in range(num_seeds):
                shift = effect + rng.normal(0, 0.002)
                held = {c: level + shift + rng.normal(0, 0.02) for c, level in clips.items()}
                scores[(cell, seed)] = {"test": {"J": held}}
        return exact(scores, **keys)

    return write


@pytest.fixture
def grid_of(exact: Callable[..., Path]) -> Callable[..., Results]:
    """Return the results of a grid of axes: a cell is called by its levels, ``a1, b2``."""

    def make(
        axes: Mapping[str, Sequence[str]],
        score: Callable[..., float],
        *,
        num_seeds: int = 3,
        num_clips: int = 12,
        spread: tuple[float, float, float] = (0.01, 0.02, 0.01),
        left_out: Sequence[str] = (),
        reference: str | None = None,
        seed: int = 0,
        **how: Any,
    ) -> Results:
        """``score(*levels)`` of a cell; ``spread`` of its seeds, clips and the rest."""
        rng = np.random.default_rng(seed)
        of_seeds, of_clips, rest = spread
        common = rng.normal(0, 0.1, num_clips)  # clips that are hard for all cells
        scores, places = {}, {}
        for levels in product(*axes.values()):
            cell = ", ".join(levels)
            if cell in left_out:
                continue
            places[cell] = dict(zip(axes, levels, strict=True))
            clips = common + rng.normal(0, 1, num_clips) * of_clips
            for number in range(num_seeds):
                one = clips + rng.normal() * of_seeds + rng.normal(0, 1, num_clips) * rest
                held = {f"c{n:03}": score(*levels) + value for n, value in enumerate(one)}
                scores[(cell, number)] = {"test": {"J": held}}
        first = next(iter(places)) if reference is None else reference
        results = load_runs(exact(scores, first, **how))
        return replace(results, axes=places)

    return make


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


@pytest.fixture(scope="module")
def tiny_model() -> Iterator[dict[str, object]]:
    """Overrides of ``auralsam2/mini_v1m``: a model without weights, for one thread."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield {
        "data.batch_size": 2,
        "model.backbone": dict(type="SAM2Backbone", size="mini", random_weights=True),
        "model.audio_encoder": dict(type="LogMelCNN", width=8),
        "model.visual_depths": (0, 0, 1),
    }
    torch.set_num_threads(threads)


SWEEP_PARAMETERS = {
    "optim.optimizer.lr": dict(type="float", low=1e-4, high=1e-2, log=True, step=None, when={}),
    "model.pyramid.num_levels": dict(type="int", low=1, high=3, log=False, step=None, when={}),
    "model.fusion": dict(type="categorical", choices=["SumFusion", "GateFusion"], when={}),
    "model.fusion.heads": dict(
        type="categorical", choices=[2, 4], when={"model.fusion": ["SumFusion"]}
    ),
}
SWEEP_COLUMNS = "number,state,J,{parameters},num_trainable,duration_s,base,best,error"
SWEEP_ROWS = """\
0,complete,0.50,1e-3,3,SumFusion,2,900,1.0,1,0,
1,complete,0.40,1e-4,2,GateFusion,,500,1.0,0,0,
2,pruned,0.20,2e-3,1,SumFusion,4,,1.0,0,0,
3,failed,,3e-3,1,GateFusion,,,1.0,0,0,OSError: disk full
4,complete,0.70,5e-3,1,SumFusion,4,300,1.0,0,1,
5,complete,0.60,9e-3,3,GateFusion,,950,1.0,0,0,
6,running,,9e-3,3,SumFusion,2,,,0,0,
"""


@pytest.fixture
def write_sweep_folder(tmp_path: Path) -> Callable[..., Path]:
    """Write what ``run-sweep`` leaves: four complete trials, a pruned, failed and running one."""

    def write(rows: str = SWEEP_ROWS, objectives=("J",), directions=("maximize",)) -> Path:
        folder = tmp_path / "sweep"
        folder.mkdir(exist_ok=True)
        stated = zip(objectives, directions)
        manifest = {
            "schema": 1,
            "title": "Toys",
            "objectives": [dict(metric=m, direction=d) for m, d in stated],
            "parameters": SWEEP_PARAMETERS,
        }
        (folder / "sweep.json").write_text(json.dumps(manifest))
        header = SWEEP_COLUMNS.format(parameters=",".join(SWEEP_PARAMETERS))
        (folder / "trials.csv").write_text(f"{header}\n{rows}")
        return folder

    return write


@pytest.fixture
def typeset(tmp_path: Path) -> Callable[..., str]:
    """Typeset a table in LaTeX: all of it must be within the margins. Returns what LaTeX says."""

    def run(table: str, packages: str = "{booktabs,multirow}") -> str:
        engines = ("pdflatex", "tectonic", "lualatex", "xelatex")
        engine = next(filter(shutil.which, engines), None)
        if engine is None:
            pytest.skip(f"needs one of {', '.join(engines)}")
        head = f"\\documentclass[twocolumn]{{article}}\\usepackage{packages}\\begin{{document}}"
        (tmp_path / "t.tex").write_text(f"{head}\n{table}\\end{{document}}\n", encoding="utf-8")
        flags = [] if engine == "tectonic" else ["-interaction=nonstopmode", "-halt-on-error"]
        command = [engine, *flags, "t.tex"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        assert (tmp_path / "t.pdf").stat().st_size > 1000
        assert "Overfull" not in done.stdout and "multiply defined" not in done.stdout
        return done.stdout

    return run


NASTY_NAMES = (
    *("a$$b", "$5", "x_1^2", "_ours", "__x", "50%", "a_b^c", "{x}", "a\\b", "a&b", "<b>x</b>"),
    *('"q"', "it's", "日本語", "é", "a/b", "..", " lead", "new\nline", "=1+1", "[b]x[/]", "a|b"),
    *("`c`", "# h", "\U0001f3b5", "\udcff", "\x1b[31m", "مرحبا", "None", "n" * 200),
)


@pytest.fixture(scope="session")
def nasty_names() -> tuple[str, ...]:
    """Names that a shell, a file system, a data set or a user may give."""
    return NASTY_NAMES


@pytest.fixture
def nasty_grid(exact: Callable[..., Path]) -> Callable[..., Path]:
    """Write a grid whose cells, clips, splits and metrics have nasty names, with nasty notes."""

    def write(names=NASTY_NAMES, clips=NASTY_NAMES[:4], metrics=("J",), splits=("test",)) -> Path:
        by_clip = {clip: 0.3 + 0.05 * number for number, clip in enumerate(clips)}
        held = {split: dict.fromkeys(metrics, by_clip) for split in splits}
        return exact(
            {(name, 0): held for name in names},
            reference=names[0],
            title="".join(NASTY_NAMES[:8]),
            axes={NASTY_NAMES[0]: NASTY_NAMES[1], NASTY_NAMES[3]: NASTY_NAMES[4]},
            notes=list(NASTY_NAMES),
            num_parameters={"total": 9, "trainable": 3},
            speed={"fps": 3.0},
        )

    return write


SCALES = {name: MetricScale(bounds=(0.0, 1.0)) for name in ("J", "area", "found")}
NOISE = Axis(
    "WhiteNoise", "white noise", "SNR (dB)", " dB", (float("inf"), 10.0, 0.0), float("inf")
)


@pytest.fixture
def planted_robustness(exact: Callable[..., Path]) -> Callable[..., MeasuredRobustness]:
    """Cells whose J falls by ``drops[cell]`` at 10 dB and by twice as much at 0 dB."""

    def plant(drops: dict[str, float], deaf: tuple[str, ...] = ()) -> MeasuredRobustness:
        clips = {f"c{n}": 0.5 + 0.03 * n for n in range(6)}
        runs: MeasuredRuns[robustness.RunScores] = MeasuredRuns()
        for cell, drop in drops.items():
            for seed in (0, 1):
                rows: list[tuple] = []
                for clip, j in clips.items():
                    own = j + 0.01 * seed * (int(clip[1]) % 3)
                    for corruption, strength, lost in (
                        ("clean", 0.0, 0.0),
                        ("WhiteNoise", 10.0, drop),
                        ("WhiteNoise", 0.0, 2 * drop),
                    ):
                        found = float("nan") if clip == "c0" else 1.0 - lost
                        rows.append((corruption, strength, clip, own - lost, lost, found))
                frame = pd.DataFrame(rows, columns=["corruption", *robustness.KEYS, *SCALES])
                runs.found[cell, seed] = robustness.RunScores(frame, SCALES, cell not in deaf, {})
        results = load_runs(exact(dict.fromkeys(runs.found, 0.5), reference=None))
        return MeasuredRobustness(runs, curves(results, runs, [NOISE]), (NOISE,), deaf)

    return plant
