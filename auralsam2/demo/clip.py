"""A clip as a browser can show it: its frames as JPEG, its sound as WAV and as a waveform.

Browsers play few of the formats that FFmpeg reads, turn some of them wrongly, and go to a moment
rather than to a frame. So the page never gets the file itself.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from auralsam2.data.frame_source import FrameSource, open_frames
from auralsam2.data.video import picture_span
from auralsam2.data.video_writing import NUM_BINS, GaplessSound
from auralsam2.segment.one_video import cut_short, shown_until

LONGEST_SIDE = 960
"""Pixels of a frame on the page."""
JPEG_QUALITY = 88
NUM_PEAKS = NUM_BINS // 3
"""Columns of the waveform."""


def shown_size(height: int, width: int) -> tuple[int, int]:
    """Return height and width of a frame on the page."""
    scale = min(1.0, LONGEST_SIDE / max(height, width))
    return max(1, round(height * scale)), max(1, round(width * scale))


def shrink(mask: NDArray[np.bool_], size: tuple[int, int]) -> NDArray[np.bool_]:
    """Take the nearest pixels of a mask (H, W) for the size on the page."""
    if mask.shape == size:
        return mask
    rows, columns = (
        ((np.arange(short) + 0.5) * long / short).astype(int)
        for short, long in zip(size, mask.shape, strict=True)
    )
    return mask[rows[:, None], columns]


class ShownFrames:
    """Frames of a video as files, each made the first time that it is asked for.

    Args:
        frames: of the video, for this use alone.
        folder: where the pictures go; made here.
        pixel: width by height of a pixel; on the page they are square.
    """

    def __init__(self, frames: FrameSource, folder: Path, pixel: Fraction = Fraction(1)) -> None:
        self._frames, self._folder = frames, folder
        self._lock = threading.Lock()
        height, width = frames.size
        self.size = shown_size(height, round(width * pixel))
        folder.mkdir()

    def jpeg(self, frame: int) -> Path:
        """Return the file of a frame.

        Raises:
            ValueError: where the video has no such frame, or it cannot be decoded.
        """
        import cv2

        if not 0 <= frame < len(self._frames):
            raise ValueError(f"there is no frame {frame}, the clip has {len(self._frames)}")
        path = self._folder / f"{frame:06d}.jpg"
        with self._lock:
            if not path.exists():
                picture = self._frames[frame]
                if picture.shape[:2] != self.size:
                    height, width = self.size
                    picture = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
                quality = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
                _, content = cv2.imencode(".jpg", picture[..., ::-1], quality)
                path.write_bytes(content.tobytes())
        return path

    def close(self) -> None:
        """Let go of the video."""
        with self._lock:
            self._frames.close()


@dataclass
class Sound:
    """The sound of a clip."""

    path: Path  # a WAV file
    peaks: list[float]  # the loudest sample of each column, 0 to 1
    problem: str  # why it ends early, or ""


def extract_sound(source: Path, seconds: float, target: Path) -> Sound:
    """Write the sound of a video for a browser, from its beginning and as long as its pictures.

    Args:
        source: a video with sound.
        seconds: how long its pictures last.
        target: the WAV file.

    Raises:
        ValueError: where it has no sound that can be decoded.
    """
    import soundfile

    track = GaplessSound(source, seconds)
    with soundfile.SoundFile(target, "w", track.rate, 1, "PCM_16", format="WAV") as file:
        while track.taken < track.total:
            block = track.take(min(track.taken + track.rate, track.total))
            file.write(np.clip(block.mean(axis=0), -1, 1))
    loudest = np.abs(track.waveform).max(axis=1)
    columns = loudest.reshape(NUM_PEAKS, -1).max(axis=1).clip(max=1)
    return Sound(target, columns.round(4).tolist(), track.problem)


@dataclass
class Clip:
    """A video that is shown."""

    name: str  # as its owner calls it
    source: Path
    folder: Path  # of what was made of it
    fps: float | None  # frames of a second, None for the video's own
    times: list[float]  # seconds of every frame
    seconds: float
    pixel: Fraction  # width by height, as it is to be shown
    video_size: tuple[int, int]  # (H, W)
    frames: ShownFrames
    sound: Sound | None
    notices: list[str] = field(default_factory=list)  # what its owner should know

    def to_json(self) -> dict[str, object]:
        """Return what the page has to know of it."""
        height, width = self.frames.size
        return {
            "key": self.folder.name, "name": self.name, "times": self.times,
            "fps": self.fps, "seconds": self.seconds, "width": width, "height": height,
            "peaks": self.sound.peaks if self.sound else [], "notices": self.notices,
        }  # fmt: skip


def open_clip(
    source: Path, name: str, fps: float | None, state: Mapping[str, Any], folder: Path
) -> Clip:
    """Make of a video what a browser can show.

    Args:
        source: the video.
        name: what its owner calls it.
        fps: frames of a second; the video's own where None.
        state: a predictor's of the same frames.
        folder: for the files.

    Raises:
        ValueError: where its pictures cannot be decoded.
    """
    size = (state["video_height"], state["video_width"])
    span = picture_span(source)
    frames = ShownFrames(open_frames(source, fps), folder / "frames", span.pixel)
    times = [float(time) for time in state["times"]]
    seconds = shown_until(span, times, fps)
    notices = [f"The clip breaks off: {cut}."] if (cut := cut_short(span)) else []
    try:
        sound = extract_sound(source, seconds, folder / "sound.wav")
    except ValueError as error:
        sound = None
        told = str(error).replace(str(source), name)
        notices.append(f"{told}: the masks follow your clicks alone.")
    else:
        if sound.problem:
            notices.append(f"The sound ends early: {sound.problem.replace(str(source), name)}.")
    outline = (times, seconds, span.pixel, size)
    return Clip(name, source, folder, fps, *outline, frames, sound, notices)
