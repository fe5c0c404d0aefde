from __future__ import annotations

import csv
from pathlib import Path

import pytest
from auralsam2_tools.__main__ import main as dispatch
from auralsam2_tools.eval_protocols import main

from auralsam2 import config as configs
from auralsam2.data.synthetic.writer import Plan, write_clips
from auralsam2.models.decode import DECODE_MODES

TINY = {
    "data.batch_size": 2,
    "runtime.num_threads": 1,
    "model.backbone": dict(type="SAM2Backbone", size="mini", random_weights=True),
    "model.audio_encoder": dict(type="LogMelCNN", width=8),
    "model.visual_depths": (0, 0, 1),
}


def test_a_run_folder_is_scored_by_every_protocol(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    write_clips(tmp_path / "clips", Plan("v1m", (1, 1, 2), seed=3, size=48, num_frames=2))
    run, out = tmp_path / "run", tmp_path / "scores.csv"
    run.mkdir()
    cfg = configs.load("auralsam2/mini_v1m", TINY | {"data.root": str(tmp_path / "clips")})
    configs.dump(cfg, run / "config.py")
    assert (
        main([str(run), "--sizes", "native", "32:widened", "--group-size", "2", "--out", str(out)])
        == 0
    )
    with out.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["size"] for row in rows} == {"native", "32:widened"}
    assert {row["decode"] for row in rows} == set(DECODE_MODES)
    shown = capsys.readouterr().out
    assert "model is taken as built" in shown
    row = next(row for row in rows if row["metric"] == "F_batch2")
    line = next(line for line in shown.splitlines() if "F_batch2" in line)
    assert f"{float(row['value']):.4f}" in line
    assert {f"{row['metric']}: {row['meaning']}" for row in rows} <= set(shown.splitlines())


def test_folder_without_config(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert dispatch(["eval-protocols", str(tmp_path)]) == 2
    assert "no config.py" in capsys.readouterr().err


def test_size_is_a_number_or_native(capsys: pytest.CaptureFixture[str]) -> None:
    assert dispatch(["eval-protocols", "any", "--sizes", "small"]) == 2
    assert "'small'; give native" in capsys.readouterr().err
