"""Attempts at a run: with less memory the same global batch in smaller parts; their checkpoints."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from auralsam2.engine import run_folder, run_record
from auralsam2.engine.run_record import RunRecord

OUT_OF_MEMORY = "out of memory"
_RESUME = ("epoch_*.pth", "best_*.pth", "last_checkpoint")


def smaller_batches(cfg: Any, times: int) -> Any:
    """Return a copy of a config with batches halved so often, as far as they can be divided.

    They are accumulated, so that a step sees as many clips. A batch that is odd is divided by its
    smallest prime factor.
    """
    cfg = copy.deepcopy(cfg)
    for _ in range(times):
        size = cfg.data.batch_size
        factor = next((f for f in range(2, size + 1) if size % f == 0), 1)
        cfg.data.batch_size = size // factor
        cfg.optim.accumulate *= factor
        if cfg.optim.get("warmup"):
            cfg.optim.warmup *= factor  # counted in batches
    return cfg


def batches(cfg: Any) -> dict[str, int]:
    """Return batch size and accumulation of a config."""
    return {
        "batch_size": int(cfg["data"]["batch_size"]),
        "accumulate": int(cfg["optim"]["accumulate"]),
    }


def out_of_memory(record: RunRecord) -> int:
    """Return how often a run has run out of memory."""
    return sum(attempt.get("ended") == OUT_OF_MEMORY for attempt in record.attempts)


def halvings(record: RunRecord, retries: int) -> int:
    """Return how often to halve the batches of the next attempt, at most ``retries`` times."""
    return min(retries, out_of_memory(record))


def can_try_again(run_cfg: Any, record: RunRecord, retries: int) -> bool:
    """Return whether a run that failed has a smaller batch left to try."""
    times = out_of_memory(record)
    if record.status != "failed" or not 0 < times <= retries:
        return False
    if record.attempts[-1].get("ended") != OUT_OF_MEMORY:
        return False
    return bool(
        smaller_batches(run_cfg, times).data.batch_size
        < smaller_batches(run_cfg, times - 1).data.batch_size
    )


def config_to_train(
    run_dir: Path, cfg: Any, record: RunRecord, before: str, retries: int
) -> tuple[Any, bool]:
    """Return the config of the next attempt, and whether the checkpoints are of such batches.

    Args:
        run_dir: folder of the run, with its ``record``.
        cfg: as planned.
        record: as it stands in the folder.
        before: state of the run.
        retries: how often its batches may be halved.
    """
    if before == "pending":
        return cfg, True
    stored = run_folder.stored_config(run_dir)
    held = batches(stored) if stored else None
    # Who goes on does so with the batches that were used, whatever this call allows.
    allowed = out_of_memory(record) if before != "failed" else retries
    wanted = smaller_batches(cfg, halvings(record, allowed))
    if before != "failed" and held is not None:
        for times in range(allowed):
            smaller = smaller_batches(cfg, times)
            if batches(smaller) == held:
                return smaller, True
    return wanted, held in (None, batches(wanted))


def enter(record: RunRecord, cfg: Any, ended: str, error: str) -> None:
    """Enter an attempt at training ``cfg`` that ended badly, e.g. `OUT_OF_MEMORY`."""
    record.attempts.append({**batches(cfg), "ended": ended, "error": error})


def note(record: RunRecord, planned: Any, trained: Any) -> None:
    """Say in a record that it was trained with smaller batches than its config states."""
    was, now = batches(planned), batches(trained)
    record.notes.append(
        f"ran out of memory {out_of_memory(record)} times: trained with batches of "
        f"{now['batch_size']}, {now['accumulate']} accumulated, in place of {was['batch_size']}, "
        f"{was['accumulate']} accumulated; a step sees as many clips, but what compares the clips "
        "of a batch, such as a contrastive loss, sees fewer at a time"
    )


def resume_files(run_dir: Path) -> Iterator[Path]:
    """Yield the files that a training resumes from."""
    for pattern in _RESUME:
        yield from run_dir.glob(pattern)


def delete_checkpoints(run_dir: Path) -> int:
    """Delete what a done run does not need, all but its selected weights; bytes that were freed."""
    record = run_record.read_without_clips(run_dir)
    trained = record.num_parameters.get("trainable", 0) > 0
    if record.status != "done" or (trained and not (run_dir / run_record.WEIGHTS).is_file()):
        return 0
    freed = 0
    for path in resume_files(run_dir):
        with suppress(FileNotFoundError):  # another driver deletes them too
            size = path.stat().st_size
            path.unlink()
            freed += size
    return freed
