from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from auralsam2.data.datasets.avsbench import AVSBenchDataset
from auralsam2.data.synthetic.scene import render, sample_scene
from auralsam2.data.synthetic.writer import Plan, write_clips
from auralsam2.engine.guesses import EVERY_OBJECT, score_guesses


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_clips(tmp_path / "clips", Plan("v1m", (1, 1, 3), seed=2, size=32))
    return tmp_path / "clips"


def score(guess: np.ndarray, truth: np.ndarray) -> float:
    """J of one frame, in plain words."""
    if not truth.any():
        return float(1 - guess.mean())
    return float((guess & truth).sum() / (guess | truth).sum())


def test_scores_are_those_of_the_definition(root: Path) -> None:
    dataset = AVSBenchDataset(str(root), split="test", image_size=16)
    expected: dict[str, list[list[float]]] = {}
    for index, item in enumerate(dataset, start=2):
        truth = item["native_masks"].numpy().astype(bool)
        visible = render(sample_scene(np.random.default_rng([2, index])), 32)[1].any(axis=1)
        guesses = {
            "nothing": np.zeros_like(truth),
            "whole frame": np.ones_like(truth),
            "ever sounding": np.broadcast_to(truth.any(axis=0), truth.shape),
            EVERY_OBJECT: visible,
        }
        for name, guess in guesses.items():
            frames = [score(guess[t], truth[t]) for t in range(5)]
            expected.setdefault(name, []).append(frames)
    found = score_guesses(root)
    assert found.keys() == expected.keys()
    for name, value in found.items():
        assert value == pytest.approx(np.mean(expected[name]), abs=1e-6)


def test_nothing_scores_the_share_of_silence(root: Path) -> None:
    for path in (root / "v1m").glob("*/labels_rgb/*.png"):
        label = np.zeros((32, 32, 3), np.uint8)
        label[:8] = 0 if path.stem in "01" else 64  # two of five frames are silent
        cv2.imwrite(str(path), label)
    (root / "synthetic.json").unlink()  # as of recorded clips, whose objects are not known
    assert score_guesses(root) == pytest.approx(
        {"nothing": 0.4, "whole frame": 0.15, "ever sounding": 0.4 * 0.75 + 0.6}, abs=1e-6
    )


def test_edited_clips_are_not_taken_for_the_seeds(root: Path) -> None:
    path = root / "v1m" / "clip00003_s2" / "labels_rgb" / "0.png"
    cv2.imwrite(str(path), np.full((32, 32, 3), 9, np.uint8))
    with pytest.raises(ValueError, match="'clip00003_s2' of .* is not what its seed gives"):
        score_guesses(root)


def test_another_generator_is_refused(root: Path) -> None:
    truth = json.loads((root / "synthetic.json").read_text())
    truth["settings"]["generator"] = 0
    (root / "synthetic.json").write_text(json.dumps(truth))
    with pytest.raises(ValueError, match="version 0 of the generator.*make-synthetic"):
        score_guesses(root)
