"""Sound files of any common kind, decoded to samples in [-1, 1]."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from auralsam2.file_kinds import misplaced

HIGHEST_SAMPLE = 1.5
"""Of a float file. Lossy codecs and resampling overshoot 1 by a little; integers written as
floats overshoot it by thousands."""

LONGEST_HEADER = 1024
"""Bytes; what is longer and has no samples lacks their number."""
STREAM = 2**31 - 2**16
"""Lengths from here on, and 0, stand in RIFF headers for one that was not known yet."""
OWN_SUFFIXES = (".wav", ".flac")
"""Read by libsndfile or not at all: FFmpeg finds some sound in almost any damaged file."""


def read_waveform(path: str | os.PathLike[str]) -> tuple[NDArray[np.float64], int]:
    """Read a sound file, or the sound of a video.

    libsndfile reads wav, flac, mp3, ogg and aiff; FFmpeg (PyAV, the extra ``video``) reads what
    it does not know, such as the audio track of an mp4.

    Full scale is 1, whatever a file stores: integers of b bits are divided by 2 ** (b - 1), so
    16 bits by 32768; floats stay as they are. A float file that goes beyond 1.5 is refused:
    its samples are most likely integers that nobody divided, and its log-mels would be too loud
    by ln 32768 = 10.4 in every band. Floats between 1 and 1.5 are kept and not clipped.

    Returns:
        Samples (L, channels) in [-1, 1], and the sample rate.

    Raises:
        FileNotFoundError: where there is no such file.
        ValueError: where it cannot be decoded, is cut short, holds no sample, samples that are
            no numbers, or floats in the range of integers.
        ImportError: where FFmpeg is needed and PyAV is missing.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no sound file at '{path}'")
    samples, rate = _decode(path)
    _refuse_cut(path)
    if not len(samples):
        raise ValueError(f"'{path}' holds no samples{_unstated(path)}")
    loudest = float(np.abs(samples).max())
    if not np.isfinite(loudest):
        raise ValueError(f"'{path}' holds samples that are no numbers")
    if loudest > HIGHEST_SAMPLE:
        raise ValueError(
            f"'{path}' holds float samples up to {loudest:.6g}, where full scale is 1: they look "
            "like integers that were written as floats. Divide them by full scale (32768 for 16 "
            "bits), or write them as integers (soundfile.write with subtype='PCM_16')"
        )
    return samples, rate


def _unstated(path: Path) -> str:
    """What to do where a file is longer than its header, in which a stream has no length yet."""
    if path.stat().st_size <= LONGEST_HEADER:
        return ""
    return (
        "; its header states no length, as that of a stream, and more follows: write it again, "
        "e.g. with ffmpeg -i IN.wav OUT.wav"
    )


def _refuse_cut(path: Path) -> None:
    """Refuse a wav that is shorter than its header states: libsndfile reads what is there."""
    with path.open("rb") as file:
        head, size = file.read(12), file.seek(0, os.SEEK_END)
    stated = 8 + int.from_bytes(head[4:8], "little")
    if head.startswith(b"RIFF") and size + LONGEST_HEADER < stated < STREAM:
        raise ValueError(f"'{path}' is cut short: {size} of {stated} bytes")


def _decode(path: Path) -> tuple[NDArray[np.float64], int]:
    import soundfile

    try:
        samples, rate = soundfile.read(path, dtype="float64", always_2d=True)
        return samples, int(rate)
    except soundfile.SoundFileError as error:
        kind = misplaced(path)
        if kind or path.suffix.lower() in OWN_SUFFIXES:
            reason = f"it is {kind}" if kind else str(error)
            raise ValueError(f"cannot decode '{path}': {reason}") from error
    from auralsam2.data.video import read_audio_track

    return read_audio_track(path)
