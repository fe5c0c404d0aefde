from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest
from auralsam2_tools.eval_protocols import main

from auralsam2.models.decode import DECODE_MODES


def test_a_run_folder_is_scored_by_every_protocol(
    write_tiny: Callable[..., Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    run, out = write_tiny(tmp_path, (1, 1, 2), seed=3).parent, tmp_path / "scores.csv"
    assert (
        main([str(run), "--sizes", "native", "32:widened", "--group-size", "2", "--out", str(out)])
        == 0
    )
    with out.open(newline="") as file:
        rows = list(csv.DictReader(file))
    first = [row for row in rows if row["split"] == rows[0]["split"]]
    columns = {row["metric"]: row for row in first if "/" in row["metric"]}
    rows = [row for row in rows if "/" not in row["metric"]]
    assert {row["size"] for row in rows} == {"native", "32:widened"}
    assert {row["decode"] for row in rows} == set(DECODE_MODES)
    shown = capsys.readouterr().out
    assert "model is taken as built" in shown
    row = next(row for row in rows if row["metric"] == "F_batch2")
    line = next(line for line in shown.splitlines() if "F_batch2" in line)
    assert f"{float(row['value']):.4f}" in line
    assert {f"{row['metric']}: {row['meaning']}" for row in rows} <= set(shown.splitlines())
    assert "no column AVSS: it scores classes, which take a method with a class head" in shown
    heading = next(line for line in shown.splitlines() if "AVSBench" in line)
    scores = next(line for line in shown.splitlines() if line.split()[:1] == ["F"])
    named = dict(zip(heading.split(), scores.split()[1:], strict=True))
    assert named == {
        metric.split("/")[0]: f"{float(row['value']):.4f}"
        for metric, row in columns.items()
        if metric.endswith("/F")
    }
    assert f"SAMA-AVS: {columns['SAMA-AVS/F']['meaning']}" in shown.splitlines()


def test_folder_without_config(tmp_path: Path, run) -> None:
    assert "no config.py" in run("eval-protocols", tmp_path, status=2)


def test_size_is_a_number_or_native(run) -> None:
    assert "'small'; give native" in run("eval-protocols", "any", "--sizes", "small", status=2)
