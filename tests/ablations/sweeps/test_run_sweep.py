from __future__ import annotations

import csv
import os
import signal
from functools import partial
from pathlib import Path

import pytest

from ablations.executors.local import LocalExecutor
from ablations.sweeps.search_space import SweepError
from auralsam2.engine import run_record

from .conftest import in_threads

PRUNED = dict(pruner=dict(type="median", n_startup_trials=2))


def rows(out: Path) -> list[dict[str, str]]:
    with (out / "trials.csv").open() as file:
        return list(csv.DictReader(file))


def outcomes(out: Path) -> list[dict[str, str]]:
    """What must not hang on when and where a trial ran."""
    return [{k: v for k, v in row.items() if k != "duration_s"} for row in rows(out)]


def starts(out: Path) -> dict[str, int]:
    found = sorted((out / "runs").glob("*/starts"))
    return {path.parent.name.rpartition("-s0-")[0]: len(path.read_text()) for path in found}


def test_the_base_comes_first_and_every_trial_is_a_run(write_sweep, drive, console) -> None:
    sweep = write_sweep()
    result = drive(sweep, 4)
    assert (result.counts, result.here, result.elsewhere) == ({"complete": 4}, 4, 0)
    first, *others = rows(sweep.out)
    assert (first["base"], first["model.fusion"], first["model.fusion.num_heads"]) == (
        "1",
        "SumFusion",
        "2",
    )
    assert float(first["optim.optimizer.lr"]) == 1e-3
    assert float(first["J"]) == pytest.approx(1.02)
    assert all(row["base"] == "0" for row in others)
    record = run_record.read(sweep.out / first["run_dirs"])
    assert record.status == "done" and record.name == "trial 0"
    assert record.axes["model.fusion"] == "SumFusion"
    assert "trial 0: done, J 1.02 [1/4" in console.file.getvalue()


def test_pruned_trials_are_stopped_runs(write_sweep, drive) -> None:
    sweep = write_sweep(**PRUNED)
    result = drive(sweep, 10)
    assert result.counts["pruned"] > 0 and sum(result.counts.values()) == 10
    for row in rows(sweep.out):
        record = run_record.read(sweep.out / row["run_dirs"].split()[0])
        assert {"pruned": "stopped", "complete": "done"}[row["state"]] == record.status
        if row["state"] == "pruned":
            assert record.stopped_because.startswith("pruned by median after epoch ")
            assert float(row["J"]) == record.curve[-1]["scores"]["J"]
            assert len(record.curve) < 4


@pytest.mark.parametrize("sampler", ["tpe", "cmaes", "random"])
def test_a_resumed_sweep_equals_an_uninterrupted_one(
    write_sweep, drive, tmp_path: Path, sampler: str
) -> None:
    whole = write_sweep(sampler=sampler, **PRUNED, arguments=dict(out=tmp_path / "whole"))
    drive(whole, 8)
    mode = {"runtime.work_dir": "interrupt once@trial 4:1"}
    cut = write_sweep(sampler=sampler, overrides=mode, **PRUNED)
    with pytest.raises(KeyboardInterrupt):
        drive(cut, 8)
    states = [row["state"] for row in rows(cut.out)]
    assert len(states) == 4 and "running" not in states
    drive(cut, 8)
    assert outcomes(cut.out) == outcomes(whole.out)
    assert {k: v for k, v in starts(cut.out).items() if v > 1} == {"trial-0004": 2}


def test_trials_are_counted_over_all_calls(write_sweep, drive) -> None:
    sweep = write_sweep()
    assert drive(sweep, 2).here == 2
    again = drive(sweep, 5)
    assert (again.here, again.counts) == (3, {"complete": 5})
    assert drive(sweep, 5).here == 0


def test_a_failed_trial_ends_alone_and_can_be_retried(write_sweep, drive) -> None:
    sweep = write_sweep(overrides={"runtime.work_dir": "boom once@trial 1"})
    result = drive(sweep, 4)
    assert result.counts == {"complete": 3, "fail": 1}
    assert result.errors == [(1, "RuntimeError: the fuse is burnt")]
    assert rows(sweep.out)[1]["error"] == "RuntimeError: the fuse is burnt"
    again = drive(sweep, 4, retry_failed=True)
    assert again.counts == {"complete": 4} and again.here == 1
    table = rows(sweep.out)
    assert [row["state"] for row in table] == ["complete", "retried", *["complete"] * 3]
    assert table[4]["retry_of"] == "1" and table[4]["run_dirs"] == table[1]["run_dirs"]


