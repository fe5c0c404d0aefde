"""Boxes that another detector found beforehand, e.g. Grounding DINO asked for the class names."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from auralsam2.models.detection.base import NO_BOX, Detections, Detector
from auralsam2.models.prediction_file import is_number, missing_file, read_predictions
from auralsam2.registry import DETECTORS
from auralsam2.structures import VisualPyramid

ENTRY = (
    'a list of {"label": NAME, "score": 0.8, "box": [left, top, right, bottom]}, sides of the box '
    "as shares of the frame's"
)
KEY = "model.detector.path"

Box = tuple[int, float, list[float]]


@DETECTORS.register_module()
class BoxFileDetector(Detector):
    """Reads boxes from a JSON file; it learns nothing.

    The file must be of frames as the data set gives them, so that a data set of other frames, or
    of transformed ones, does not fit.

    Args:
        path: ``{"classes": [NAME, ...], "clips": {CLIP: [FRAME, ...]}}``, where ``FRAME``, one a
            frame of the clip, is a list of ``{"label": NAME, "score": 0.8, "box": [left, top,
            right, bottom]}`` with sides as shares of the frame's.
        num_classes: K, the number of the file's classes.

    Raises:
        FileNotFoundError: where there is no such file, naming its form.
        ValueError: listing what is wrong with it.
    """

    def __init__(self, path: str | os.PathLike[str], num_classes: int) -> None:
        super().__init__()
        missing = self.problems(path)
        if missing:
            raise FileNotFoundError(missing[0])
        self.file = read_predictions(path, num_classes)
        self.classes = self.file.classes
        numbers = {name: number for number, name in enumerate(self.classes)}
        self.found = self.file.read("frame", lambda entries: _boxes(entries, numbers))

    @staticmethod
    def problems(path: str | os.PathLike[str] | None = None, **_: object) -> list[str]:
        """What stands in the way of building, found without building."""
        return missing_file(path, KEY, ENTRY)

    def forward(self, pyramid: VisualPyramid, clip: Sequence[str]) -> Detections:
        """Boxes of the clips by their names.

        Raises:
            KeyError: where the file does not have a clip.
        """
        level = pyramid.levels[0]
        frames: list[list[Box]] = []
        for name in clip:
            self.file.frames(name, level.shape[1])
            frames += self.found[name]
        most = max(map(len, frames), default=0)
        boxes, scores = torch.zeros(len(frames), most, 4), torch.zeros(len(frames), most)
        labels = torch.full((len(frames), most), NO_BOX)
        for index, found in enumerate(frames):
            for place, (label, score, corners) in enumerate(found):
                labels[index, place], scores[index, place] = label, score
                boxes[index, place] = torch.tensor(corners)
        shape = (len(clip), level.shape[1])
        return Detections(*(_to(x, level, shape) for x in (boxes, labels, scores)))


def _to(values: Tensor, like: Tensor, shape: tuple[int, int]) -> Tensor:
    return values.to(like.device).unflatten(0, shape)


def _boxes(entries: Any, numbers: Mapping[str, int]) -> list[Box]:
    """The boxes of one frame.

    Raises:
        ValueError: with a line for each that is wrong.
    """
    listed = entries if isinstance(entries, list) else [entries]
    if problems := [problem for entry in listed if (problem := _problem(entry, numbers))]:
        raise ValueError("\n".join(problems))
    return [(numbers[entry["label"]], float(entry["score"]), entry["box"]) for entry in listed]


def _problem(entry: Any, numbers: Mapping[str, int]) -> str:
    if not isinstance(entry, dict) or not {"label", "score", "box"} <= set(entry):
        return f"a frame is {ENTRY}, got {entry!r:.80}"
    label, score, box = entry["label"], entry["score"], entry["box"]
    if label not in numbers:
        return f"label {label!r} is none of the file's classes"
    if not is_number(score) or not 0 <= score <= 1:
        return f"score must be from 0 to 1, got {score!r}"
    if not isinstance(box, list) or len(box) != 4 or not all(map(is_number, box)):
        return f"box must be four numbers, got {box!r:.80}"
    left, top, right, bottom = box
    if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
        return f"box must be left < right and top < bottom, shares from 0 to 1, got {box}"
    return ""
