"""A grid that is killed, or driven twice, ends as one that nobody touched."""

from __future__ import annotations

import io
import json
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from ablations.executors.local import InlineExecutor
from ablations.grids.file import load_grid
from ablations.grids.plan import make_plan
from ablations.options import Options
from ablations.run_grid import run_grid
from ablations.runs import claims
from auralsam2.data.synthetic.writer import Plan, write_clips
from auralsam2.engine import run_record
from auralsam2.models.weights import read_state

from .conftest import until

FAKES = Path(__file__).parent / "fakes"
CELLS = ("both", "sparse", "dense")
GRID = """
base = "auralsam2/mini_v1m"
axes = dict(prompts=[
    dict(name="both", set={}),
    dict(name="sparse", set={"model.dense_prompt": None}),
    dict(name="dense", set={"model.sparse_prompt": None}),
])
seeds = [0, 1]
overrides = {
    "data.root": "DATA",
    "data.image_size": 64,
    "data.batch_size": 1,
    "optim.epochs": 2,
    "optim.warmup": 0,
    "runtime.tensorboard": False,
    "runtime.num_threads": 1,
    "runtime.log_every": 1,
    "evaluation.measure_speed": False,
    "evaluation.num_saved_clips": 0,
    "model.backbone": dict(type="SAM2Backbone", size="mini", random_weights=True),
    "model.audio_encoder": dict(type="LogMelCNN", width=8),
    "model.visual_depths": (0, 0, 1),
    "model.mask_loss.loss_size": 32,
}
"""


@pytest.fixture(scope="module")
def grid(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("grid")
    write_clips(folder / "data", Plan("v1m", (4, 1, 3), seed=3, size=64, num_frames=2))
    path = folder / "prompts.py"
    path.write_text(GRID.replace("DATA", str(folder / "data")))
    return path


@pytest.fixture
def start() -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Start programs; whatever is left of them ends with the test."""
    started: list[subprocess.Popen[bytes]] = []

    def call(*arguments: object, **options: Any) -> subprocess.Popen[bytes]:
        started.append(subprocess.Popen([sys.executable, *map(str, arguments)], **options))
        return started[-1]

    yield call
    for program in started:
        program.kill()
        program.wait()


def run_here(grid: Path, out: Path, **options: Any) -> Any:
    loaded = load_grid(str(grid))
    console = Console(file=io.StringIO())
    plan = make_plan(loaded, out=out, seeds=[0])
    return run_grid(loaded, plan, InlineExecutor(), Options(**options), console=console)


def folders(out: Path) -> list[Path]:
    return sorted((out / "runs").iterdir()) if (out / "runs").is_dir() else []


def training(out: Path) -> list[tuple[Path, claims.ClaimState]]:
    """Runs that are in their training now, after its first epoch."""
    held = [(run, claims.holder(run)) for run in folders(out)]
    return [
        (run, claim)
        for run, claim in held
        if claim and (run / "epoch_1.pth").exists() and not (run / "best.safetensors").exists()
    ]


def status(run_dir: Path) -> str:
    try:
        return run_record.read(run_dir).status
    except FileNotFoundError:
        return "pending"


def steps(run_dir: Path) -> list[int]:
    """Numbers of the training steps over all sessions of a run."""
    lines = []
    for file in sorted(run_dir.glob("*/vis_data/scalars.json")):
        lines += [json.loads(line) for line in file.read_text().splitlines()]
    return [line["iter"] for line in lines if "loss" in line]


def is_gone(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z"


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks at processes in /proc")
def test_a_killed_grid_ends_like_one_that_was_left_alone(grid: Path, tmp_path: Path, start) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    # Steps slow enough to be killed between two of them.
    command = (FAKES / "slow_grid.py", grid, "--out", killed, "--jobs", 2, "--seeds", 0)
    driver = start(*command, stdout=subprocess.DEVNULL)
    until(lambda: training(killed) or driver.poll() is not None)
    victim, claim = training(killed)[0]
    os.kill(claim.owner.pid, signal.SIGKILL)
    until(lambda: status(victim) == "failed")
    until(lambda: [run for run, _ in training(killed) if run != victim])
    driver.send_signal(signal.SIGKILL)
    driver.wait()
    pids = [claims.newest(run).owner.pid for run in folders(killed)]
    until(lambda: all(map(is_gone, pids)), 30)  # nobody trains on unseen

    begun = [run for run in folders(killed) if (run / "record.json").exists()]
    before = {run: (run / "record.json").read_bytes() for run in begun}
    done = {run for run in before if status(run) == "done"}
    assert status(victim) == "failed" and len(done) < 3
    assert {status(run) for run in before if run != victim} <= {"done", "running"}
    assert "signal 9" in run_record.read(victim).error

    result = run_here(grid, killed, retry_failed=True)
    assert len(result.finished) == 3 - len(done) and len(result.skipped) == len(done)
    assert all((run / "record.json").read_bytes() == before[run] for run in done)
    run_here(grid, whole)
    assert [run.name for run in folders(killed)] == [run.name for run in folders(whole)]
    for ours, theirs in zip(folders(killed), folders(whole)):
        same_result(ours, theirs)


def same_result(ours: Path, theirs: Path) -> None:
    mine, other = run_record.read(ours), run_record.read(theirs)
    assert mine.status == other.status == "done"
    for name in ("metrics", "per_clip", "curve", "best_epoch", "selection", "run_id"):
        assert getattr(mine, name) == getattr(other, name), name
    weights, expected = (read_state(run / "best.safetensors") for run in (ours, theirs))
    assert weights.keys() == expected.keys()
    assert all((weights[key] == expected[key]).all() for key in weights)
    # An epoch that was cut off is trained again from its start, and no other.
    trained = steps(ours)
    assert set(trained) == set(steps(theirs)) and trained.count(1) == 1


@pytest.mark.slow
def test_two_drivers_share_a_grid(grid: Path, tmp_path: Path, start) -> None:
    out, names = tmp_path / "out", ("one", "two")
    loaded = load_grid(str(grid))
    plan = make_plan(loaded, out=out, check=lambda cfg: None, fingerprint=lambda cfg: "data")
    (tmp_path / "plan.pickle").write_bytes(pickle.dumps(plan))
    for name in names:
        start(FAKES / "two_drivers.py", grid, tmp_path / "plan.pickle", name)
    until(lambda: all((tmp_path / f"{name}.ready").exists() for name in names))
    (tmp_path / "start").touch()
    until(lambda: all((tmp_path / f"{name}.json").exists() for name in names))
    results = [json.loads((tmp_path / f"{name}.json").read_text()) for name in names]
    everything = [f"{cell}, seed {seed}" for seed in (0, 1) for cell in CELLS]
    own = [result["finished"] for result in results]
    assert sorted(own[0] + own[1]) == sorted(everything), "each run once, by one of them"
    for result in results:
        seen = result["finished"] + result["elsewhere"] + result["skipped"]
        assert sorted(seen) == sorted(everything), "and both wait for all"
    starts = {run.name: (run / "starts").read_text() for run in folders(out)}
    assert set(starts.values()) == {"x"} and len(starts) == 6
    assert {claims.newest(run).number for run in folders(out)} == {1}