def test_failures_in_a_row_end_the_sweep(write_sweep, drive) -> None:
    sweep = write_sweep(overrides={"runtime.work_dir": "boom"})
    with pytest.raises(SweepError, match=r"the last 3 trials failed .*the fuse is burnt"):
        drive(sweep, 20, max_failures=3)
    assert [row["state"] for row in rows(sweep.out)] == ["failed"] * 3
    assert not (sweep.out / "best.py").exists()


def test_equal_values_are_not_trained_twice(write_sweep, drive) -> None:
    heads = {"model.fusion.num_heads": dict(type="int", low=1, high=3)}
    sweep = write_sweep(space=heads, sampler="random")
    assert drive(sweep, 8).counts == {"complete": 8}
    table = rows(sweep.out)
    first = {row["model.fusion.num_heads"]: row for row in reversed(table)}
    assert len(starts(sweep.out)) == len(first) <= 3
    for row in table:
        same = first[row["model.fusion.num_heads"]]
        assert row["J"] == same["J"] and row["same_as"] in ("", same["number"])


def test_a_grid_ends_by_itself(write_sweep, drive) -> None:
    space = {
        "model.fusion.num_heads": dict(type="int", low=1, high=3),
        "optim.power": dict(type="categorical", choices=[0.9, 1.0]),
    }
    sweep = write_sweep(space=space, sampler="grid")
    drive(sweep, 100)
    # The base is one of the six points, and is not trained twice.
    assert len(rows(sweep.out)) == 7 and len(starts(sweep.out)) == 6


def test_several_objectives(write_sweep, drive) -> None:
    sweep = write_sweep(objectives=[dict(metric="J"), dict(metric="num_trainable")])
    assert [o.direction for o in sweep.objectives] == ["maximize", "minimize"]
    drive(sweep, 8)
    table = rows(sweep.out)
    front = [row for row in table if row["best"] == "1"]
    assert front
    for row in front:
        assert not any(
            float(o["J"]) >= float(row["J"])
            and float(o["num_trainable"]) < float(row["num_trainable"])
            for o in table
        )
    said = (sweep.out / "best.py").read_text().splitlines()[0]
    most = max(table, key=lambda row: float(row["J"]))
    assert said.startswith(f"# Trial {most['number']} of the sweep toy_sweep: J = ")


def test_the_mean_over_seeds_counts(write_sweep, drive) -> None:
    sweep = write_sweep(seeds=[0, 2])
    drive(sweep, 1)
    (row,) = rows(sweep.out)
    assert float(row["J"]) == pytest.approx((1.02 + 1.22) / 2)
    assert len(row["run_dirs"].split()) == 2


def test_two_drivers_count_together(write_sweep, drive) -> None:
    sweep = write_sweep()
    in_threads(*[partial(drive, sweep, 9)] * 2)
    table = rows(sweep.out)
    assert [row["number"] for row in table] == [str(number) for number in range(9)]
    assert all(row["state"] == "complete" for row in table)
    assert set(starts(sweep.out).values()) == {1}


@pytest.mark.slow
def test_a_killed_driver_loses_nothing(write_sweep, drive, tmp_path: Path, fake_trials) -> None:
    """SIGKILL in the middle of a trial; the next call resumes it at its last epoch."""
    pruner = dict(type="median", n_startup_trials=3)  # trial 2 trains to its end
    whole = write_sweep(pruner=pruner, arguments=dict(out=tmp_path / "whole"))
    drive(whole, 5)
    cut = write_sweep(pruner=pruner, overrides={"runtime.work_dir": "die once@trial 2:3"})
    pid = os.fork()
    if pid == 0:
        drive(cut, 5)
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == signal.SIGKILL
    assert len(rows(cut.out)) == 2
    drive(cut, 5)
    assert outcomes(cut.out) == outcomes(whole.out)
    assert starts(cut.out)["trial-0002"] == 2


@pytest.mark.slow
def test_a_lost_process_ends_its_trial_only(write_sweep, drive, monkeypatch) -> None:
    tests = Path(__file__).parent / "fakes"
    monkeypatch.setenv("PYTHONPATH", f"{tests}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    sweep = write_sweep(overrides={"runtime.work_dir": "die@trial 1"})
    result = drive(sweep, 3, executor=LocalExecutor(2))
    assert result.counts == {"complete": 2, "fail": 1}
    (error,) = result.errors
    assert "the process of this run died (signal 9" in error[1]
