from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest


@pytest.fixture
def run_dir(write_scored: Callable[..., None], tmp_path: Path) -> Path:
    folder = tmp_path / "runs" / "both"
    sizes = {"total": 5, "trainable": 5}
    write_scored(folder, {"test": {"J": {"clip": 0.5}}}, num_parameters=sizes)
    return folder


def test_figures_of_a_folder(run_dir: Path, tmp_path: Path, run) -> None:
    arrays = {
        "frames": np.zeros((2, 8, 8, 3), np.uint8),
        "truth": np.eye(8, dtype=np.uint8)[None].repeat(2, 0),
        "prediction": np.ones((2, 8, 8), np.uint8),
        "log_mel": np.zeros((2, 96, 64), np.float32),
    }
    np.savez(run_dir / "predictions.npz", **{f"test/clip/{k}": v for k, v in arrays.items()})
    shown = run("make-figures", tmp_path).splitlines()
    notes = [line for line in shown if line.startswith("note: ")]
    assert notes == [
        "note: no training curves of both: no log is left",
        "note: no speeds: no run was timed",
    ]
    listed = [line for line in shown if line not in notes]
    wanted = [tmp_path / "results.csv"] + [
        tmp_path / "figures" / f"{name}.{kind}"
        for name in ("grid_points", "efficiency", "qualitative")
        for kind in ("pdf", "png", "csv")
    ]
    assert listed == [str(path) for path in wanted]
    assert all(path.is_file() for path in wanted)


def test_without_predictions(run_dir: Path, tmp_path: Path, run) -> None:
    assert "no run has saved predictions" in run("make-figures", tmp_path)
    assert not (tmp_path / "figures" / "qualitative.png").exists()


def test_failures_need_weights(run_dir: Path, tmp_path: Path, run) -> None:
    command = ["make-figures", str(tmp_path), "--reference", "both", "--failures"]
    shown = run(*command, "lowest")
    assert (
        "note: no failure sheet 'lowest': no masks of both: the trained weights are gone" in shown
    )
    assert run(*command).count("note: no failure sheet") == 4


def test_a_breakdown_needs_data(write_scored: Callable[..., None], tmp_path: Path, run) -> None:
    for name in ("a", "b"):
        scores = {"test": {"J": {"x": 0.5, "y": 0.6}}}
        write_scored(tmp_path / "runs" / name, scores, num_parameters={})
    shown = run("make-figures", tmp_path, "--breakdown", "--reference", "a")
    assert "note: nothing is known of the clips of test: " in shown and "breakdown." not in shown
    told = run("make-figures", tmp_path, "--breakdown", status=2)
    assert "no reference cell is named" in told


def test_errors_come_before_anything_is_drawn(run_dir: Path, tmp_path: Path, run) -> None:
    for options, words in (
        (["--failures", "lowst"], "unknown rule 'lowst'; did you mean 'lowest'"),
        (["--cells", "boht"], "unknown cell 'boht'; did you mean 'both'"),
        (["--reference", "x"], "unknown reference cell 'x'"),
        (["--set", "data.root"], "write KEY=VALUE"),
    ):
        assert words in run("make-figures", tmp_path, *options, status=2)
    assert not (tmp_path / "figures").exists()
