"""Boxes that another detector found beforehand, e.g. Grounding DINO asked for the class names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from auralsam2.models.detection.base import Detections, Detector, padded
from auralsam2.models.prediction_file import FilePart, is_number
from auralsam2.registry import DETECTORS
from auralsam2.structures import VisualPyramid

Box = tuple[int, float, list[float]]


@DETECTORS.register_module()
class BoxFileDetector(FilePart, Detector):
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

    config_key = "model.detector.path"
    entry_form = (
        'a list of {"label": NAME, "score": 0.8, "box": [left, top, right, bottom]}, sides of the '
        "box as shares of the frame's"
    )
    entry_name = "frame"

    def forward(
        self,
        pyramid: VisualPyramid,
        clip: Sequence[str],
        frames: object = None,
        heard: object = None,
    ) -> Detections:
        """Boxes of the clips by their names.

        Raises:
            KeyError: where the file does not have a clip.
        """
        level = pyramid.levels[0]
        frames: list[list[Box]] = []
        for name in clip:
            self.file.frames(name, level.shape[1])
            frames += self.entries[name]
        found = [(frame, *box) for frame, boxes in enumerate(frames) for box in boxes]
        frame, label, score, corners = zip(*found, strict=True) if found else ((),) * 4
        return padded(
            torch.tensor(corners, device=level.device).view(-1, 4),
            torch.tensor(label, dtype=torch.long, device=level.device),
            torch.tensor(score, device=level.device),
            torch.tensor(frame, dtype=torch.long, device=level.device),
            shape=(len(clip), level.shape[1]),
            most=len(found),
        )

    def read_entry(self, entry: Any, numbers: Mapping[str, int]) -> list[Box]:
        """The boxes of one frame."""
        listed = entry if isinstance(entry, list) else [entry]
        if problems := [problem for one in listed if (problem := self._problem(one, numbers))]:
            raise ValueError("\n".join(problems))
        return [(numbers[one["label"]], float(one["score"]), one["box"]) for one in listed]

    def _problem(self, entry: Any, numbers: Mapping[str, int]) -> str:
        if not isinstance(entry, dict) or not {"label", "score", "box"} <= set(entry):
            return f"a frame is {self.entry_form}, got {entry!r:.80}"
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
