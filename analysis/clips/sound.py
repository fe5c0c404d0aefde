"""The sound of a clip as a small file that browsers play."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np

MEDIA_TYPE = "audio/flac"


def encode_sound(path: Path, seconds: float) -> bytes:
    """Return what a model hears of a recording, without loss: FLAC, mono, 16 kHz.

    Args:
        path: of any sound file, or a video.
        seconds: from the beginning; the rest is left out.

    Raises:
        FileNotFoundError: where there is no such file.
        ValueError: where it cannot be decoded.
    """
    import soundfile

    from auralsam2.data.audio import RESAMPLERS, SAMPLE_RATE, read_waveform

    samples, rate = read_waveform(path)
    mono = samples.mean(axis=1)[: round(seconds * rate)]
    if rate != SAMPLE_RATE:
        mono = RESAMPLERS["published"](mono, rate)
    file = io.BytesIO()
    soundfile.write(file, np.clip(mono, -1, 1), SAMPLE_RATE, format="FLAC", subtype="PCM_16")
    return file.getvalue()
