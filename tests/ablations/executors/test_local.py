from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

import pytest

from ablations.executors import base as executors
from ablations.executors import local
from ablations.executors.local import InlineExecutor, LocalExecutor
from ablations.grids.plan import PlannedRun
from ablations.runs import claims
from auralsam2.engine import run_record

from ..conftest import Heard, until


class Seen:
    """A display that remembers what it is told."""

    def __init__(self) -> None:
        self.runs: list[Heard] = []

    def run_started(self, label: str) -> Heard:
        self.runs.append(Heard())
        return self.runs[-1]


@pytest.fixture
def outcomes(named_grid, plan_of, fake_training):
    """Run cells of these names; return (name -> outcome, display)."""

    def run(executor, *names: str, **stated: object):
        plan, seen = plan_of(named_grid(*names, **stated)), Seen()
        ended = list(executor.map(fake_training.work, plan.runs, seen))
        return {outcome.item.label: outcome for outcome in ended}, seen

    return run


@pytest.mark.parametrize("executor", [InlineExecutor(), LocalExecutor(2)], ids=["inline", "local"])
def test_every_item_ends_with_an_outcome(outcomes, executor) -> None:
    ended, seen = outcomes(executor, "good", "boom", seeds=[0, 1])
    assert len(ended) == 4
    good = ended["good, seed 1"]
    assert good.error is None and good.result.status == "done"
    assert good.result.metrics == {"test": {"J": 0.6}}
    assert ended["boom, seed 0"].result.status == "failed"
    # One epoch of four steps for each "good", two for each "boom" that ends in its first.
    told = [call for run in seen.runs for call in run.calls]
    assert told.count(("start_run", (4, 1))) == 2
    assert [call for call, _ in told].count("step") == 16
    log = (good.item.run_dir / "log.txt").read_text()
    assert "training good" in log and "a C library speaks" in log


def test_a_killed_process_ends_its_item_only(outcomes) -> None:
    ended, _ = outcomes(LocalExecutor(1), "die", "good", seeds=[0, 1])
    assert [label for label, outcome in ended.items() if outcome.error is None] == [
        "good, seed 0",
        "good, seed 1",
    ]
    error = ended["die, seed 0"].error
    assert "died (signal 9" in error and "too much memory" in error


