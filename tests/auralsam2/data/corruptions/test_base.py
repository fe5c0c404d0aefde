"""What holds of every registered corruption."""

from __future__ import annotations

from math import inf

import numpy as np
import pytest

from auralsam2.data.corruptions.base import CORRUPTIONS, Corruption, Recording, order

EVERY = pytest.mark.parametrize("name", CORRUPTIONS.names())


def of(corruption: Corruption, recording: Recording) -> object:
    pictures = np.random.default_rng(1).integers(0, 256, (3, 40, 60, 3), np.uint8)
    return list(pictures) if corruption.seen else recording


def corrupted(corruption: Corruption, clip: object, strength: float, seed: int = 0) -> np.ndarray:
    return np.asarray(corruption(clip, strength, np.random.default_rng(seed)))


@EVERY
def test_it_changes_what_it_says_and_writes_to_nothing(name: str, recording: Recording) -> None:
    corruption = CORRUPTIONS.build(dict(type=name))
    clip = of(corruption, recording)
    before = np.array(clip if corruption.seen else clip.samples)
    assert corruption.problems(corruption.usual) == []
    assert corruption.clean not in corruption.usual and corruption.title
    changes = []
    for strength in corruption.usual:
        got = corrupted(corruption, clip, strength)
        assert got.shape == before.shape and got.dtype == before.dtype
        assert np.array_equal(got, corrupted(corruption, clip, strength)), "the same draw"
        changes.append(np.abs(got - before.astype(float)).mean())
    assert min(changes) > 0
    if name != "Gain":  # whose axis goes from soft to loud
        assert np.all(np.diff(changes) > 0), changes
    now = np.array(clip if corruption.seen else clip.samples)
    assert np.array_equal(now, before), "the clip was written to"


@EVERY
def test_close_to_the_clean_strength_next_to_nothing_changes(
    name: str, recording: Recording
) -> None:
    corruption = CORRUPTIONS.build(dict(type=name))
    clip = of(corruption, recording)
    before = np.array(clip if corruption.seen else clip.samples, dtype=float)
    close = {inf: 100.0 if corruption.seen else 1e5}.get(corruption.clean, 1e-5)
    got = corrupted(corruption, clip, 120.0 if corruption.unit == " dB" and close > 1 else close)
    assert np.abs(got - before).mean() <= (6 if corruption.seen else 1e-3) * before.std()


def test_strengths_out_of_range_are_told() -> None:
    silence = CORRUPTIONS.build(dict(type="PartialSilence"))
    assert silence.problems([0.5, 1.5]) == ["PartialSilence got strength 1.5, wanted 0 to 1"]
    jpeg = CORRUPTIONS.build(dict(type="JPEGCompression"))
    assert jpeg.problems([0, 50, inf]) == ["JPEGCompression got strength 0, wanted 1 to inf"]


@pytest.mark.parametrize(
    ("name", "asked", "wanted"),
    [
        ("WhiteNoise", [0, 20, -10], [inf, 20, 0, -10]),
        ("Gain", [20, -20], [-20, 0, 20]),
        ("Delay", [2, 0.5, 0], [0, 0.5, 2]),
    ],
)
def test_an_axis_is_in_order_and_has_the_clean_strength(
    name: str, asked: list[float], wanted: list[float]
) -> None:
    assert order(CORRUPTIONS.build(dict(type=name)), asked) == wanted
