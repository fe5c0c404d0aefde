"""A training that lasts and resumes, for machines that are lost in the middle of it."""

from __future__ import annotations

import os
import time
from pathlib import Path

from ablations.grids.plan import PlannedRun
from ablations.runs.run_cell import run_cell
from auralsam2.engine import run_record

STEPS = 30


def train(cfg, run_dir, *, name, axes, run_id, progress):
    """Take `STEPS` steps, writing down each of them, and where.

    They take a fifth of a second each, so that a run can be lost between two of them; not where it
    goes on after that, nor in a cell named ``quick``.
    """
    run_dir = Path(run_dir)
    steps = run_dir / "steps"
    done = len(steps.read_text().splitlines()) if steps.is_file() else 0
    with (run_dir / "starts").open("a") as file:
        file.write(f"{_where()} {done}\n")
    record = run_record.start(
        name=name, axes=axes, seed=cfg.seed, run_id=run_id, config_hash="c", data_fingerprint="d"
    )
    run_record.write(record, run_dir)
    pause = 0.01 if done or name == "quick" else 0.2
    progress.start_run(STEPS, 1)
    for step in range(done, STEPS):
        if name.startswith("boom"):
            raise RuntimeError("the fuse is burnt")
        time.sleep(pause)
        with steps.open("a") as file:
            file.write(f"{step}\n")
        progress.step(1, 1, f"loss {1 / (step + 1):.2f}")
    run_record.add_scores(record, "test", {"J": 0.5}, {"J": {"clip": 0.5}})
    progress.finish_run()
    run_record.write(run_record.finish(record, 1.0), run_dir)
    return record


def work(item: PlannedRun, progress, *, driver="", oom_retries=0):
    """Run a cell with the training above."""
    return run_cell(item, progress, train=train, driver=driver, oom_retries=oom_retries)


def starts(run: PlannedRun) -> list[tuple[str, int]]:
    """Where and with which first step a run was started, every time."""
    path = run.run_dir / "starts"
    lines = path.read_text().splitlines() if path.is_file() else []
    return [(line.split()[0], int(line.split()[1])) for line in lines]


def _where() -> str:
    if "SLURM_ARRAY_JOB_ID" in os.environ:
        return f"{os.environ['SLURM_ARRAY_JOB_ID']}_{os.environ['SLURM_ARRAY_TASK_ID']}"
    if "SLURM_JOB_ID" in os.environ:
        return os.environ["SLURM_JOB_ID"]
    import ray

    return str(ray.get_runtime_context().get_node_id())
