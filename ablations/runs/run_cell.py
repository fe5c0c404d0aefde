"""One planned run: claimed, skipped where done, resumed where unfinished, its failure recorded."""

from __future__ import annotations

import gc
import sys
import traceback
from collections.abc import Callable
from typing import Any

from ablations.grids.plan import DAMAGED, PlannedRun, state_of
from ablations.runs import attempts, claims
from ablations.runs.heartbeat import ClaimLostError, Heartbeat
from ablations.runs.processes import last_lines, retire
from auralsam2.custom_imports import import_stated
from auralsam2.engine import identity, run_record
from auralsam2.engine.out_of_memory import is_out_of_memory
from auralsam2.engine.progress import Progress
from auralsam2.engine.run_folder import FolderInUseError, OtherRunError
from auralsam2.engine.run_record import RunRecord

Train = Callable[..., RunRecord]
"""`auralsam2.engine.train.train`, or what a test puts in its place."""


def run_cell(
    run: PlannedRun,
    progress: Progress | None = None,
    *,
    train: Train | None = None,
    driver: str = "",
    oom_retries: int = 0,
) -> RunRecord:
    """Train one run of a grid.

    Whatever the run raises ends as a failed record with the traceback, never as an exception, so
    that the others go on. A KeyboardInterrupt passes: the record stays ``"running"`` and the next
    call resumes the folder. The claim names the ``driver``, so that it knows its own. Where the run
    has run out of memory before, its batches are halved, at most ``oom_retries`` times.

    Returns:
        The record as it stands in the folder; ``"running"`` where another process has the run.
    """
    if state_of(run.run_dir) == "done":
        return run_record.read(run.run_dir)
    claim = claims.acquire(run.run_dir, driver)
    if claim is None:
        return current_record(run)
    with Heartbeat(run.run_dir, claim, progress or Progress()) as beat:
        before = state_of(run.run_dir)
        if before == "done":  # by the owner of the claim before
            record = run_record.read(run.run_dir)
        else:
            record = _run(run, before, beat, train, oom_retries)
        beat.how = record.status
    return record


def record_failure(run: PlannedRun, error: str, *, out_of_memory: Any = None) -> RunRecord:
    """Leave a failed record in the folder of a run.

    ``error`` is the traceback, or how its process died; ``out_of_memory`` the config that was
    trained, where that is why.
    """
    _set_aside_damaged(run)
    record = run_record.fail(current_record(run), error)
    if out_of_memory is not None:
        attempts.enter(record, out_of_memory, attempts.OUT_OF_MEMORY, last_line(error))
    run_record.write(record, run.run_dir)
    return record


def current_record(run: PlannedRun) -> RunRecord:
    """Return the record in the folder of a run; a new one where there is none that can be read."""
    try:
        return run_record.read(run.run_dir)
    except (OSError, ValueError):
        return _new_record(run)


def _new_record(run: PlannedRun) -> RunRecord:
    return run_record.start(
        name=run.cell.name,
        axes=run.cell.axes,
        seed=run.cell.seed,
        run_id=run.run_id,
        config_hash=run.config_hash,
        data_fingerprint=run.data_fingerprint,
    )


def last_line(error: str) -> str:
    """Return the last line of a traceback that is not empty."""
    return "".join(last_lines(error, 1))


def _run(
    run: PlannedRun, before: str, beat: Heartbeat, train: Train | None, oom_retries: int
) -> RunRecord:
    if aside := _set_aside_damaged(run):
        before = aside
    record = current_record(run)
    cfg, goes_on = attempts.config_to_train(run.run_dir, run.cfg, record, before, oom_retries)
    if not goes_on:
        for path in attempts.resume_files(run.run_dir):  # their schedule counts other batches
            path.unlink(missing_ok=True)
    try:
        import_stated(cfg)
        record = (train or _engine_train())(
            cfg,
            run.run_dir,
            name=run.cell.name,
            axes=dict(run.cell.axes),
            run_id=run.run_id,
            progress=beat,
        )
    except ClaimLostError:
        return current_record(run)
    except (FolderInUseError, OtherRunError):
        traceback.print_exc()
        return run_record.fail(_new_record(run), traceback.format_exc())  # that run's stays
    except (Exception, SystemExit) as error:
        retire()  # what broke may have broken the process, e.g. its GPU context
        traceback.print_exc()  # the log of the run ends with it
        memory = cfg if is_out_of_memory(error) else None
        return record_failure(run, traceback.format_exc(), out_of_memory=memory)
    finally:
        _free_memory()
    _complete(record, run, cfg, before)
    return record


def _set_aside_damaged(run: PlannedRun) -> str:
    """Keep a record that cannot be read from being overwritten; what was done, if anything."""
    if state_of(run.run_dir) != DAMAGED:
        return ""
    said = f"{DAMAGED}, its record is {run_record.set_aside(run.run_dir).name}"
    print(f"the record of {run.label} cannot be read: the run was {said}")  # for its log
    return said


def _complete(record: RunRecord, run: PlannedRun, trained: Any, before: str) -> None:
    """Enter what only the grid knows of a run."""
    changed = attempts.batches(trained) != attempts.batches(run.cfg)
    if changed:
        record.config_hash = run.config_hash  # of the run as it was asked for
        attempts.note(record, run.cfg, trained)
    if before != "pending":
        record.notes.append(f"resumed: was {before}; duration_s counts the last session only")
    other_code = identity.code_of(trained) != identity.parse(run.run_id).code
    if other_code:
        record.notes.append(
            "ended by other code than its identity names: the package or a custom import has "
            "changed since the run was planned, or it was kept by --keep-code"
        )
    if changed or other_code or before != "pending":
        run_record.write(record, run.run_dir)


def _free_memory() -> None:
    """Give back what a run has left on a GPU that others of this machine may share."""
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        torch.cuda.empty_cache()


def _engine_train() -> Train:
    from auralsam2.engine.train import train

    return train
