from __future__ import annotations

import re
from pathlib import Path

import pytest
from auralsam2_tools import plan_grid, run_grid
from mmengine.config import Config

import ablations.grids.plan
import ablations.runs.run_cell
from auralsam2.engine import run_record


def train(cfg, run_dir, *, name, axes, run_id, progress):
    """Score higher with more epochs, a little varied by seed and clip."""
    record = run_record.start(
        name=name, axes=axes, seed=cfg.seed, run_id=run_id, config_hash="c", data_fingerprint="d"
    )
    value = 0.25 * cfg.optim.epochs + 0.01 * (cfg.seed % 3) * (name == "high")
    scores = {f"clip{n}": value + 0.01 * (n % 3) * (name == "high") for n in range(6)}
    run_record.add_scores(record, "test", {"J": value}, {"J": scores})
    run_record.write(run_record.finish(record, 1800.0), run_dir)
    return record


@pytest.fixture
def grid(toy_config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(ablations.runs.run_cell, "_engine_train", lambda: train)
    monkeypatch.setattr(ablations.grids.plan, "_preflight", lambda: lambda cfg: None)
    monkeypatch.setattr(ablations.grids.plan, "data_fingerprint", lambda cfg: "d")
    (tmp_path / "toy.py").write_text(toy_config.pretty_text)
    values = [dict(name=n, set={"optim.epochs": e}) for e, n in enumerate(("low", "high"), start=1)]
    path = tmp_path / "grid.py"
    path.write_text(
        f"base = 'toy.py'\naxes = dict(way={values!r})\nreference = 'low'\nseeds = [0, 1, 2]\n"
        f"out = {str(tmp_path / 'out')!r}\n"
    )
    assert run_grid.main([str(path), "--jobs", "0"]) == 0
    return path


def rows(text: str) -> dict[str, list[str]]:
    return {line.split()[0]: line.split() for line in text.splitlines() if line.split()}


def test_seeds_hours_and_disk_before_anything_starts(grid: Path, tmp_path: Path, capsys) -> None:
    capsys.readouterr()
    before = sorted((tmp_path / "out").rglob("*"))
    assert plan_grid.main([str(grid), "--detect", "1.5"]) == 0
    shown = capsys.readouterr().out
    seeds = int(rows(shown)["low"][1])
    assert seeds > 3 and rows(shown)["total"][1:3] == [str(2 * (seeds - 3)), f"{seeds - 3:.2f}"]
    assert "find 1.5 points (hundredths of a metric's range) in 80 % of repetitions" in shown
    assert "GB free" in shown and sorted((tmp_path / "out").rglob("*")) == before


def test_what_claims_compare_takes_the_place_of_the_reference(grid: Path, capsys) -> None:
    claims = grid.with_name("claims.py")
    claims.write_text(
        "claims = [dict(type='Beats', sentence='high is best', cell='high', other='low')]\n"
    )
    assert plan_grid.main([str(grid), "--detect", "1.5", "--claims", str(claims)]) == 0
    assert "high is best (high over low)" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        plan_grid.main([str(grid), "--detect", "1", "--claims", "c.py", "--metric", "F"])
    assert "leave out --metric" in capsys.readouterr().err


def test_without_a_finished_run_it_says_how_to_get_one(grid: Path, tmp_path: Path) -> None:
    asked = [str(grid), "--detect", "1", "--set", "optim.power=0.5", "--runs"]
    said = f"auralsam2 run-grid {grid} --seeds 0 1 2 --out work_dirs/pilot --set optim.power=0.5"
    (tmp_path / "empty").mkdir()
    for folder in ("empty", "nowhere"):
        with pytest.raises(ValueError, match=re.escape(f"--runs work_dirs/pilot:\n{said} optim")):
            plan_grid.main([*asked, str(tmp_path / folder)])


def test_problems_are_told(grid: Path) -> None:
    with pytest.raises(ValueError, match="did you mean 'low'"):
        plan_grid.main([str(grid), "--detect", "1", "--reference", "lo"])
    with pytest.raises(ValueError, match="did you mean 'depths'"):
        plan_grid.main([str(grid), "--detect", "1", "--set", "model.depts=1"])
