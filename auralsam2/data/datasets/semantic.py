"""AVSBench's 71 classes: names, numbers and the colours that stand for them in label pictures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from auralsam2.data.labels import read_colours
from auralsam2.data.problems import SHOWN, DataError
from auralsam2.file_kinds import misplaced
from auralsam2.messages import first_of
from auralsam2.structures import UNLABELLED

FILE_NAME = "label2idx.json"


def class_colours(num_classes: int) -> NDArray[np.uint8]:
    """The first colours of the PASCAL VOC palette, which AVSBench uses: (K, 3) RGB, black first.

    Bits 0, 3, 6 of the number give the highest bits of red, bits 1, 4, 7 those of green and bits
    2, 5 those of blue.
    """
    numbers = np.arange(num_classes)[:, None]
    channels = np.arange(3)
    colours = np.zeros((num_classes, 3), np.int64)
    for step in range(8):
        colours |= ((numbers >> (3 * step + channels)) & 1) << (7 - step)
    return colours.astype(np.uint8)


class ClassNumbersError(DataError):
    """A class list whose numbers are not 0, 1, 2, ...: colours cannot be told from it."""


class ClassMap(NamedTuple):
    """Names of the classes in order of their numbers, background first, and their (K, 3) RGB."""

    names: tuple[str, ...]
    colours: NDArray[np.uint8]

    def read(self, path: Path) -> NDArray[np.uint8]:
        """Decode a label picture to (H, W) numbers of classes.

        Raises:
            DataError: where it cannot be decoded or has a colour of no class; all are listed.
        """
        codes = _codes(read_colours(path))
        known = _codes(self.colours)
        order = np.argsort(known)
        at = np.searchsorted(known[order], codes).clip(max=len(known) - 1)
        found = order[at]
        unknown = np.unique(codes[known[found] != codes])
        if unknown.size:
            colours = [(c >> 16, c >> 8 & 255, c & 255) for c in unknown.tolist()]
            raise DataError(
                f"'{path}' has colours of no class: RGB {first_of(colours, SHOWN)}; the "
                f"{len(self.names)} classes of '{FILE_NAME}' have those of the PASCAL VOC palette"
            )
        return np.asarray(found, dtype=np.uint8)


def read_class_map(root: Path) -> ClassMap:
    """The classes of a data set.

    Args:
        root: folder that holds ``label2idx.json``: name -> number, the background being 0.

    Raises:
        FileNotFoundError: where there is no such file.
        DataError: where the numbers are not 0, 1, ..., K - 1 with K at most 255.
    """
    path = root / FILE_NAME
    if not path.is_file():
        raise FileNotFoundError(
            f"no '{path}'; semantic=True needs it: AVSBench's semantic release has it beside "
            "'metadata.csv'. Leave semantic out for class-agnostic masks alone"
        )
    try:
        numbers = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        kind = misplaced(path)
        reason = f"it is {kind}" if kind else str(error)
        raise DataError(f"'{path}' is no JSON: {reason}") from error
    wanted = list(range(len(numbers)))
    if not isinstance(numbers, dict) or not numbers or len(numbers) > UNLABELLED:
        raise DataError(f"'{path}' must map 1 to {UNLABELLED} names to their numbers")
    if sorted(numbers.values(), key=str) != sorted(wanted, key=str):
        listed = ", ".join(map(str, list(numbers.values())[:3]))
        raise ClassNumbersError(
            f"'{path}' must number its {len(numbers)} classes 0, 1, 2, ..., each once; it begins "
            f"with {listed}"
        )
    return ClassMap(tuple(sorted(numbers, key=numbers.__getitem__)), class_colours(len(numbers)))


def _codes(colours: NDArray[np.uint8]) -> NDArray[np.int64]:
    """(..., 3) RGB -> one number a colour."""
    red, green, blue = np.moveaxis(colours.astype(np.int64), -1, 0)
    return np.asarray(red << 16 | green << 8 | blue)
