from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from auralsam2_tools import run_grid
from mmengine.config import Config

import ablations.grids.plan
import ablations.runs.run_cell
from auralsam2.engine import preflight as engine_preflight
from auralsam2.engine import run_record


def train(cfg, run_dir, *, name, axes, run_id, progress):
    """Score 0.25 more for every epoch; the cell named "boom" fails."""
    if name == "boom":
        raise RuntimeError("the fuse is burnt")
    record = run_record.start(
        name=name, axes=axes, seed=cfg.seed, run_id=run_id, config_hash="c", data_fingerprint="d"
    )
    value = 0.25 * cfg.optim.epochs
    run_record.add_scores(record, "test", {"J": value}, {"J": {"clip": value}})
    run_record.write(run_record.finish(record, 1.0), run_dir)
    return record


@pytest.fixture
def grid(toy_config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A grid file; the engine is replaced by `train`."""
    monkeypatch.setattr(ablations.runs.run_cell, "_engine_train", lambda: train)
    monkeypatch.setattr(ablations.grids.plan, "_preflight", lambda: lambda cfg: None)
    monkeypatch.setattr(ablations.grids.plan, "data_fingerprint", lambda cfg: cfg.data.root)
    (tmp_path / "toy.py").write_text(toy_config.pretty_text)
    values = [
        dict(name=name, set={"optim.epochs": epochs})
        for epochs, name in enumerate(("low", "boom", "high"), start=1)
    ]
    path = tmp_path / "prompts.py"
    path.write_text(
        f"base = 'toy.py'\naxes = dict(way={values!r})\nout = {str(tmp_path / 'out')!r}\n"
    )
    return path


def test_a_grid_ends_with_its_table_and_its_failures(
    grid: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run_grid.main([str(grid), "--jobs", "0", "--seeds", "0", "1"]) == 1
    shown = capfd.readouterr().out
    assert "high" in shown and "0.750±0.000" in shown
    assert "4 runs finished, 0 were done before" in shown
    assert "FAILED boom, seed 0" in shown and "RuntimeError: the fuse is burnt" in shown
    assert "2 runs failed; --retry-failed" in shown
    names = [cell["name"] for cell in json.loads((tmp_path / "out/grid.json").read_text())["cells"]]
    assert names == ["low", "boom", "high"]
    assert run_grid.main([str(grid), "--jobs", "0", "--seeds", "0", "1"]) == 1
    assert "0 runs finished, 4 were done before" in capfd.readouterr().out


def test_dry_run_shows_runs_and_leaves_nothing(
    grid: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch
) -> None:
    monkeypatch.setenv("COLUMNS", "140")
    assert run_grid.main([str(grid), "--dry-run", "--set", "model.depths=(7,)"]) == 0
    shown = capsys.readouterr().out
    assert "optim.epochs = 3" in shown and "pending" in shown and "high-s0-" in shown
    assert not (tmp_path / "out").exists()


def test_dry_run_lists_all_problems(grid: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_grid.main([str(grid), "--dry-run", "--set", "model.depts=1", "seeed=2"]) == 2
    shown = capsys.readouterr().out
    assert "did you mean 'depths'?" in shown and "did you mean 'seed'?" in shown


def test_problems_stop_the_grid(grid: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="did you mean 'depths'"):
        run_grid.main([str(grid), "--set", "model.depts=1"])
    assert not (tmp_path / "out").exists()


def test_all_failed(grid: Path, capfd: pytest.CaptureFixture[str], monkeypatch) -> None:
    def fail(*_, **__):
        raise OSError("disk full")

    monkeypatch.setattr(ablations.runs.run_cell, "_engine_train", lambda: fail)
    assert run_grid.main([str(grid), "--jobs", "0"]) == 1
    shown = capfd.readouterr().out
    assert "no finished run" in shown and shown.count("OSError: disk full") >= 3


def test_an_interrupt_says_how_to_go_on(grid: Path, capfd, monkeypatch) -> None:
    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(ablations.runs.run_cell, "_engine_train", lambda: stop)
    with pytest.raises(KeyboardInterrupt):
        run_grid.main([str(grid), "--jobs", "0"])
    assert "the same command goes on" in capfd.readouterr().out


def test_a_part_of_a_grid(grid: Path, tmp_path: Path, capfd) -> None:
    arguments = [str(grid), "--jobs", "0", "--only", "cell=low"]
    assert run_grid.main(arguments) == 0
    assert "1 runs finished" in capfd.readouterr().out
    assert run_grid.main([*arguments, "--dry-run"]) == 0
    shown = capfd.readouterr().out
    assert "low" in shown and "high" not in shown
    with pytest.raises(ValueError, match="unknown axis 'sede'; did you mean 'seed'"):
        run_grid.main([str(grid), "--jobs", "0", "--only", "sede=0"])


def test_a_preflight_with_problems_starts_nothing(grid: Path, tmp_path: Path, capfd, monkeypatch):
    def first_step(cfg):
        if cfg.optim.epochs == 2:
            raise RuntimeError("shapes do not fit")
        return SimpleNamespace(seconds=0.1, gpu_bytes=0)

    monkeypatch.setattr(engine_preflight, "first_step", first_step)
    assert run_grid.main([str(grid), "--jobs", "0", "--preflight"]) == 2
    shown = capfd.readouterr().out
    assert "problem: cell 'boom': RuntimeError: shapes do not fit" in shown
    assert "preflight: 3 cells" in shown and not (tmp_path / "out" / "runs").exists()
    fine = ["--jobs", "0", "--preflight", "--only", "cell=low"]
    assert run_grid.main([str(grid), *fine, "--dry-run"]) == 0
    assert not (tmp_path / "out" / "runs").exists()
    assert run_grid.main([str(grid), *fine]) == 0
    assert "1 runs finished" in capfd.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--oom-retries", "-1"], "--oom-retries: got '-1', wanted a whole number, at least 0"),
        (["--stale-after", "3"], "--stale-after: got '3', wanted a finite number above "),
        (["--gpus", "0", "--jobs", "2"], "exclude each other"),
    ],
)
def test_options_that_make_no_sense(grid: Path, tmp_path: Path, capsys, arguments, message) -> None:
    with pytest.raises((ValueError, SystemExit)) as caught:
        run_grid.main([str(grid), *arguments])
    assert message in str(caught.value) + capsys.readouterr().err
    assert not (tmp_path / "out" / "runs").exists()
