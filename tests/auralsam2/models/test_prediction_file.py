"""Files of other models' answers: everything wrong with their frame is told at once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from auralsam2.models.prediction_file import read_predictions


def test_what_is_read(tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    path.write_text(json.dumps({"classes": ["b", "a"], "clips": {"x": [[], []]}, "made_by": "me"}))
    file = read_predictions(path, 2)
    assert file.classes == ("b", "a") and file.frames("x", 2) == [[], []]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("[", ["is no JSON"]),
        ("[]", ["must be an object with the keys classes and clips, got list"]),
        ("{}", ["'classes' must be a list of names", "'clips' must map names"]),
        ('{"classes": ["a", "a"], "clips": {"x": 1}}', ["a class twice", "'clips' must map names"]),
        ('{"classes": ["a"], "clips": {}}', ["names 1, but model.num_classes is 2"]),
    ],
)
def test_what_is_refused(tmp_path: Path, content: str, told: list[Any]) -> None:
    path = tmp_path / "p.json"
    path.write_text(content)
    with pytest.raises(ValueError, match="p.json") as caught:
        read_predictions(path, 2)
    assert all(part in str(caught.value) for part in told)
