"""A session as files: what ``auralsam2 segment`` writes, for each run, in one archive."""

from __future__ import annotations

import itertools
import json
import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np

from auralsam2.data.frame_source import open_frames
from auralsam2.demo.session import Session
from auralsam2.segment.outputs import SHEET, Glance, Tracked, write_mask, write_overlay, write_rle
from auralsam2.text_files import write_text

ARCHIVE = "export.zip"
PROMPTS = "prompts.json"
"""Of the objects: clicks and boxes in parts of the picture, by frame, and what they hear."""

Draw = Callable[[Glance, Path], None]


def write_export(session: Session, draw_sheet: Draw) -> Path:
    """Write the masks as they are now, tell the session how far that is, and return the archive.

    Raises:
        ValueError: where there is nothing to write, or it changes meanwhile.
    """
    clip = session.clip
    if clip is None or not any(tracked.prompted for tracked in session.objects.values()):
        raise ValueError("there are no masks to export: let an object hear, or click first")
    folder = clip.folder / "export"
    shutil.rmtree(folder, ignore_errors=True)
    prompts = [tracked.to_json() for tracked in session.objects.values()]
    names = {run: str(place) for place, run in enumerate(session.predictors, 1)}
    steps = itertools.count(1)

    def step() -> None:  # every frame is gone through twice
        session.exported = min(1.0, next(steps) / (2 * len(names) * len(clip.times)))

    session.exported = 0.0
    try:
        tracked = _track(session, folder, names, step)
        for run, found in tracked.items():
            own = folder / names[run]
            with closing(open_frames(clip.source, clip.fps)) as frames:
                glance, _ = write_overlay(own, clip.name, frames, found, step)
            write_rle(own, clip.name, found)
            draw_sheet(glance, own / SHEET)
        text = {"video": clip.name, "fps": clip.fps, "runs": names, "objects": prompts}
        write_text(folder / PROMPTS, json.dumps(text, indent=2, ensure_ascii=False))
        archive = shutil.make_archive(str(clip.folder / "export"), "zip", folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return Path(archive)


def _track(
    session: Session, folder: Path, names: dict[str, str], step: Callable[[], None]
) -> dict[str, Tracked]:
    """Write the mask of every frame, object and run that has any."""
    clip = session.clip
    assert clip is not None
    num_frames, size = len(clip.times), clip.video_size
    scores: dict[str, dict[int, np.ndarray]] = {}
    for answer in session.answers():
        for obj_id, mask in answer.masks.items():
            write_mask(folder / names[answer.run], obj_id, answer.frame, mask)
            empty = np.full((num_frames, 2), np.nan, np.float32)
            of_object = scores.setdefault(answer.run, {}).setdefault(obj_id, empty)
            of_object[answer.frame] = answer.scores.get(obj_id, np.nan)
        step()
    heard = None if clip.sound is None else clip.source
    return {
        run: Tracked(clip.times, clip.seconds, size, of_run, heard, clip.pixel)
        for run, of_run in scores.items()
    }
