"""A real SLURM of one host: jobs that are cancelled or preempted in the middle go on."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ablations.executors import base as executors
from ablations.executors.slurm import SlurmExecutor, SlurmSettings
from ablations.run_grid import run_grid

from .conftest import steps_of


@pytest.fixture
def slurm(remote_work, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    import slurm_host as host

    if reason := host.why_not():
        pytest.skip(reason)
    pytest.importorskip("submitit", reason="no submitit: pip install 'auralsam2[slurm]'")
    folder = Path(tempfile.mkdtemp(prefix="slurm"))  # pytest's own is closed to the user munge
    folder.chmod(0o777)
    with host.SlurmHost(folder) as running:
        for name, value in running.environment.items():
            monkeypatch.setenv(name, value)
        yield running
    shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.slow
def test_cancelled_and_preempted_jobs_resume(
    slurm, remote_work, named_grid, plan_of, console
) -> None:
    plan = plan_of(grid := named_grid("cancelled", "preempted", "quick", "boom"))
    executor = SlurmExecutor(SlurmSettings(cpus=1, gpus=0, time_min=10, poll_s=0.5))
    how = {"cancelled": [], "preempted": ["--signal=USR2"]}
    done: list[str] = []

    def disturb() -> None:
        runs = {run.cell.name: run for run in plan.runs}
        while len(done) < len(how):
            time.sleep(0.1)
            for name, flags in how.items():
                if name not in done and len(steps_of(runs[name])) >= 3:
                    job = remote_work.starts(runs[name])[-1][0]
                    done.append(name)
                    # It tells a job that has left at once again and again: not waited for.
                    subprocess.Popen(["timeout", "5", "scancel", *flags, job])

    threading.Thread(target=disturb, daemon=True).start()
    result = run_grid(grid, plan, executor, console=console, work=remote_work.work)

    assert sorted(done) == ["cancelled", "preempted"]
    assert sorted(run.cell.name for run in result.finished) == ["cancelled", "preempted", "quick"]
    assert [run.cell.name for run, _ in result.failed] == ["boom"]
    assert "the fuse is burnt" in result.failed[0][1]
    for run in result.finished:
        assert steps_of(run) == list(range(remote_work.STEPS)), "every step once"
        begun = remote_work.starts(run)
        assert len(begun) == 1 + (run.cell.name in how)
        assert begun[-1][1] >= (3 if run.cell.name in how else 0)
    jobs = {run.cell.name: [job for job, _ in remote_work.starts(run)] for run in result.finished}
    assert len(set(jobs["preempted"])) == 1, "SLURM's own requeue keeps the job"
    assert len(set(jobs["cancelled"])) == 2, "a cancelled one is submitted again"


def test_no_slurm_is_said_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(FileNotFoundError, match="no sbatch, squeue, scancel on this machine"):
        SlurmExecutor(SlurmSettings())


def test_options_that_make_no_sense() -> None:
    parser = argparse.ArgumentParser()
    executors.add_arguments(parser)
    stated = ["--slurm-extra", "account", "--slurm-extra", "qos"]
    with pytest.raises(ValueError) as caught:
        executors.from_options(parser.parse_args(["--executor", "slurm", *stated]))
    for part in ("--slurm-extra got 'account'", "--slurm-extra got 'qos'"):
        assert part in str(caught.value)
    assert os.environ.get("SLURM_JOB_ID") is None
