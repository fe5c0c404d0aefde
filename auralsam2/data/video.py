"""Videos: their pictures at given times and their sound, through PyAV (FFmpeg).

Whatever reads a file raises a FileNotFoundError where there is none, a ValueError where it cannot
be decoded or has no such track, and an ImportError where PyAV is missing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from auralsam2.data.video_opening import NoSoundError, load_pyav, open_track, origin_of

OLDEST_PICTURE = 1.0
"""Seconds. Frames one second apart must not show the same picture twice."""
SEEK_MARGIN = 0.5
"""Seconds of sound decoded before a cut: decoders need some packets to get going."""


def read_frames(path: Path, times: Sequence[float]) -> list[NDArray[np.uint8]]:
    """Pictures shown at given times.

    Args:
        path: of the video.
        times: in ascending order, seconds since the beginning of the file.

    Returns:
        For each time the last picture that begins at it or before (for a time before the first
        picture, that one), (H, W, 3) RGB, upright, in the video's own size.

    Raises:
        ValueError: also where it ends more than a second before one of the times.
    """
    with open_track(path, "video") as (container, stream):
        if times[0] > OLDEST_PICTURE:
            _seek(container, times[0])
        return _pick(_pictures(container, stream), list(times), path)


def picture_times(path: Path) -> list[float]:
    """Seconds since the beginning of the file at which its pictures begin; none is decoded."""
    with open_track(path, "video") as (container, stream):
        return [begin for begin, _ in _picture_packets(container, stream, path)]


def pictures_from(path: Path, start: float) -> Iterator[tuple[float, NDArray[np.uint8]]]:
    """Yield time and picture, (H, W, 3) RGB and upright, from the last key frame before a time."""
    with open_track(path, "video") as (container, stream):
        if start > 0:
            _seek(container, start)
        for moment, picture in _pictures(container, stream):
            yield moment, _upright(picture)


class Span(NamedTuple):
    """How long the pictures of a video last, in seconds since the beginning of the file."""

    end: float  # of the last picture that is there
    stated: float | None  # the end that the file's header states; None where it states none
    pixel: Fraction  # width by height of a pixel of an upright picture, as it is to be shown


def picture_span(path: Path) -> Span:
    """Where the pictures of a file end, where its header says that they do, and their pixels."""
    with open_track(path, "video") as (container, stream):
        packets = _picture_packets(container, stream, path)
        last, length = packets[-1]
        if not length:
            length = usual_length([begin for begin, _ in packets])
        stated = _stated_end(container, stream)
        return Span(last + length, stated, _pixel(container, stream))


def usual_length(times: Sequence[float]) -> float:
    """Seconds that a picture is shown, of pictures that begin at these; 0.04 of a single one."""
    return float(np.median(np.diff(times))) if len(times) > 1 else 0.04


def _picture_packets(container: Any, stream: Any, path: Path) -> list[tuple[float, float]]:
    """When each picture begins and how long it is shown, where that is stated; in order."""
    origin = origin_of(container)
    found = sorted(
        (
            float(packet.pts * packet.time_base) - origin,
            float((packet.duration or 0) * packet.time_base),
        )
        for packet in container.demux(stream)
        if packet.pts is not None and not packet.is_discard
    )
    if not found:  # a format that states no times: those that its decoder finds
        found = [(moment, 0.0) for moment, _ in _pictures(container, stream)]
    if not found:
        raise ValueError(f"'{path}' shows no picture")
    return found


def _stated_end(container: Any, stream: Any) -> float | None:
    if stream.duration is not None:
        begin = float((stream.start_time or 0) * stream.time_base) - origin_of(container)
        return begin + float(stream.duration * stream.time_base)
    words = stream.metadata.get("DURATION", "").split(":")  # Matroska's
    if len(words) == 3:
        return sum(float(word) * unit for word, unit in zip(words, (3600, 60, 1), strict=True))
    # That of the whole file may be that of a longer sound.
    alone = container.duration is not None and not container.streams.audio
    return container.duration / 1_000_000 if alone else None


def _pixel(container: Any, stream: Any) -> Fraction:
    stated = Fraction(stream.sample_aspect_ratio or 1)
    if stated == 1:
        return stated
    _seek(container, 0.0)
    picture = next((picture for _, picture in _pictures(container, stream)), None)
    return 1 / stated if picture is not None and _turns(picture) % 2 else stated


def _pick(
    pictures: Iterator[tuple[float, Any]], times: list[float], path: Path
) -> list[NDArray[np.uint8]]:
    """Go through (time, picture) once and take the latest before each time."""
    chosen: list[tuple[float, Any]] = []
    last: tuple[float, Any] | None = None
    for moment, picture in pictures:
        while last and len(chosen) < len(times) and moment > times[len(chosen)]:
            chosen.append(last)
        last = (moment, picture)
        if len(chosen) == len(times):
            break
    if last is None:
        raise ValueError(f"'{path}' shows no picture from {times[0]:.1f} s on")
    chosen += [last] * (len(times) - len(chosen))
    pairs = zip(times, chosen, strict=True)
    stale = [time for time, (moment, _) in pairs if time - moment > OLDEST_PICTURE]
    if stale:
        raise ValueError(
            f"'{path}' shows nothing new at {stale[0]:.2f} s: its pictures end at {last[0]:.2f} s"
        )
    return [_upright(picture) for _, picture in chosen]


def _upright(picture: Any) -> NDArray[np.uint8]:
    image = np.asarray(picture.to_ndarray(format="rgb24"), dtype=np.uint8)
    return np.ascontiguousarray(np.rot90(image, _turns(picture)))


def _turns(picture: Any) -> int:
    """Quarters counterclockwise, as in np.rot90, that put a picture upright."""
    return round(getattr(picture, "rotation", 0) / 90)


def read_audio_track(
    path: Path, start: float = 0.0, seconds: float | None = None
) -> tuple[NDArray[np.float64], int]:
    """Sound of a video, full scale 1.

    Sound that sets in later than the pictures is preceded by silence, so that seconds match.

    Args:
        path: of the video, or of a sound file that FFmpeg knows.
        start: seconds since the beginning of the file.
        seconds: length; the rest of the file where None. Less is returned where the file ends.

    Returns:
        Samples (L, channels) in the track's own rate, and that rate.

    Raises:
        ValueError: also where it has no sound after ``start``.
    """
    end = float("inf") if seconds is None else start + seconds
    with open_track(path, "audio") as (container, stream):
        if start > SEEK_MARGIN:
            _seek(container, start - SEEK_MARGIN)
        rate, first = 0, 0.0
        blocks: list[NDArray[np.float32]] = []
        for moment, frequency, block in _blocks(container, stream):
            if not blocks:
                first, rate = moment, frequency
            if moment >= end:
                break
            blocks.append(block)
    samples = np.concatenate(blocks).astype(np.float64) if blocks else np.empty((0, 1))
    lead = round((first - start) * rate)
    samples = np.pad(samples, ((lead, 0), (0, 0))) if lead > 0 else samples[-lead:]
    samples = samples if seconds is None else samples[: round(seconds * rate)]
    if not len(samples):
        raise NoSoundError(f"'{path}' has no sound from {start:.1f} s on")
    return samples, rate


def stream_sound(
    path: Path, rates: Collection[int], otherwise: int
) -> Iterator[tuple[float, int, NDArray[np.float32]]]:
    """Yield the sound of a video or a sound file piece by piece, as one or two channels.

    Each piece is its time in seconds since the beginning of the file, its rate, and its samples
    (channels, n), full scale 1. A rate that is not among ``rates`` is resampled to ``otherwise``.
    """
    av = load_pyav(f"reading '{path}'")
    with open_track(path, "audio") as (container, stream):
        origin, resampler = origin_of(container), None
        for decoded in container.decode(stream):
            if resampler is None:
                layout = "mono" if decoded.layout.nb_channels == 1 else "stereo"
                rate = decoded.sample_rate if decoded.sample_rate in rates else otherwise
                resampler = av.AudioResampler(format="fltp", layout=layout, rate=rate)
            for frame in resampler.resample(decoded):
                yield (frame.time or 0.0) - origin, rate, frame.to_ndarray()


def _pictures(container: Any, stream: Any) -> Iterator[tuple[float, Any]]:
    origin = origin_of(container)
    for picture in container.decode(stream):
        if picture.time is not None:
            yield picture.time - origin, picture


def _blocks(container: Any, stream: Any) -> Iterator[tuple[float, int, NDArray[np.float32]]]:
    """(time, rate, samples (n, channels)) of a track, in order."""
    import av

    origin = origin_of(container)
    # Changes the type of samples only: integers are divided by their full scale. Rate and layout
    # stay those of the first frame, which a header may state wrongly.
    planar = av.AudioResampler(format="fltp")
    for decoded in container.decode(stream):
        for frame in planar.resample(decoded):
            samples = frame.to_ndarray().astype(np.float32, copy=False)
            yield (frame.time or 0.0) - origin, frame.sample_rate, samples.T


def _seek(container: Any, seconds: float) -> None:
    """Go to the last key frame before a time."""
    container.seek(int((seconds + origin_of(container)) * 1_000_000), backward=True)
