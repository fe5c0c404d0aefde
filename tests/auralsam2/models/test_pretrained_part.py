"""What is said about folders and names that are not there, or are others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from auralsam2.models.pretrained_part import class_names
from auralsam2.models.sound.taggers import ASTTagger
from tests.auralsam2.models.tiny_pretrained import ast


def test_names_of_a_file_or_a_list(tmp_path: Path) -> None:
    path = tmp_path / "label2idx.json"
    path.write_text(json.dumps({"background": 0, "man": 2, "guitar": 1}))
    assert class_names(path) == class_names(["guitar", "man"]) == ("guitar", "man")
    path.write_text('["b", "a"]')
    assert class_names(str(path)) == ("b", "a")
    path.write_text("3")
    with pytest.raises(ValueError, match="holds no names of classes"):
        class_names(path)


def test_a_missing_folder_names_file_source_and_key(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        ASTTagger(2, weights=tmp_path / "none", classes=tmp_path / "none.json")
    folder, names = str(caught.value).split("\n")
    for part in ("no config.json there", "https://huggingface.co/MIT/ast-finetuned"):
        assert part in folder
    assert folder.endswith("set `model.sound_classifier.weights` to its path")
    assert "`model.sound_classifier.classes`" in names and "label2idx.json" in names
    assert ASTTagger.problems(ast(tmp_path), ["man"]) == []


def test_other_numbers_and_damaged_files(tmp_path: Path) -> None:
    folder = ast(tmp_path)
    with pytest.raises(ValueError, match="classes are 2 names, but model.num_classes is 3"):
        ASTTagger(3, weights=folder, classes=["man", "cat"])
    with pytest.raises(ValueError, match="unknown label 'mann'; did you mean 'man'"):
        ASTTagger(1, weights=folder, classes=["mann"])
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(ValueError, match="ASTTagger: "):
        ASTTagger(1, weights=folder, classes=["man"])