def test_processes_are_kept_and_share_the_cores(outcomes, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert LocalExecutor(2).num_threads == 3
    monkeypatch.delenv("OMP_NUM_THREADS")
    assert LocalExecutor(10_000).num_threads == 1


def test_items_are_asked_for_when_there_is_room(
    named_grid, plan_of, fake_training, monkeypatch
) -> None:
    monkeypatch.setattr("ablations.executors.local.POLL_S", 0.01)
    runs = plan_of(named_grid("good", "nan", "better")).runs
    asked, ended = [], []

    def source():
        for run in runs:
            asked.append((run.cell.name, len(ended)))
            yield run
            yield None  # nothing to do for a moment

    for outcome in InlineExecutor().map(fake_training.work, source(), Seen()):
        ended.append(outcome.item)
    assert asked == [("good", 0), ("nan", 1), ("better", 2)]


def test_each_process_sees_its_gpu_before_torch_is_there(outcomes) -> None:
    executor = LocalExecutor(1, gpus=["3", "GPU-5"])
    ended, _ = outcomes(executor, "gpu a", "gpu b")
    seen = [(o.item.run_dir / "seen").read_text().split() for o in ended.values()]
    assert sorted(gpu for gpu, *_ in seen) == ["3", "GPU-5"]
    assert {torch for _, torch, _ in seen} == {"False"}


def test_a_process_in_which_a_run_failed_does_no_other(outcomes) -> None:
    # "gpu" notes its process; what broke may have left a broken GPU context behind.
    ended, _ = outcomes(LocalExecutor(1), "gpu a", "boom", "gpu b", "gpu c")
    pids = {
        label[4]: (outcome.item.run_dir / "seen").read_text().split()[2]
        for label, outcome in ended.items()
        if label.startswith("gpu")
    }
    assert pids["a"] != pids["b"] == pids["c"]


def options(**stated: object) -> Namespace:
    parser = ArgumentParser()
    executors.add_arguments(parser)
    asked = {"num_items": 9, "on_gpu": lambda: False, **stated}
    return Namespace(**{**vars(parser.parse_args([])), **asked})


def test_a_process_that_a_thread_would_keep_ends_when_it_is_done(outcomes) -> None:
    ended, _ = outcomes(LocalExecutor(1), "lingers", "good")
    assert {label: outcome.result.status for label, outcome in ended.items()} == {
        "lingers, seed 0": "failed",
        "good, seed 0": "done",
    }
    assert multiprocessing.active_children() == []


def test_executors_of_a_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(local, "num_cores", lambda: 64)
    made = executors.from_options
    assert isinstance(made(options(executor="inline")), InlineExecutor)
    assert isinstance(made(options(jobs=0)), InlineExecutor)
    assert made(options(jobs=3)).num_processes == 3
    assert made(options()).num_processes == 4
    assert made(options(num_items=2)).num_processes == 2
    assert made(options(on_gpu=lambda: True)).num_processes == 1
    gpus = made(options(gpus=["0, 1"], jobs_per_gpu=2))
    assert [slot["CUDA_VISIBLE_DEVICES"] for slot in gpus.slots] == ["0", "1", "0", "1"]


@pytest.mark.parametrize(
    ("stated", "message"),
    [
        (dict(jobs_per_gpu=2), "--jobs-per-gpu needs --gpus"),
        (dict(gpus=["0"], jobs=2), "exclude each other"),
        (dict(gpus=["0", "0"]), "0 stands twice"),
        (dict(gpus=[","]), "no GPU; name some"),
        (dict(gpus=["0,5"]), "0 is not in CUDA_VISIBLE_DEVICES=4,5"),
    ],
)
def test_contradictions_of_a_command_line(stated, message, monkeypatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,5")
    with pytest.raises(ValueError, match=message):
        executors.from_options(options(**stated))
    assert local.find_gpus("all") == ["4", "5"]


def test_every_executor_has_its_name() -> None:
    assert executors.EXECUTORS.names() == ["inline", "local", "ray", "slurm"]
    for name in executors.EXECUTORS.names():
        assert executors.EXECUTORS.base_problems(executors.EXECUTORS.lookup(name)) == []


def test_closing_early_ends_the_processes(named_grid, plan_of, fake_training) -> None:
    plan = plan_of(named_grid("good", "slow"))
    running = LocalExecutor(2).map(fake_training.work, plan.runs, Seen())
    assert next(running).item.cell.name == "good"
    pid = pid_of(plan.runs[1])
    running.close()
    assert not is_alive(pid)
    assert run_record.read(plan.runs[1].run_dir).status == "running"
    assert claims.newest(plan.runs[1].run_dir).ended == "interrupted"


@pytest.mark.parametrize("name", ["slow", "busy"])
def test_children_die_with_a_killed_parent(
    named_grid, plan_of, fake_training, tmp_path: Path, name: str
) -> None:
    import pickle

    plan = plan_of(named_grid(name))  # "busy" tells its parent about step after step
    (tmp_path / "runs.pickle").write_bytes(pickle.dumps(plan.runs))
    program = (
        "import pickle, sys\n"
        f"sys.path.insert(0, {str(Path(fake_training.__file__).parent)!r})\n"
        "import fake_training\n"
        "from ablations.executors.local import LocalExecutor\n"
        "from ablations.display import make_display\n"
        "if __name__ == '__main__':\n"
        f"    runs = pickle.load(open({str(tmp_path / 'runs.pickle')!r}, 'rb'))\n"
        "    display = make_display(1, 0)\n"
        "    list(LocalExecutor(1).map(fake_training.work, runs, display))\n"
    )
    (tmp_path / "parent.py").write_text(program)
    parent = subprocess.Popen([sys.executable, tmp_path / "parent.py"], stdout=subprocess.DEVNULL)
    try:
        pid = pid_of(plan.runs[0])
    finally:
        parent.send_signal(signal.SIGKILL)
        parent.wait()
    until(lambda: not is_alive(pid), 10)
    assert claims.newest(plan.runs[0].run_dir).ended == "interrupted", "free for the next driver"
    assert run_record.read(plan.runs[0].run_dir).status == "running", "and no failure"


def pid_of(run: PlannedRun) -> int:
    """The process that trains a run, once it has said so."""
    path = run.run_dir / "pid"
    return int(until(lambda: path.is_file() and path.read_text()))


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A zombie waits for whoever adopted it.
    status = Path(f"/proc/{pid}/stat")
    return not (status.exists() and status.read_text().rsplit(")", 1)[1].split()[0] == "Z")
