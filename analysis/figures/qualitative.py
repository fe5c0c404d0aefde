"""A few clips as pictures: frames, truth, a row of predictions a cell, the sound below."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from analysis.figures import style
from analysis.figures.clip_sheet import MOST_FRAMES, sheet
from analysis.runs.results import Results
from analysis.runs.saved_clips import SavedClip, load_clips, to_frame

NAME = "qualitative"


def collect(
    results: Results, *, num_clips: int = 2, cells: Sequence[str] | None = None
) -> list[SavedClip]:
    """Return the clips to draw; see `analysis.runs.saved_clips.load_clips`."""
    return load_clips(results, num_clips=num_clips, most_frames=MOST_FRAMES, cells=cells)


def make(
    results: Results, folder: Path, *, num_clips: int = 2, cells: Sequence[str] | None = None
) -> list[Path]:
    """Write ``qualitative.pdf``, ``.png`` and ``.csv``; nothing where nothing is saved.

    Two clips lie side by side on the width of a page, one fits a column. They are drawn by
    `analysis.figures.clip_sheet`.

    Args:
        results: the runs.
        folder: for the files.
        num_clips: at most.
        cells: rows; all of them where None.
    """
    clips = collect(results, num_clips=num_clips, cells=cells)
    if not clips:
        return []
    with style.paper_style():
        return style.save(sheet(clips), to_frame(clips), folder, NAME)
