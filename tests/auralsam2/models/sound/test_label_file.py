"""Classes from a file: what is read, and what is said about files and sounds that do not fit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from auralsam2.models.sound.label_file import LabelFileClassifier


def write(path: Path, clips: Any) -> Path:
    path.write_text(json.dumps({"classes": ["guitar", "man"], "clips": clips}))
    return path


def test_probabilities_come_by_the_names_of_clips(tmp_path: Path) -> None:
    file = write(
        tmp_path / "s.json", {"a": [{"man": 0.25}, {}], "b": [{"guitar": 1}, {"man": 0.5}]}
    )
    classifier = LabelFileClassifier(file, num_classes=2)
    heard = classifier(torch.randn(2, 2, 2, 96, 64), ["b", "a"]).sigmoid()
    expected = torch.tensor([[[1, 0], [0, 0.5]], [[0, 0.25], [0, 0]]])
    torch.testing.assert_close(heard, expected, atol=1e-3, rtol=0)
    assert not list(classifier.parameters())


def test_it_refuses_a_sound_that_was_exchanged(tmp_path: Path) -> None:
    classifier = LabelFileClassifier(write(tmp_path / "s.json", {"a": [{}], "b": [{}]}), 2)
    sounds = torch.randn(2, 1, 2, 96, 64)
    classifier(sounds, ["a", "b"])
    classifier(sounds[:1], ["a"])
    with pytest.raises(ValueError, match="clip 'a' comes with another sound .* leave out splits"):
        classifier(sounds[1:], ["a"])


def test_missing_clips_and_seconds_are_named(tmp_path: Path) -> None:
    classifier = LabelFileClassifier(write(tmp_path / "s.json", {"a": [{}]}), 2)
    with pytest.raises(KeyError, match="has no clip 'b'"):
        classifier(torch.zeros(1, 1, 2, 96, 64), ["b"])
    with pytest.raises(ValueError, match="clip 'a': 1 entries for 3 frames"):
        classifier(torch.zeros(1, 3, 2, 96, 64), ["a"])


def test_a_missing_file_is_told_with_its_form_and_key(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        LabelFileClassifier(tmp_path / "no.json", 2)
    for part in ("no.json", "`model.sound_classifier.path`", '{"NAME": 0.9, ...}'):
        assert part in str(caught.value)


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        (["man"], "a second is"),
        ({"cat": 0.5}, "['cat'] are none of the file's classes"),
        ({"man": 90}, "probabilities must be from 0 to 1, got {'man': 90}"),
        ({"man": True}, "probabilities must be"),
    ],
)
def test_wrong_entries_are_named(tmp_path: Path, entry: Any, told: str) -> None:
    with pytest.raises(ValueError, match="clip 'a', second 1") as caught:
        LabelFileClassifier(write(tmp_path / "s.json", {"a": [{}, entry]}), 2)
    assert told in str(caught.value)
