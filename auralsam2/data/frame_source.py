"""Frames of a video one by one: a file, a folder of pictures, or pictures in memory."""

from __future__ import annotations

import math
import os
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from auralsam2.data.images import read_image
from auralsam2.data.pairing import FRAME_SUFFIXES, numbered
from auralsam2.data.video import OLDEST_PICTURE, picture_times, pictures_from, usual_length

Picture = NDArray[np.uint8]

PICTURES_A_SECOND = 1.0
"""Of what states no rate, as the benchmarks' clips have it."""
HIGHEST_RATE = 1000
"""Frames a second. A slip of the hand should not ask for a list that fills the memory."""
RECENT = 2**23
"""Bytes of decoded pictures that a video file keeps, for readers that go backwards."""
JUMP = 5.0
"""Seconds that are rather decoded than jumped over."""
SAME = 1e-4
"""Seconds by which two statements of one picture's time may differ."""


class FrameSource(ABC):
    """Frames in order of time; never all of them in memory unless they came from there.

    Attributes:
        name: in errors.
        path: of the file that may have a sound track; ``None`` of pictures.
        times: seconds since the beginning at which every frame begins, ascending.
        size: (H, W) of every frame.
    """

    name: str
    path: Path | None = None
    times: Sequence[float]
    size: tuple[int, int]

    def __len__(self) -> int:
        return len(self.times)

    @abstractmethod
    def __getitem__(self, index: int) -> Picture:
        """(H, W, 3) RGB, upright.

        Raises:
            ValueError: where it cannot be read, or has another size than the first.
        """

    def close(self) -> None:  # noqa: B027  (there need not be any)
        """Let go of open files."""

    def _checked(self, index: int, picture: Picture) -> Picture:
        if picture.shape[:2] != self.size:
            raise ValueError(
                f"{self.name}: frame {index} has {picture.shape[1]} x {picture.shape[0]} px, the "
                f"first one {self.size[1]} x {self.size[0]}"
            )
        return picture


class PictureSequence(FrameSource):
    """(H, W, 3) uint8 RGB arrays at ``fps`` pictures a second.

    Raises:
        ValueError: naming the first that is no such array, or where there is none.
    """

    def __init__(self, pictures: Sequence[Picture], fps: float | None = None) -> None:
        self.name, self._pictures = "the pictures", pictures
        if not len(pictures):
            raise ValueError("the video has no pictures: an empty sequence")
        self.size = self._array(0).shape[:2]
        self.times = _regular(len(pictures), fps)

    def __getitem__(self, index: int) -> Picture:
        return self._checked(index, self._array(index))

    def _array(self, index: int) -> Picture:
        picture = np.asarray(self._pictures[index])
        if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
            raise ValueError(
                f"picture {index} has shape {picture.shape} and type {picture.dtype}; "
                "wanted (H, W, 3) of uint8, RGB"
            )
        return picture


class PictureFolder(FrameSource):
    """Pictures of a folder by the number at the end of their names, ``fps`` of them a second.

    Raises:
        ValueError: where there is none, or names have no number or the same.
    """

    def __init__(self, folder: Path, fps: float | None = None) -> None:
        self.name = f"'{folder}'"
        found = numbered(folder)
        if found.faults:
            raise ValueError(f"{self.name}: {found.faults[0]}")
        self._files = list(found.files.values())
        if not self._files:
            raise ValueError(
                f"no pictures in {self.name}: wanted {', '.join(FRAME_SUFFIXES)} named by number"
            )
        self.times = _regular(len(self._files), fps)
        self.size = read_image(self._files[0]).shape[:2]

    def __getitem__(self, index: int) -> Picture:
        return self._checked(index, read_image(self._files[index]))


class VideoFile(FrameSource):
    """Pictures of a video file: all of them, or those that are shown ``fps`` times a second.

    Frames are decoded when they are asked for, quickest in ascending order.

    Args:
        path: of the video.
        fps: frames a second, regular from 0 s on; ``None`` takes every picture at its own time, so
            that a variable rate stays one.

    Raises:
        FileNotFoundError: where there is no such file.
        ValueError: where it cannot be decoded or has no pictures.
        ImportError: where PyAV is missing.
    """

    path: Path

    def __init__(self, path: Path, fps: float | None = None) -> None:
        self.name, self.path = f"'{path}'", path
        starts = np.asarray(picture_times(path))
        if fps is None:
            self.times, self._starts = starts.tolist(), starts
        else:
            length = starts[-1] + usual_length(starts)
            self.times = _regular(max(1, math.ceil(length * fps - SAME)), fps)
            shown = np.searchsorted(starts, np.asarray(self.times) + SAME, side="right") - 1
            self._starts = starts[np.maximum(shown, 0)]
        self._reader: Iterator[tuple[float, Picture]] | None = None
        self._recent: OrderedDict[float, Picture] = OrderedDict()
        self.size = self._at(float(self._starts[0])).shape[:2]

    def __getitem__(self, index: int) -> Picture:
        return self._checked(index, self._at(float(self._starts[index])))

    def close(self) -> None:
        """Close the file; it is opened again where a frame is asked for."""
        self._reader = None
        self._recent.clear()

    def _at(self, start: float) -> Picture:
        """The picture that begins at a time, or the last one before where it is not there."""
        last = next(reversed(self._recent), -math.inf)
        kept = next((t for t in self._recent if abs(t - start) < SAME), None)
        if kept is not None:
            return self._recent[kept]
        if self._reader is None or not last < start < last + JUMP:
            self.close()
            self._reader = pictures_from(self.path, start)
        for moment, picture in self._reader:
            self._keep(moment, picture)
            if moment > start - SAME:
                break
        return self._nearest(start)

    def _keep(self, moment: float, picture: Picture) -> None:
        self._recent[moment] = picture
        while len(self._recent) > max(2, RECENT // picture.nbytes):
            self._recent.popitem(last=False)

    def _nearest(self, start: float) -> Picture:
        before = [t for t in self._recent if t < start + SAME] or list(self._recent)[:1]
        if not before or start - before[-1] > OLDEST_PICTURE:
            raise ValueError(f"{self.name} cannot be decoded at {start:.2f} s")
        return self._recent[before[-1]]


def open_frames(
    video: str | os.PathLike[str] | Sequence[Picture], fps: float | None = None
) -> FrameSource:
    """Frames of a file, of a folder of pictures named by number, or of arrays (H, W, 3).

    Args:
        video: one of these.
        fps: frames a second; ``None`` is a file's own rate, and one a second of all else.

    Raises:
        FileNotFoundError: where there is no such file.
        ValueError: where it cannot be read as a video, or ``fps`` is no number above 0, up to 1000.
        ImportError: where PyAV is missing.
    """
    if fps is not None and not 0 < fps <= HIGHEST_RATE:
        raise ValueError(f"fps must be a number above 0, of at most {HIGHEST_RATE}, got {fps=}")
    if not isinstance(video, (str, os.PathLike)):
        return PictureSequence(video, fps)
    path = Path(os.path.expanduser(video))
    return PictureFolder(path, fps) if path.is_dir() else VideoFile(path, fps)


def _regular(count: int, fps: float | None) -> list[float]:
    return [i / (fps or PICTURES_A_SECOND) for i in range(count)]
