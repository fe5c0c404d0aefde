"""Cut one clip out of a video: its frames, one a second, and its sound."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from auralsam2.data.pairing import numbered
from auralsam2.data.video import read_audio_track, read_frames

INSTANTS = {"end": 0.999, "middle": 0.5, "start": 0.0}
"""Which picture of a second is its frame: the last that begins before this part of it."""
JPEG_QUALITY = 95


class Job(NamedTuple):
    """A clip to extract.

    Attributes:
        name: of the clip.
        video: file that holds it.
        start: second of the video at which it begins.
        target: its folder.
        scratch: a folder of its own on the same file system.
    """

    name: str
    video: Path
    start: float
    target: Path
    scratch: Path


def extract(job: Job, num_frames: int, frames_at: str = "end") -> bool:
    """Write ``frames/{0..T-1}.jpg`` and ``audio.wav`` of a clip where they are missing.

    Frame t is the last picture of second t, in the video's own size, as AVSBench samples the
    frame at the end of each second (Zhou et al. 2022). Sound keeps the rate and the channels of
    the video, as 16-bit integers, since resampling is the front end's; it lasts T seconds, or less
    where the track ends earlier. Frames and sound appear whole or not at all, the sound last. What
    is there is never overwritten.

    Args:
        job: what to cut.
        num_frames: T.
        frames_at: a name of ``INSTANTS``.

    Returns:
        Whether anything was written.

    Raises:
        ValueError: where the video cannot be decoded, lacks pictures of a second or has no sound
            there, or where the clip has frames, but not T.
        OSError: where the folder cannot be written.
    """
    frames, sound = job.target / "frames", job.target / "audio.wav"
    present = numbered(frames)
    if present.faults or list(present.files) not in ([], list(range(num_frames))):
        got = f"{len(present.files)} frames instead of {num_frames}, numbered from 0"
        raise ValueError(f"'{frames}' holds {got}; delete it")
    missing = {"with_frames": not present.files, "with_sound": not sound.is_file()}
    if not any(missing.values()):
        return False
    shutil.rmtree(job.scratch, ignore_errors=True)  # of a call that was killed
    job.scratch.mkdir(parents=True)
    try:
        _write(job, num_frames, frames_at, **missing)
        job.target.mkdir(parents=True, exist_ok=True)
        for place in (frames, sound):
            made = job.scratch / place.name
            if made.exists():
                os.replace(made, place)
    finally:
        shutil.rmtree(job.scratch, ignore_errors=True)
    return True


def _write(job: Job, num_frames: int, frames_at: str, with_frames: bool, with_sound: bool) -> None:
    import soundfile

    if with_frames:
        times = [job.start + t + INSTANTS[frames_at] for t in range(num_frames)]
        folder = job.scratch / "frames"
        folder.mkdir()
        for t, image in enumerate(read_frames(job.video, times)):
            _write_jpeg(folder / f"{t}.jpg", image)
    if with_sound:
        samples, rate = read_audio_track(job.video, job.start, num_frames)
        soundfile.write(job.scratch / "audio.wav", samples, rate, subtype="PCM_16")


def _write_jpeg(path: Path, image: NDArray[np.uint8]) -> None:
    from PIL import Image

    Image.fromarray(image).save(path, quality=JPEG_QUALITY)
