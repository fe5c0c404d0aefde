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
        (["--stale-after", "3"], "--stale-after: got '3', wanted a finite number above "),
        (["--gpus", "0", "--jobs", "2"], "exclude each other"),
    ],
)
def test_options_that_make_no_sense(grid: Path, tmp_path: Path, capsys, arguments, message) -> None:
    with pytest.raises((ValueError, SystemExit)) as caught:
        run_grid.main([str(grid), *arguments])
    assert message in str(caught.value) + capsys.readouterr().err
    assert not (tmp_path / "out" / "runs").exists()


CLAIM = "claims = [dict(type='Beats', sentence='high is best', cell='high', other='low')]\n"


def test_seeds_are_added_until_claims_are_decided(
    grid: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch
) -> None:
    """High is above low by 0.5 and a little that varies: three seeds are enough of six."""

    def varying(cfg, run_dir, *, name, axes, run_id, progress):
        record = run_record.start(
            name=name, axes=axes, seed=cfg.seed, run_id=run_id, config_hash="c", data_fingerprint=""
        )
        value = 0.25 * cfg.optim.epochs + 0.01 * (cfg.seed % 3) * (name == "high")
        scores = {f"clip{n}": value + 0.001 * (n % 3) * (name == "high") for n in range(6)}
        run_record.add_scores(record, "test", {"J": value}, {"J": scores})
        run_record.write(run_record.finish(record, 1.0), run_dir)
        return record

    monkeypatch.setattr(ablations.runs.run_cell, "_engine_train", lambda: varying)
    claims = tmp_path / "claims.py"
    claims.write_text(CLAIM)
    arguments = [str(grid), "--jobs", "0", "--until-decided", str(claims), "--max-seeds", "6"]
    assert run_grid.main(arguments) == 0
    shown = capfd.readouterr().out
    assert "look at 3 seeds, level 0.0049: 1 of 1 decided" in shown
    assert "supported: high is best (+0.51" in shown and "all claims are decided" in shown
    manifest = json.loads((tmp_path / "out/grid.json").read_text())
    seeds = {cell["name"]: [run["seed"] for run in cell["runs"]] for cell in manifest["cells"]}
    assert seeds == {"low": [0, 1, 2], "high": [0, 1, 2]}, "no claim speaks of boom"
    assert run_grid.main(arguments) == 0
    assert "0 runs finished, 6 were done before" in capfd.readouterr().out
    claims.write_text(CLAIM + "# another thought\n")
    with pytest.raises(ValueError, match="begin anew in another folder"):
        run_grid.main(arguments)


def test_open_claims_are_told_by_the_exit_status(grid: Path, tmp_path: Path, capfd) -> None:
    """Of one clip nothing can be said."""
    (tmp_path / "claims.py").write_text(CLAIM)
    arguments = [str(grid), "--jobs", "0", "--until-decided", str(tmp_path / "claims.py")]
    assert run_grid.main([*arguments, "--max-seeds", "2"]) == 3
    assert "claims are open still: 2 seeds are there" in capfd.readouterr().out


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--max-seeds", "3"], "--max-seeds has no effect without --until-decided"),
        (["--budget", "3"], "--budget has no effect without --until-decided"),
        (["--until-decided", "c.py", "--only", "cell=low"], "leave out --only"),
        (["--until-decided", "c.py", "--dry-run"], "leave out --dry-run"),
    ],
)
def test_options_that_make_no_sense_together(grid: Path, capsys, more, said: str) -> None:
    with pytest.raises(SystemExit):
        run_grid.main([str(grid), *more])
    assert said in capsys.readouterr().err
