"""Single files, decoded once: what a check asks of them."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple, cast

import numpy as np

from auralsam2.data.audio import (
    EARS,
    EXAMPLE_ROWS,
    ROWS_PER_SECOND,
    read_waveform,
)
from auralsam2.data.images import read_image
from auralsam2.data.labels import read_colours

WINDOW_SECONDS, ROUNDING = 0.025, 0.001
MAX_COLOURS = 256
"""A picture with more colours than this is no label, whatever its classes are."""

FRAMED = 0.75
"""Share of the border that few objects cover, and nearly every background does."""
RAMP = 4
"""Darker and lighter forms of one colour that a label may have."""

Colour = tuple[int, int, int]


class LabelFacts(NamedTuple):
    """What a label picture shows.

    Attributes:
        size: (H, W).
        area: share of the pixels that are not black.
        colours: RGB of each colour but black; None where there are more than ``MAX_COLOURS``.
        framed: whether what is not black covers most of the border and half of the picture.
    """

    size: tuple[int, int]
    area: float
    colours: frozenset[Colour] | None
    framed: bool


class SoundFacts(NamedTuple):
    """Length and rate of a recording, and whether it is zero throughout."""

    seconds: float
    rate: int
    silent: bool


def frame_size(path: Path) -> tuple[int, int]:
    """(H, W) of a frame that was decoded in whole."""
    height, width = read_image(path).shape[:2]
    return height, width


def label_facts(path: Path) -> LabelFacts:
    """Decode a label as the readers do, and take stock of its colours."""
    from PIL import Image

    picture = read_colours(path)
    size = picture.shape[0], picture.shape[1]
    # Counts in C; np.unique would sort every picture.
    counted = Image.fromarray(picture).getcolors(MAX_COLOURS)
    if counted is None:
        colours, black = None, size[0] * size[1] - int(np.count_nonzero(picture.any(axis=2)))
    else:
        counts = {cast(Colour, colour): count for count, colour in counted}
        black = counts.pop((0, 0, 0), 0)
        colours = frozenset(counts)
    area = 1 - black / (size[0] * size[1])
    border = np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])
    framed = float(border.any(axis=1).mean()) >= FRAMED and area > 0.5
    return LabelFacts(size, area, colours, framed)


def has_ramp(colours: frozenset[Colour]) -> bool:
    """Whether several colours are darker forms of one, as at edges that were smoothed.

    Of the PASCAL VOC palette no more than three are.
    """
    if len(colours) <= RAMP:
        return False
    lightest = np.array(max(colours, key=lambda colour: (sum(colour), colour)), float)
    others = np.array(list(colours), float)
    share = others.sum(axis=1, keepdims=True) / lightest.sum()
    return int((np.abs(others - share * lightest) <= 1).all(axis=1).sum()) > RAMP


def sound_facts(path: Path) -> SoundFacts:
    """Decode a recording in whole; an error where nothing is in the channels that are heard."""
    samples, rate = read_waveform(path)
    EARS["stereo"](samples)
    return SoundFacts(len(samples) / rate, rate, not samples.any())


def needed_seconds(num_frames: int) -> float:
    """Length of the sound that the example of the last frame ends with, without padding."""
    rows = (num_frames - 1) * ROWS_PER_SECOND + EXAMPLE_ROWS
    return (rows - 1) / ROWS_PER_SECOND + WINDOW_SECONDS - ROUNDING
