"""Answers of a language model to the files of a method without training."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from auralsam2.models.methods.al_ref_sam2 import read_choices
from auralsam2.models.sound.label_file import LabelFileClassifier


def write(path: Path, content: object) -> str:
    path.write_text(json.dumps(content))
    return str(path)


def test_both_files_are_what_the_model_reads(tmp_path: Path, run) -> None:
    answers = {"a": "['dog': 3]", "b": "['man': 1, 'guitar': 2]"}
    seconds = {"b": [["man"], ["man", "guitar", "cat"]]}
    arguments = [write(tmp_path / "1.json", answers), "--num-frames", "3"]
    arguments += ["--boxes", write(tmp_path / "2.json", {"b": {"guitar": "[2]"}})]
    arguments += ["--seconds", write(tmp_path / "s.json", seconds)]
    told = run("read-answers", *arguments, "--out", tmp_path / "out")
    assert "set model.num_classes to 3" in told
    choices = read_choices(tmp_path / "out" / "choices.json")
    assert choices == {"a": {"dog": (3, 1)}, "b": {"man": (1, 1), "guitar": (2, 2)}}
    sounds = LabelFileClassifier(tmp_path / "out" / "sounds.json", num_classes=3)
    assert sounds.classes == ("dog", "guitar", "man")
    heard = [[int(p) for p in second] for second in sounds.entries["b"]]
    assert heard == [[0, 0, 1], [0, 1, 1], [0, 1, 1]], "cat was dropped, the last one is repeated"
    assert [s.tolist() for s in sounds.entries["a"]] == [[1, 0, 0]] * 3


def test_names_without_boxes_are_told(tmp_path: Path, run) -> None:
    answers = write(tmp_path / "1.json", {"a": "['dog': 3]"})
    detections = write(tmp_path / "boxes.json", {"classes": ["cat"], "clips": {}})
    out = str(tmp_path / "out")
    told = run("read-answers", answers, "--detections", detections, "--out", out, status=2)
    assert "has boxes of 1 classes, and the answers name 1 others" in told
    told = run("read-answers", write(tmp_path / "l.json", []), "--out", out, status=2)
    assert "must map clips to answers, got list" in told


@pytest.mark.parametrize(
    ("option", "content", "told"),
    [
        ("", {"a": ["'dog': 3"]}, "clip 'a' must have an answer, got [\"'dog': 3\"]"),
        ("--boxes", {"a": "[2]"}, "clip 'a' must have names and their answers, got '[2]'"),
        ("--boxes", {"A": {"dog": "[2]"}}, "has 1 clips without an answer: ['A']"),
        ("--seconds", {"a": ["dog"]}, "clip 'a' must have a list of names for each second, got ["),
    ],
)
def test_files_of_another_form_are_told(
    tmp_path: Path, run, option: str, content: object, told: str
) -> None:
    answers, other = write(tmp_path / "1.json", {"a": "['dog': 3]"}), write(tmp_path / "2", content)
    given = [answers, option, other] if option else [other]
    assert told in run("read-answers", *given, "--out", tmp_path / "out", status=2)
