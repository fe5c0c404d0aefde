"""What a request may bring: a clip of a bounded size, or a change of one object."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path, PurePath
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request

from auralsam2.data.video_opening import check_container
from auralsam2.demo.tracked import TrackedObject

Ask = Callable[[TrackedObject], None]

SUFFIXES = (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".ts")
MOST_JSON = 65_536
"""Bytes of a change."""
FRAME_RATES = (0.1, 60.0)


async def receive(request: Request, folder: Path, name: str, most_mb: int) -> Path:
    """Write the body of a request into a folder.

    Args:
        request: whose body is a clip.
        folder: of a session.
        name: what the owner calls the clip; only the kind of file is taken from it.
        most_mb: how large it may be, 10^6 bytes.

    Raises:
        HTTPException: for a clip that is empty, larger, or no video but a list of other files.
    """
    most = most_mb * 1_000_000
    too_large = HTTPException(413, f"'{name}' is larger than {most_mb} MB, the limit of this page.")
    stated = request.headers.get("content-length", "0")
    if not stated.isdigit() or int(stated) > most:
        raise too_large
    suffix = PurePath(name).suffix.lower()
    target, size = folder / f"clip{suffix if suffix in SUFFIXES else ''}", 0
    with target.open("wb") as file:
        async for block in request.stream():
            size += len(block)
            if size > most:
                raise too_large
            await run_in_threadpool(file.write, block)
    if not size:
        raise HTTPException(400, f"'{name}' is empty.")
    try:
        await run_in_threadpool(check_container, target)
    except ValueError:
        kinds = ", ".join(suffix[1:] for suffix in SUFFIXES)
        told = f"'{name}' is no video that this page takes ({kinds}), or it is damaged."
        raise HTTPException(400, told) from None
    return target


async def read_json(request: Request) -> Mapping[str, Any]:
    """Read a small JSON object.

    Raises:
        HTTPException: for a body that is none, or too large.
    """
    content = b""
    async for block in request.stream():
        content += block
        if len(content) > MOST_JSON:
            raise HTTPException(413, "The request is too large.")
    try:
        found = json.loads(content or b"{}")
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise HTTPException(400, "The request is no JSON object.")
    return found


def frame_rate(request: Request) -> float | None:
    """Read the frames of a second that are asked for; None for the video's own.

    Raises:
        HTTPException: for what is no such number.
    """
    text = request.query_params.get("fps", "")
    if not text:
        return None
    low, high = FRAME_RATES
    try:
        rate = float(text)
    except ValueError:
        rate = math.nan
    if not low <= rate <= high:
        raise HTTPException(400, f"Frames per second are a number from {low:g} to {high:g}.")
    return rate


def change_of(what: str, body: Mapping[str, Any]) -> tuple[int | None, Ask]:
    """Return the frame that a change is about, None for all, and what it does.

    Args:
        what: ``point``, ``box``, ``undo``, ``clear`` or ``sound``.
        body: its arguments.

    Raises:
        ValueError: for an unknown change, or arguments that it lacks.
    """
    if what == "clear":
        return None, lambda tracked: tracked.frames.clear()
    if what == "sound":
        on, weight = bool(body.get("on")), _number(body, "weight")
        return None, lambda tracked: tracked.set_sound(on, weight)
    frame = int(_number(body, "frame"))
    if what == "undo":
        return frame, lambda tracked: tracked.undo(frame)
    if what == "point":
        x, y, positive = _number(body, "x"), _number(body, "y"), bool(body.get("positive"))
        return frame, lambda tracked: tracked.add_point(frame, x, y, positive)
    if what == "box":
        corners = [_number(body, key) for key in ("x0", "y0", "x1", "y1")]
        return frame, lambda tracked: tracked.set_box(frame, corners)
    raise ValueError(f"got {what!r}; known changes: point, box, undo, clear, sound")


def _number(body: Mapping[str, Any], key: str) -> float:
    value = body.get(key)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError(f"got {key}={value!r}, wanted a number")
    return float(value)
