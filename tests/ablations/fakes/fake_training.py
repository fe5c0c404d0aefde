"""Stand-ins for training that processes of their own can import."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path

from ablations.grids.plan import PlannedRun
from ablations.runs.run_cell import run_cell
from auralsam2 import process_end
from auralsam2.engine import run_record

CLIPS = ("clip_a", "clip_b")


def train(cfg, run_dir, *, name, axes, run_id, progress, **_):
    """Train nothing; the cell's name says what happens."""
    run_dir = Path(run_dir)
    run_dir.mkdir(parents=True, exist_ok=True)
    with (run_dir / "starts").open("a") as file:
        file.write("x")
    record = run_record.start(
        name=name, axes=axes, seed=cfg.seed, run_id=run_id, config_hash="c", data_fingerprint="d"
    )
    if (run_dir / run_record.FILE_NAME).is_file():
        record.attempts = run_record.read(run_dir).attempts
    run_record.write(record, run_dir)
    print(f"training {name}")
    os.write(2, b"a C library speaks\n")
    progress.start_run(4 * cfg.optim.epochs, cfg.optim.epochs)
    for epoch in range(1, cfg.optim.epochs + 1):
        for _ in range(4):
            progress.step(epoch, cfg.optim.epochs, "loss 1.00")
        (run_dir / "last_epoch").write_text(str(epoch))
        _misbehave(name, epoch, run_dir, cfg, progress)
    scores = dict.fromkeys(CLIPS, 0.5 + 0.1 * cfg.seed)
    run_record.add_scores(record, "test", {"J": 0.5 + 0.1 * cfg.seed}, {"J": scores})
    progress.finish_run()
    run_record.write(run_record.finish(record, 1.0), run_dir)
    return record


def _misbehave(name, epoch, run_dir, cfg, progress):
    if name.startswith("boom"):
        raise RuntimeError("the fuse is burnt")
    if name.startswith("lingers"):
        process_end.GRACE_S = 0.1
        threading.Thread(target=time.sleep, args=(60,)).start()
        raise RuntimeError("and its thread is left")
    if name.startswith("nan"):
        raise FloatingPointError("the loss is nan at step 4")
    if name.startswith("oom") and cfg.data.batch_size > 2:
        raise RuntimeError("CUDA error: out of memory")
    if name.startswith("glutton") and cfg.data.batch_size > 2:
        os.kill(os.getpid(), signal.SIGKILL)
    if name.startswith("busy"):
        (run_dir / "pid").write_text(str(os.getpid()))
        while True:
            progress.step(epoch, 10_000, "loss 1.00")
            time.sleep(0.001)
    if name.startswith("gpu"):
        seen = f"{os.environ.get('CUDA_VISIBLE_DEVICES')} {'torch' in sys.modules} {os.getpid()}"
        (run_dir / "seen").write_text(seen)
        time.sleep(0.2)
    if name.startswith("exit"):
        sys.exit(3)
    if name.startswith("die"):
        os.kill(os.getpid(), signal.SIGKILL)
    if name.startswith("slow"):
        (run_dir / "pid").write_text(str(os.getpid()))
        time.sleep(60)


def work(item: PlannedRun, progress, **how):
    """Do a run with the fake training."""
    return run_cell(item, progress, **{**how, "train": train})
