"""Clicks and boxes as a command line states them: read, checked and given to a predictor."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from auralsam2.messages import ProblemsError

SOUNDING = 1
"""Object that the sound prompts, and that prompts without a number mean."""
SIGNS = {"+": 1, "-": 0}
FORMS = {"click": "t,x,y,+ or t,x,y,-", "box": "t,x0,y0,x1,y1"}


class PromptsError(ProblemsError):
    """Clicks or boxes that a command line should not have stated."""

    source = "clicks and boxes"


@dataclass(frozen=True)
class Prompt:
    """A click, or a box, on the frame that is shown at a time."""

    text: str  # as it was stated, after its option
    time: float  # seconds
    points: tuple[tuple[float, float], ...]  # x and y in pixels; of a box two corners
    label: int | None  # 1 for what belongs to the object, 0 for what does not; None for a box
    obj_id: int

    def problems(self, end: float, size: tuple[int, int]) -> list[str]:
        """Say what is wrong with it for a video that ends at a time and has a size (H, W)."""
        found = []
        if not 0 <= self.time <= end:
            found.append(f"{self.text}: the video lasts from 0 to {end:.2f} s")
        height, width = size
        if any(not (0 <= x <= width and 0 <= y <= height) for x, y in self.points):
            found.append(f"{self.text}: pictures are {width} x {height} pixels")
        return found


def parse_prompts(clicks: Sequence[str], boxes: Sequence[str]) -> list[Prompt]:
    """Read prompts in the forms ``t,x,y,+`` and ``t,x0,y0,x1,y1``.

    A number behind that is the object's: objects are 1, which the sound prompts too, 2 and so on.

    Raises:
        PromptsError: telling all that are wrong.
    """
    found: list[Prompt] = []
    problems: list[str] = []
    for kind, texts in (("click", clicks), ("box", boxes)):
        for text in texts:
            try:
                found.append(_parse(kind, text))
            except ValueError as error:
                problems.append(f"--{kind} {text}: {error}")
    if problems:
        raise PromptsError(problems)
    return found


def _parse(kind: str, text: str) -> Prompt:
    wanted = f"wanted {FORMS[kind]} in seconds and pixels, and at most an object's number behind"
    parts = [part.strip() for part in text.split(",")]
    sign = parts.pop(3) if kind == "click" and len(parts) > 3 else None
    try:
        numbers = [float(part) for part in parts]
    except ValueError:
        numbers = []
    count = 3 if kind == "click" else 5
    if len(numbers) not in (count, count + 1) or not all(map(math.isfinite, numbers)):
        raise ValueError(wanted)
    if kind == "click" and sign not in SIGNS:
        raise ValueError(f"{wanted}; + is on the object, - is beside it")
    obj_id = numbers[count] if len(numbers) > count else SOUNDING
    if obj_id != int(obj_id) or obj_id < 1:
        raise ValueError(f"objects are numbered 1, 2, ..., got {parts[count]}")
    points = tuple(zip(numbers[1:count:2], numbers[2:count:2], strict=True))
    if kind == "box" and not (points[0][0] < points[1][0] and points[0][1] < points[1][1]):
        raise ValueError("x0 must be left of x1, and y0 above y1")
    label = None if sign is None else SIGNS[sign]
    return Prompt(f"--{kind} {text}", numbers[0], points, label, int(obj_id))


def check_prompts(
    prompts: Sequence[Prompt], times: Sequence[float], end: float, size: tuple[int, int]
) -> None:
    """Look whether prompts lie within a video: its frames' times, its end, its size (H, W).

    Raises:
        PromptsError: telling all that do not.
    """
    problems = [problem for prompt in prompts for problem in prompt.problems(end, size)]
    boxed = [(frame_at(times, p.time), p.obj_id) for p in prompts if p.label is None]
    if len(set(boxed)) < len(boxed):
        problems.append("an object has several boxes in one frame; it takes one")
    if problems:
        raise PromptsError(problems)


def add_prompts(predictor: Any, state: dict[str, Any], prompts: Sequence[Prompt]) -> None:
    """Give prompts to a predictor, those of one frame and object together.

    Args:
        predictor: an `auralsam2.predictor.AuralSAM2VideoPredictor`.
        state: of its ``init_state``.
        prompts: with a time each; the frame is the one that is shown then.
    """
    together: dict[tuple[int, int], list[Prompt]] = {}
    for prompt in prompts:
        frame = frame_at(state["times"], prompt.time)
        together.setdefault((frame, prompt.obj_id), []).append(prompt)
    for (frame, obj_id), group in together.items():
        predictor.add_new_points_or_box(state, frame_idx=frame, obj_id=obj_id, **_arguments(group))


def _arguments(group: Sequence[Prompt]) -> dict[str, NDArray[Any]]:
    clicks = [prompt for prompt in group if prompt.label is not None]
    box = next((np.ravel(prompt.points) for prompt in group if prompt.label is None), None)
    return prompt_arrays([c.points[0] for c in clicks], [c.label for c in clicks], box)


def prompt_arrays(
    points: Sequence[Any], labels: Sequence[Any], box: Any, size: tuple[int, int] = (1, 1)
) -> dict[str, NDArray[Any]]:
    """Return clicks and a box as a predictor takes them: ``points``, ``labels`` and ``box``.

    Args:
        points: x and y of each click.
        labels: of each click, 1 on the object and 0 beside it.
        box: x and y of two corners, four numbers; None for no box.
        size: (W, H) that coordinates are parts of; where left out they are in pixels.
    """
    scale = np.array(size, np.float32)
    found = {} if box is None else {"box": np.array(box, np.float32) * np.tile(scale, 2)}
    if points:
        found["points"] = np.array(points, np.float32) * scale
        found["labels"] = np.array(labels, np.int32)
    return found


def frame_at(times: Sequence[float], time: float) -> int:
    """Return the frame that is shown at a time, of frames in ascending order."""
    return max(0, int(np.searchsorted(times, time + 1e-6, side="right")) - 1)
