"""Stand-ins for training that processes of their own can import."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from ablations.sweeps.trial import run_trial
from auralsam2.engine import run_record
from auralsam2.engine.progress import StopRun


def score(cfg, epoch):
    """Best at lr 1e-3 with many heads; grows over the epochs."""
    heads = cfg.model.fusion.get("num_heads", 1)
    distance = abs(cfg.optim.optimizer.lr - 1e-3) * 1e3
    return (1 / (1 + distance) + 0.01 * heads + 0.1 * cfg.seed) * epoch / cfg.optim.epochs


def train(cfg, run_dir, *, name, axes, run_id, progress):
    """Train nothing; ``runtime.work_dir`` says what happens."""
    run_dir = Path(run_dir)
    run_dir.mkdir(parents=True, exist_ok=True)
    with (run_dir / "starts").open("a") as file:
        file.write("x")
    try:
        curve = run_record.read(run_dir).curve
    except FileNotFoundError:
        curve = []
    record = run_record.start(
        name=name, axes=axes, seed=cfg.seed, run_id=run_id, config_hash="c", data_fingerprint="d"
    )
    record.curve, epochs = curve, cfg.optim.epochs
    heads = cfg.model.fusion.get("num_heads", 1)
    record.num_parameters = {"total": 1000, "trainable": 10 * heads}
    run_record.write(record, run_dir)
    try:
        progress.start_run(epochs, epochs)
        for epoch in range(len(curve) + 1, epochs + 1):
            progress.step(epoch, epochs, "loss 1.00")
            _misbehave(cfg.runtime.work_dir, name, epoch, run_dir)
            run_record.add_validation(record, epoch, {"J": score(cfg, epoch), "F": 0.5})
            run_record.write(record, run_dir)
            progress.validated(epoch, record.curve[-1]["scores"])
    except StopRun as stopped:
        run_record.write(run_record.stop(record, stopped.reason, 1.0), run_dir)
        return record
    record.best_epoch = epochs
    record.selection = {"split": "val", "metric": "J", "value": score(cfg, epochs)}
    progress.finish_run()
    run_record.write(run_record.finish(record, 1.0), run_dir)
    return record


def _misbehave(mode, name, epoch, run_dir):
    what, _, where = mode.partition("@")
    if what == "work_dirs" or where not in ("", f"{name}:{epoch}", name):
        return
    marker = run_dir / "misbehaved"
    if what.endswith("once") and marker.exists():
        return
    marker.touch()
    if what.startswith("boom"):
        raise RuntimeError("the fuse is burnt")
    if what.startswith("interrupt"):
        raise KeyboardInterrupt
    if what.startswith("die"):
        os.kill(os.getpid(), signal.SIGKILL)


def work(item, progress):
    """Do a trial with the fake training."""
    return run_trial(item, progress, train=train)
