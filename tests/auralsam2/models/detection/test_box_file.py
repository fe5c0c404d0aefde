"""Boxes from a file: what is read, and what is said about files that do not fit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from auralsam2.models.detection.base import NO_BOX
from auralsam2.models.detection.box_file import BoxFileDetector
from auralsam2.structures import VisualPyramid

MAPS = VisualPyramid((torch.zeros(2, 2, 8, 4, 4),))
GUITAR = {"label": "guitar", "score": 0.8, "box": [0.1, 0.2, 0.5, 0.9]}
MAN = {"label": "man", "score": 1, "box": [0, 0, 1, 1]}


def write(path: Path, clips: Any, classes: Any = ("guitar", "man")) -> Path:
    path.write_text(json.dumps({"classes": list(classes), "clips": clips}))
    return path


def test_boxes_come_by_the_names_of_clips(tmp_path: Path) -> None:
    file = write(tmp_path / "boxes.json", {"a": [[], [MAN, GUITAR]], "b": [[GUITAR], []]})
    detector = BoxFileDetector(file, num_classes=2)
    assert detector.classes == ("guitar", "man") and not list(detector.parameters())
    found = detector(MAPS, ["b", "a"])
    assert found.labels.tolist() == [
        [[0, NO_BOX], [NO_BOX, NO_BOX]],
        [[NO_BOX, NO_BOX], [1, 0]],
    ]
    torch.testing.assert_close(found.boxes[1, 1], torch.tensor([MAN["box"], GUITAR["box"]]).float())
    torch.testing.assert_close(found.scores[0, 0], torch.tensor([0.8, 0.0]))


def test_missing_clips_and_frames_are_named(tmp_path: Path) -> None:
    detector = BoxFileDetector(write(tmp_path / "b.json", {"a": [[]], "c": [[], []]}), 2)
    with pytest.raises(KeyError, match=r"has no clip 'b'; it has 2 clips, such as \['a', 'c'\]"):
        detector(MAPS, ["c", "b"])
    with pytest.raises(ValueError, match="clip 'a': 1 entries for 2 frames"):
        detector(MAPS, ["c", "a"])


def test_a_missing_file_is_told_with_its_form_and_key(tmp_path: Path) -> None:
    for found in (
        pytest.raises(FileNotFoundError, BoxFileDetector, tmp_path / "no.json", 2).value,
        BoxFileDetector.problems(str(tmp_path / "no.json"))[0],
    ):
        for part in ("no.json", "`model.detector.path`", '"classes"', '"box": [left, top'):
            assert part in str(found)
    assert BoxFileDetector.problems(write(tmp_path / "b.json", {})) == []


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ("box", "a frame is a list of"),
        ({"label": "guitar"}, "a frame is a list of"),
        ({**GUITAR, "label": "cat"}, "label 'cat' is none of the file's classes"),
        ({**GUITAR, "score": 80}, "score must be from 0 to 1, got 80"),
        ({**GUITAR, "box": [1, 2, 3]}, "box must be four numbers"),
        ({**GUITAR, "box": [10, 20, 50, 90]}, "shares from 0 to 1"),
        ({**GUITAR, "box": [0.5, 0, 0.1, 1]}, "left < right"),
    ],
)
def test_wrong_entries_are_named(tmp_path: Path, entry: Any, told: str) -> None:
    file = write(tmp_path / "b.json", {"a": [[GUITAR], [entry]]})
    with pytest.raises(ValueError, match="clip 'a', frame 1") as caught:
        BoxFileDetector(file, 2)
    assert told in str(caught.value)


def test_many_wrong_entries_are_counted(tmp_path: Path) -> None:
    file = write(tmp_path / "b.json", {"a": [[{**GUITAR, "score": 2}]] * 9})
    with pytest.raises(ValueError, match="frame 4.*; and 4 more"):
        BoxFileDetector(file, 2)
