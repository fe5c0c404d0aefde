from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from auralsam2_tools import make_figures

from auralsam2.engine import run_record


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    record = run_record.start(
        name="both", axes={}, seed=0, run_id="a", config_hash="c", data_fingerprint="d"
    )
    run_record.add_scores(record, "test", {"J": 0.5}, {"J": {"clip": 0.5}})
    run_record.write(run_record.finish(record, 1.0), tmp_path / "runs" / "both")
    return tmp_path / "runs" / "both"


def test_figures_of_a_folder(
    run_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arrays = {
        "frames": np.zeros((2, 8, 8, 3), np.uint8),
        "truth": np.eye(8, dtype=np.uint8)[None].repeat(2, 0),
        "prediction": np.ones((2, 8, 8), np.uint8),
        "log_mel": np.zeros((2, 96, 64), np.float32),
    }
    np.savez(run_dir / "predictions.npz", **{f"test/clip/{k}": v for k, v in arrays.items()})
    assert make_figures.main([str(tmp_path)]) == 0
    listed = capsys.readouterr().out.splitlines()
    wanted = [tmp_path / "results.csv"] + [
        tmp_path / "figures" / f"{name}.{kind}"
        for name in ("grid_points", "qualitative")
        for kind in ("pdf", "png", "csv")
    ]
    assert listed == [str(path) for path in wanted]
    assert all(path.is_file() for path in wanted)


def test_without_predictions(
    run_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert make_figures.main([str(tmp_path)]) == 0
    assert "no run has saved predictions" in capsys.readouterr().out
    assert not (tmp_path / "figures" / "qualitative.png").exists()
