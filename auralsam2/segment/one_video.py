"""One video through a predictor into a folder."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from auralsam2.data.frame_source import open_frames
from auralsam2.data.video import Span, picture_span
from auralsam2.segment.outputs import SHEET, Glance, Tracked, write_mask, write_overlay, write_rle
from auralsam2.segment.prompts import SOUNDING, Prompt, add_prompts, check_prompts

CUT = 0.5
"""Seconds by which pictures may end before the end that the header states."""
SHORTEST = 0.001
"""Seconds that the last frame is shown, at least."""
WAYS = (
    "name a file of sound (--audio FILE), or say what to segment (--click t,x,y,+ or "
    "--box t,x0,y0,x1,y1)"
)


class Request(NamedTuple):
    """What is asked of videos."""

    prompts: Sequence[Prompt] = ()
    audio: Path | None = None  # sound to hear in the place of the video's own
    text: str | None = None  # referring expression
    fps: float | None = None  # frames a second to segment; None: all


class CutShortError(ValueError):
    """A video that ends before its end: what was there of it is segmented."""


def segment_video(
    video: Path,
    folder: Path,
    predictor: Any,
    request: Request,
    draw_sheet: Callable[[Glance, Path], None],
    on_start: Callable[[int], None] = lambda total: None,
    on_frame: Callable[[], None] = lambda: None,
) -> str:
    """Write everything of one video.

    Args:
        video: a file.
        folder: to write into.
        predictor: an `auralsam2.predictor.AuralSAM2VideoPredictor`.
        request: what to segment.
        draw_sheet: draws a sheet to a path.
        on_start: called with the number of steps, two a frame.
        on_frame: called after each.

    Returns:
        What the user should know of it, or "".

    Raises:
        PromptsError: where clicks or boxes lie outside of the video.
        CutShortError: after all is written, where the video, or its sound, breaks off.
        ValueError, OSError: where it cannot be read, or there is nothing to prompt with.
    """
    span = picture_span(video)
    tracked, notice = _masks(video, folder, predictor, request, span, on_start, on_frame)
    with closing(open_frames(video, request.fps)) as frames:
        glance, problem = write_overlay(folder, video.name, frames, tracked, on_frame)
    write_rle(folder, video.name, tracked)
    draw_sheet(glance, folder / SHEET)
    if problem := cut_short(span) or problem:
        raise CutShortError(problem)
    return notice


def shown_until(span: Span, times: Sequence[float], fps: float | None) -> float:
    """Second at which the last of some frames goes; ``fps`` of them a second, None for all."""
    end = span.end if fps is None else min(span.end, times[-1] + 1 / fps)
    return max(end, times[-1] + SHORTEST)


def cut_short(span: Span) -> str:
    """Say that pictures end before the end that the header states, or ""."""
    if span.stated is None or span.stated - span.end <= CUT:
        return ""
    return f"its pictures end at {span.end:.2f} s, where its header states {span.stated:.2f} s"


def _masks(
    video: Path,
    folder: Path,
    predictor: Any,
    request: Request,
    span: Span,
    on_start: Callable[[int], None],
    on_frame: Callable[[], None],
) -> tuple[Tracked, str]:
    """Write the mask of every frame and object; say what the user should know of the sound."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        state = predictor.init_state(video, audio=request.audio, fps=request.fps, text=request.text)
    notice = "" if state["has_audio"] else "; ".join(str(warning.message) for warning in told)
    try:
        on_start(2 * state["num_frames"])
        times, size = state["times"], (state["video_height"], state["video_width"])
        check_prompts(request.prompts, times, span.end, size)
        if not (state["has_audio"] or request.prompts):
            raise ValueError(f"{notice}; {WAYS}")
        scores = _track(predictor, state, folder, request.prompts, on_frame)
    finally:
        predictor.close(state)
    end = shown_until(span, times, request.fps)
    heard = (request.audio or video) if state["has_audio"] else None
    return Tracked(times, end, size, scores, heard, span.pixel), notice


def _track(
    predictor: Any,
    state: dict[str, Any],
    folder: Path,
    prompts: Sequence[Prompt],
    on_frame: Callable[[], None],
) -> dict[int, NDArray[np.float32]]:
    """Write masks; return object -> (T, 2) predicted IoU and object score."""
    if state["has_audio"]:
        predictor.add_audio(state, obj_id=SOUNDING)
    add_prompts(predictor, state, prompts)
    shape = (state["num_frames"], 2)
    scores = {obj_id: np.full(shape, np.nan, np.float32) for obj_id in state["obj_ids"]}
    # Clicks alone go both ways from the first of them; sound is there from the first frame on.
    for reverse in (False,) if state["has_audio"] else (False, True):
        tracked = predictor.propagate_in_video(state, reverse=reverse)
        for index, obj_ids, mask_logits in tracked:
            told = predictor.scores(state, index)
            for obj_id, logits in zip(obj_ids, mask_logits[:, 0], strict=True):
                write_mask(folder, obj_id, index, (logits > 0).cpu().numpy())
                scores[obj_id][index] = told.get(obj_id, np.nan)
            predictor.forget(state, index)
            on_frame()
    return scores
