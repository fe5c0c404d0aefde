"""Whether data are those that a run was tested on, as far as the names of clips tell."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from auralsam2.engine import run_record

_SHOWN = 3


def check_tested_clips(run_dir: Path, split: str, clips: Iterable[str]) -> None:
    """Refuse other clips than those that a run has scores of.

    Args:
        run_dir: with ``record.json``; one without scores of single clips of the split is not
            compared.
        split: whose clips.
        clips: all that the data have.

    Raises:
        FileNotFoundError: where there is no record.
        ValueError: where the clips are others; it names a few.
    """
    record = run_record.read(run_dir)
    tested = dict.fromkeys(e["clip"] for e in record.per_clip if e["split"] == split)
    if not tested:
        return
    found = dict.fromkeys(clips)
    differences = []
    if gone := [clip for clip in tested if clip not in found]:
        differences.append(f"{len(gone)} of its {len(tested)} clips are missing ({_few(gone)})")
    if new := [clip for clip in found if clip not in tested]:
        differences.append(f"{len(new)} of the {len(found)} in the data are new ({_few(new)})")
    if differences:
        raise ValueError(
            f"these are other data than the run was tested on: of split '{split}' "
            f"{' and '.join(differences)}; set data.root to the run's own data"
        )


def _few(clips: list[str]) -> str:
    return ", ".join([*clips[:_SHOWN], *(["…"] if len(clips) > _SHOWN else [])])
