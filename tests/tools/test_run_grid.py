from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

import ablations.grids.plan
import ablations.runs.run_cell
from auralsam2.engine import preflight as engine_preflight


@pytest.fixture
def grid(toy_grid: Callable[..., Path]) -> Path:
    return toy_grid("low", "boom", "high")


def test_a_grid_ends_with_its_table_and_its_failures(grid: Path, tmp_path: Path, run) -> None:
    shown = run("run-grid", grid, "--jobs", "0", "--seeds", "0", "1", status=1)
    assert "high" in shown and "0.750±0.000" in shown
    assert "4 runs finished, 0 were done before" in shown
    assert "FAILED boom, seed 0" in shown and "RuntimeError: the fuse is burnt" in shown
    assert "2 runs failed; --retry-failed" in shown
    names = [cell["name"] for cell in json.loads((tmp_path / "out/grid.json").read_text())["cells"]]
    assert names == ["low", "boom", "high"]
    again = run("run-grid", grid, "--jobs", "0", "--seeds", "0", "1", status=1)
    assert "0 runs finished, 4 were done before" in again


def test_dry_run_shows_runs_and_leaves_nothing(
    grid: Path, tmp_path: Path, run, monkeypatch
) -> None:
    monkeypatch.setenv("COLUMNS", "140")
    shown = run("run-grid", grid, "--dry-run", "--set", "model.depths=(7,)")
    assert "optim.epochs = 3" in shown and "pending" in shown and "high-s0-" in shown
    assert not (tmp_path / "out").exists()


def test_dry_run_lists_all_problems(grid: Path, run) -> None:
    shown = run("run-grid", grid, "--dry-run", "--set", "model.depts=1", "seeed=2", status=2)
    assert "did you mean 'depths'?" in shown and "did you mean 'seed'?" in shown


def test_problems_stop_the_grid(run, grid: Path, tmp_path: Path) -> None:
    assert "did you mean 'depths'" in run("run-grid", grid, "--set", "model.depts=1", status=2)
    assert not (tmp_path / "out").exists()


def test_all_failed(grid: Path, run, monkeypatch) -> None:
    def fail(*_, **__):
        raise OSError("disk full")

    monkeypatch.setattr(ablations.runs.run_cell, "_engine_train", lambda: fail)
    shown = run("run-grid", grid, "--jobs", "0", status=1)
    assert "no finished run" in shown and shown.count("OSError: disk full") >= 3


def test_an_interrupt_says_how_to_go_on(grid: Path, run, monkeypatch) -> None:
    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(ablations.runs.run_cell, "_engine_train", lambda: stop)
    assert "the same command goes on" in run("run-grid", grid, "--jobs", "0", status=130)


def test_a_part_of_a_grid(grid: Path, tmp_path: Path, run) -> None:
    arguments = [str(grid), "--jobs", "0", "--only", "cell=low"]
    assert "1 runs finished" in run("run-grid", *arguments)
    shown = run("run-grid", *arguments, "--dry-run")
    assert "low" in shown and "high" not in shown
    told = run("run-grid", grid, "--jobs", "0", "--only", "sede=0", status=2)
    assert "unknown axis 'sede'; did you mean 'seed'" in told


def test_a_preflight_with_problems_starts_nothing(grid: Path, tmp_path: Path, run, monkeypatch):
    def first_step(cfg):
        if cfg.optim.epochs == 2:
            raise RuntimeError("shapes do not fit")
        return SimpleNamespace(seconds=0.1, gpu_bytes=0)

    monkeypatch.setattr(engine_preflight, "first_step", first_step)
    shown = run("run-grid", grid, "--jobs", "0", "--preflight", status=2)
    assert "problem: cell 'boom': RuntimeError: shapes do not fit" in shown
    assert "preflight: 3 cells" in shown and not (tmp_path / "out" / "runs").exists()
    fine = ["--jobs", "0", "--preflight", "--only", "cell=low"]
    run("run-grid", grid, *fine, "--dry-run")
    assert not (tmp_path / "out" / "runs").exists()
    assert "1 runs finished" in run("run-grid", grid, *fine)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--stale-after", "3"], "--stale-after: got '3', wanted a finite number above "),
        (["--gpus", "0", "--jobs", "2"], "exclude each other"),
    ],
)
def test_options_that_make_no_sense(grid: Path, tmp_path: Path, run, arguments, message) -> None:
    assert message in run("run-grid", grid, *arguments, status=2)
    assert not (tmp_path / "out" / "runs").exists()


CLAIM = "claims = [dict(type='Beats', sentence='high is best', cell='high', other='low')]\n"


def test_seeds_are_added_until_claims_are_decided(
    toy_grid: Callable[..., Path], tmp_path: Path, run
) -> None:
    """High is above low by 0.5 and a little that varies: three seeds are enough of six."""
    grid = toy_grid("low", "boom", "high", num_clips=6, by_seed=0.01, by_clip=0.001)
    claims = tmp_path / "claims.py"
    claims.write_text(CLAIM)
    arguments = [str(grid), "--jobs", "0", "--until-decided", str(claims), "--max-seeds", "6"]
    shown = run("run-grid", *arguments)
    assert "look at 3 seeds, level 0.0049: 1 of 1 decided" in shown
    assert "supported: high is best (+0.51" in shown and "all claims are decided" in shown
    manifest = json.loads((tmp_path / "out/grid.json").read_text())
    seeds = {cell["name"]: [run["seed"] for run in cell["runs"]] for cell in manifest["cells"]}
    assert seeds == {"low": [0, 1, 2], "high": [0, 1, 2]}, "no claim speaks of boom"
    assert "0 runs finished, 6 were done before" in run("run-grid", *arguments)
    claims.write_text(CLAIM + "# another thought\n")
    assert "begin anew in another folder" in run("run-grid", *arguments, status=2)


def test_open_claims_are_told_by_the_exit_status(grid: Path, tmp_path: Path, run) -> None:
    """Of one clip nothing can be said."""
    (tmp_path / "claims.py").write_text(CLAIM)
    arguments = [str(grid), "--jobs", "0", "--until-decided", str(tmp_path / "claims.py")]
    told = run("run-grid", *arguments, "--max-seeds", "2", status=3)
    assert "claims are open still: 2 seeds are there" in told


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--max-seeds", "3"], "--max-seeds has no effect without --until-decided"),
        (["--budget", "3"], "--budget has no effect without --until-decided"),
        (["--until-decided", "c.py", "--only", "cell=low"], "leave out --only"),
        (["--until-decided", "c.py", "--dry-run"], "leave out --dry-run"),
    ],
)
def test_options_that_make_no_sense_together(grid: Path, run, more, said: str) -> None:
    assert said in run("run-grid", grid, *more, status=2)
