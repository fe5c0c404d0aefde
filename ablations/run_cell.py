"""One planned run: skipped where done, resumed where unfinished, recorded where it fails."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any, Protocol

from ablations.plan import PlannedRun, state_of
from auralsam2.custom_imports import import_custom
from auralsam2.engine import run_record
from auralsam2.engine.progress import Progress, Silent
from auralsam2.engine.run_record import RunRecord


class Train(Protocol):
    """`auralsam2.engine.train.train`, or what a test puts in its place."""

    def __call__(
        self,
        cfg: Any,
        run_dir: Path,
        *,
        name: str,
        axes: dict[str, str],
        run_id: str,
        progress: Progress,
    ) -> RunRecord:
        """Train ``cfg`` in ``run_dir``."""
        ...


def run_cell(
    run: PlannedRun, progress: Progress | None = None, *, train: Train | None = None
) -> RunRecord:
    """Train one run of a grid.

    Whatever the run raises ends as a failed record with the traceback, never as an exception, so
    that the others go on. A KeyboardInterrupt passes: the record stays ``"running"`` and the next
    call resumes the folder.

    Args:
        run: what to train.
        progress: told about every step.
        train: the engine's where None.

    Returns:
        The record as it stands in the folder.
    """
    before = state_of(run.run_dir)
    if before == "done":
        return run_record.read(run.run_dir)
    try:
        imports = import_custom(run.cfg, Path())  # a process of its own starts without them
        if imports:
            raise ImportError("; ".join(imports))
        record = (train or _engine_train())(
            run.cfg,
            run.run_dir,
            name=run.cell.name,
            axes=dict(run.cell.axes),
            run_id=run.run_id,
            progress=progress or Silent(),
        )
    except (Exception, SystemExit):
        return record_failure(run, traceback.format_exc())
    if before != "pending":
        record.notes.append(f"resumed: was {before}; duration_s counts the last session only")
        run_record.write(record, run.run_dir)
    return record


def record_failure(run: PlannedRun, error: str) -> RunRecord:
    """Leave a failed record in the folder of a run.

    Args:
        run: what failed.
        error: the traceback, or how its process died.
    """
    try:
        record = run_record.read(run.run_dir)
    except (FileNotFoundError, ValueError):
        record = run_record.start(
            name=run.cell.name,
            axes=run.cell.axes,
            seed=run.cell.seed,
            run_id=run.run_id,
            config_hash=run.config_hash,
            data_fingerprint=run.data_fingerprint,
        )
    record = run_record.fail(record, error)
    run_record.write(record, run.run_dir)
    return record


def _engine_train() -> Train:
    from auralsam2.engine.train import train

    engine_train: Train = train
    return engine_train
