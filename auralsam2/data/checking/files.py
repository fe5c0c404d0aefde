"""Single files: decoded once, with their digest and what a check asks of them."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import NamedTuple, cast

import numpy as np

from auralsam2.data.audio import EXAMPLE_ROWS, ROWS_PER_SECOND, read_waveform
from auralsam2.data.images import read_image

WINDOW_SECONDS = 0.025
"""Of the log-mel spectrogram: its last row needs so much sound."""
ROUNDING = 0.001
MAX_COLOURS = 256
"""A picture with more colours than this is no label, whatever its classes are."""

Colour = tuple[int, int, int]


class LabelFacts(NamedTuple):
    """What a label picture shows.

    Attributes:
        size: (H, W).
        area: share of the pixels that are not black.
        colours: RGB of each colour but black; None where there are more than ``MAX_COLOURS``.
    """

    size: tuple[int, int]
    area: float
    colours: frozenset[Colour] | None


class SoundFacts(NamedTuple):
    """Length and rate of a recording."""

    seconds: float
    rate: int


def digest(path: Path) -> bytes:
    """SHA-256 of a file's content."""
    return hashlib.sha256(path.read_bytes()).digest()


def frame_size(path: Path) -> tuple[int, int]:
    """(H, W) of a frame that was decoded in whole.

    Raises:
        DataError: where it cannot be decoded.
    """
    height, width = read_image(path).shape[:2]
    return height, width


def label_facts(path: Path) -> LabelFacts:
    """Decode a label as the readers do, and take stock of its colours.

    Raises:
        DataError: where it cannot be decoded.
    """
    from PIL import Image

    picture = read_image(path)
    height, width = picture.shape[:2]
    # Counts in C; np.unique would sort every picture.
    counted = Image.fromarray(picture).getcolors(MAX_COLOURS)
    if counted is None:
        shown = int(np.count_nonzero(picture.any(axis=2)))
        return LabelFacts((height, width), shown / (height * width), None)
    counts = {cast(Colour, colour): count for count, colour in counted}
    black = counts.pop((0, 0, 0), 0)
    return LabelFacts((height, width), 1 - black / (height * width), frozenset(counts))


def sound_facts(path: Path) -> SoundFacts:
    """Decode a recording in whole.

    Raises:
        ValueError: where it cannot be decoded, is empty or holds samples that are no numbers.
    """
    samples, rate = read_waveform(path)
    if not np.isfinite(samples).all():
        raise ValueError(f"'{path}' holds samples that are no numbers")
    return SoundFacts(len(samples) / rate, rate)


def needed_seconds(num_frames: int) -> float:
    """Length of the sound that the example of the last frame ends with, without padding."""
    rows = (num_frames - 1) * ROWS_PER_SECOND + EXAMPLE_ROWS
    return (rows - 1) / ROWS_PER_SECOND + WINDOW_SECONDS - ROUNDING
