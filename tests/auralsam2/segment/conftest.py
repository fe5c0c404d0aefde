"""Videos of every odd kind, made with PyAV: a bright square that moves, and a tone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from auralsam2.data.images import Resizing
from auralsam2.predictor import AuralSAM2VideoPredictor
from auralsam2.predictor.trained import Trained

CODECS = {".webm": ("libvpx-vp9", "libopus"), ".wav": (None, "pcm_s16le")}


@pytest.fixture
def make_video() -> Callable[..., Path]:
    """Write a video; see `_make_video`."""
    return _make_video


def _make_video(
    path: Path,
    times: Sequence[float] = (0.0, 0.2, 0.4, 0.6, 0.8),
    end: float = 1.0,
    size: tuple[int, int] = (64, 96),
    *,
    sound: tuple[float, float] | None = (0.0, 1.0),
    rate: int = 48_000,
    layout: str = "stereo",
    rotation: float = 0,
    pixel: Fraction = Fraction(1),
    fast_start: bool = False,
) -> Path:
    """Pictures at ``times``, the last one until ``end``; a tone between two seconds.

    Picture t has the grey level 40 + 10 t, and a white square in its corner left at the top.
    """
    av = pytest.importorskip("av", reason="PyAV (extra 'video') is not installed")
    path.parent.mkdir(parents=True, exist_ok=True)
    pictures, sounds = CODECS.get(path.suffix, ("libx264", "aac"))
    clock = Fraction(1, 60_000)
    options = {"movflags": "faststart"} if fast_start else {}
    with av.open(str(path), "w", options=options) as container:
        if pictures:
            video = container.add_stream(pictures, rate=25)
            video.height, video.width, video.pix_fmt = *size, "yuv444p"
            video.time_base = video.codec_context.time_base = clock
            video.codec_context.sample_aspect_ratio = pixel
            if rotation:
                video.set_display_rotation(rotation)
        track = container.add_stream(sounds, rate=rate, layout=layout) if sound else None
        if pictures:
            begins = [round(time / clock) for time in (*times, end)]
            for number, begin in enumerate(begins[:-1]):
                picture = np.full((*size, 3), min(40 + 10 * number, 200), np.uint8)
                picture[: size[0] // 4, : size[1] // 4] = 255
                frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
                frame.pts, frame.time_base = begin, clock
                _mux(container, video.encode(frame), begins)
            _mux(container, video.encode(None), begins)
        if track is not None:
            begin, stop = sound
            tone = 0.4 * np.sin(2 * np.pi * 440 * np.arange(round((stop - begin) * rate)) / rate)
            ears = np.stack([tone] * track.codec_context.layout.nb_channels)
            block = av.AudioFrame.from_ndarray(ears.astype(np.float32), "fltp", layout)
            block.sample_rate, block.time_base = rate, Fraction(1, rate)
            block.pts = round(begin * rate)
            for piece in av.AudioResampler(track.format.name, layout, rate).resample(block):
                container.mux(track.encode(piece))
            container.mux(track.encode(None))
    return path


def _mux(container, packets, begins) -> None:
    for packet in packets:
        if packet.pts in begins[:-1]:
            packet.duration = begins[begins.index(packet.pts) + 1] - packet.pts
        container.mux(packet)


@pytest.fixture(scope="session")
def predictor(build_mini: Callable[..., Any]) -> AuralSAM2VideoPredictor:
    return AuralSAM2VideoPredictor(Trained(build_mini("auralsam2/mini_v1m"), Resizing(128)))
