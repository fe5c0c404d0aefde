"""Decoded frames kept on disk, so that other runs and processes map them into memory."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import struct
import time
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from auralsam2.kept_digests import YOUNG, stamp
from auralsam2.kept_files import keep

DECODING = 1
"""Version; raise it whenever the same files give other pixels, so that entries are left behind."""
MAGIC = b"auralsam2 frames 1\n"
_SHAPE = struct.Struct("<6q")  # T and the three axes behind it, then height and width in the files
OFFSET = 128
"""Bytes before the pixels."""

Clip = tuple[Path, ...]


class Frames(NamedTuple):
    """Pictures of a clip."""

    pixels: NDArray[np.uint8]  # (T, 3, S, S) resized, or (T, H, W, 3) as in the files
    size: tuple[int, int]  # (H, W) of the first one in its file


class KeptFrames:
    """Frames of clips, each decoded once.

    An entry belongs to the paths of the files, their sizes and times (as
    :mod:`auralsam2.kept_digests` compares them), to what is done with the pictures and to the
    versions of OpenCV and Pillow. Processes may share a folder, and the memory of what they read.
    Entries of another length than they state are made anew; their bytes are trusted.

    Args:
        folder: made where it does not exist.
        how: what the pixels hang on besides the files, as JSON has it.
    """

    def __init__(self, folder: str | os.PathLike[str], how: Sequence[object]) -> None:
        import cv2
        import PIL  # reads how a picture was held, and resizes where that is bicubic

        self.folder = Path(os.path.expanduser(folder))
        self.how = [DECODING, cv2.__version__, PIL.__version__, *how]

    def frames(self, files: Clip, decode: Callable[[], Frames]) -> Frames:
        """Frames of a clip, those of ``decode`` to the bit, which is called where none are kept.

        Raises:
            OSError: where a file is missing.
        """
        stamps = [stamp(path) for path in files]
        entry = self._entry(files, stamps)
        found = _mapped(entry)
        if found is None:
            now, found = time.time_ns(), decode()
            if max(max(times) for _, *times in stamps) < now - YOUNG:
                keep(entry, _encoded(found))
        return found

    def check_room(self, clips: Collection[Clip], bytes_a_frame: int, title: str) -> None:
        """Refuse a folder that will not hold the frames of some clips.

        Args:
            clips: files of the frames of each.
            bytes_a_frame: of its pixels.
            title: what the clips are, for the error.

        Raises:
            ValueError: telling how much there is and how much is wanted.
        """
        there = next(
            path for path in (self.folder, *self.folder.absolute().parents) if path.exists()
        )
        free = shutil.disk_usage(there).free
        wanted = sum(len(files) for files in clips) * bytes_a_frame
        if wanted > free:  # some may be there; looking takes a moment
            lacking = [f for f in clips if not self._entry(f, [stamp(path) for path in f]).exists()]
            wanted = sum(len(files) for files in lacking) * bytes_a_frame
        if wanted > free:
            raise ValueError(
                f"data.keep_decoded='{self.folder}' has {free / 1e9:.1f} GB free, and the frames "
                f"of {title} ({len(clips)} clips) take {wanted / 1e9:.1f} GB more: take a folder "
                "on a larger disk, a smaller data.image_size, or leave the setting out"
            )

    def _entry(self, files: Clip, stamps: Sequence[tuple[int, int, int]]) -> Path:
        paths = [os.path.abspath(path) for path in files]
        key = json.dumps([self.how, paths, stamps])
        name = hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()
        return self.folder / "frames" / name[:2] / f"{name}.frames"


def _encoded(frames: Frames) -> bytes:
    header = MAGIC + _SHAPE.pack(*frames.pixels.shape, *frames.size)
    return header.ljust(OFFSET, b"\0") + np.ascontiguousarray(frames.pixels).tobytes()


def _mapped(entry: Path) -> Frames | None:
    """An entry's frames in memory that is read when it is looked at; None where it is not whole.

    Writing to them changes no file.
    """
    try:
        with entry.open("rb") as file:
            header = file.read(OFFSET)
            if len(header) < OFFSET or not header.startswith(MAGIC):
                return None
            *shape, height, width = _SHAPE.unpack_from(header, len(MAGIC))
            if os.fstat(file.fileno()).st_size != OFFSET + int(np.prod(shape)):
                return None
            pixels = np.memmap(file, np.uint8, "c", OFFSET, tuple(shape))
    except (OSError, ValueError):
        return None
    return Frames(np.asarray(pixels), (height, width))
