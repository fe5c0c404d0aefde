"""Checkpoints that only a resumed training needs: deleted once a run is done."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from auralsam2.engine import run_record

_RESUME = ("epoch_*.pth", "best_*.pth", "last_checkpoint")


def resume_files(run_dir: Path) -> Iterator[Path]:
    """Yield the files that a training resumes from."""
    for pattern in _RESUME:
        yield from run_dir.glob(pattern)


def delete_checkpoints(run_dir: Path) -> int:
    """Delete what a done run does not need any more; its selected weights stay.

    Returns:
        Bytes that were freed; 0 where the run is not done.
    """
    record = run_record.read_without_clips(run_dir)
    trained = record.num_parameters.get("trainable", 0) > 0
    if record.status != "done" or (trained and not (run_dir / run_record.WEIGHTS).is_file()):
        return 0
    freed = 0
    for path in resume_files(run_dir):
        with suppress(FileNotFoundError):  # another driver deletes too
            size = path.stat().st_size
            path.unlink()
            freed += size
    return freed
