"""Videos: their pictures at given times and their sound, through PyAV (FFmpeg)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

INSTALL = "pip install 'auralsam2[video]'"
OLDEST_PICTURE = 1.0
"""Seconds. Frames one second apart must not show the same picture twice."""
CONTAINERS = ("mov", "mp4", "matroska", "webm", "avi", "mpegts")
"""FFmpeg's names of the formats that `check_container` lets through."""
SEEK_MARGIN = 0.5
"""Seconds of sound decoded before a cut: decoders need some packets to get going."""


class NoSoundError(ValueError):
    """A video or a sound file without sound, or without any in a part of it."""


def read_frames(path: Path, times: Sequence[float]) -> list[NDArray[np.uint8]]:
    """Pictures shown at given times.

    Args:
        path: of the video.
        times: in ascending order, seconds since the beginning of the file.

    Returns:
        For each time the last picture that begins at it or before (for a time before the first
        picture, that one), (H, W, 3) RGB, upright, in the video's own size.

    Raises:
        FileNotFoundError: where there is no such file.
        ValueError: where it cannot be decoded, has no pictures, or ends more than a second
            before one of the times.
        ImportError: where PyAV is missing.
    """
    with _open(path, "video") as (container, stream):
        if times[0] > OLDEST_PICTURE:
            _seek(container, times[0])
        return _pick(_pictures(container, stream), list(times), path)


def picture_times(path: Path) -> list[float]:
    """Seconds since the beginning of the file at which its pictures begin; none is decoded.

    Raises:
        FileNotFoundError: where there is no such file.
        ValueError: where it cannot be read, or has no pictures.
        ImportError: where PyAV is missing.
    """
    with _open(path, "video") as (container, stream):
        origin = _origin(container)
        times = sorted(
            float(packet.pts * packet.time_base) - origin
            for packet in container.demux(stream)
            if packet.pts is not None and not packet.is_discard
        )
        if not times:  # a format that states no times: those that its decoder finds
            times = [moment for moment, _ in _pictures(container, stream)]
    if not times:
        raise ValueError(f"'{path}' shows no picture")
    return times


def pictures_from(path: Path, start: float) -> Iterator[tuple[float, NDArray[np.uint8]]]:
    """Yield time and picture, (H, W, 3) RGB and upright, from the last key frame before a time.

    Raises:
        FileNotFoundError: where there is no such file.
        ValueError: where it cannot be decoded.
        ImportError: where PyAV is missing.
    """
    with _open(path, "video") as (container, stream):
        if start > 0:
            _seek(container, start)
        for moment, picture in _pictures(container, stream):
            yield moment, _upright(picture)


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
    turns = round(getattr(picture, "rotation", 0) / 90)  # counterclockwise, as in np.rot90
    return np.ascontiguousarray(np.rot90(image, turns))


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
        FileNotFoundError: where there is no such file.
        ValueError: where it cannot be decoded, has no sound, or none after ``start``.
        ImportError: where PyAV is missing.
    """
    end = float("inf") if seconds is None else start + seconds
    with _open(path, "audio") as (container, stream):
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

    Raises:
        FileNotFoundError, ValueError, ImportError: as `read_audio_track`.
    """
    av = load_pyav(f"reading '{path}'")
    with _open(path, "audio") as (container, stream):
        origin, resampler = _origin(container), None
        for decoded in container.decode(stream):
            if resampler is None:
                layout = "mono" if decoded.layout.nb_channels == 1 else "stereo"
                rate = decoded.sample_rate if decoded.sample_rate in rates else otherwise
                resampler = av.AudioResampler(format="fltp", layout=layout, rate=rate)
            for frame in resampler.resample(decoded):
                yield (frame.time or 0.0) - origin, rate, frame.to_ndarray()


def _pictures(container: Any, stream: Any) -> Iterator[tuple[float, Any]]:
    origin = _origin(container)
    for picture in container.decode(stream):
        if picture.time is not None:
            yield picture.time - origin, picture


def _blocks(container: Any, stream: Any) -> Iterator[tuple[float, int, NDArray[np.float32]]]:
    """(time, rate, samples (n, channels)) of a track, in order."""
    import av

    origin = _origin(container)
    # Changes the type of samples only: integers are divided by their full scale. Rate and layout
    # stay those of the first frame, which a header may state wrongly.
    planar = av.AudioResampler(format="fltp")
    for decoded in container.decode(stream):
        for frame in planar.resample(decoded):
            samples = frame.to_ndarray().astype(np.float32, copy=False)
            yield (frame.time or 0.0) - origin, frame.sample_rate, samples.T


def _origin(container: Any) -> float:
    """Time stamp of the beginning of a file in seconds; some formats begin late."""
    return (container.start_time or 0) / 1_000_000


def _seek(container: Any, seconds: float) -> None:
    """Go to the last key frame before a time."""
    container.seek(int((seconds + _origin(container)) * 1_000_000), backward=True)


def _is_cover(stream: Any) -> bool:
    from av.stream import Disposition

    return bool(stream.disposition & Disposition.attached_pic)


@contextmanager
def _open(path: Path, kind: str) -> Iterator[tuple[Any, Any]]:
    """Container and its first stream of a kind, ``audio`` or ``video``."""
    av = load_pyav(f"reading '{path}'")
    if not path.is_file():
        raise FileNotFoundError(f"no video at '{path}'")
    try:
        with av.open(str(path)) as container:
            # A sound file's cover is no video.
            streams = [s for s in getattr(container.streams, kind) if not _is_cover(s)]
            if not streams:
                missing = NoSoundError if kind == "audio" else ValueError
                raise missing(f"'{path}' has no {kind} track")
            yield container, streams[0]
    except av.FFmpegError as error:
        if isinstance(error, FileNotFoundError):
            raise
        raise ValueError(f"cannot decode '{path}': {error.strerror}") from error


def check_container(path: Path) -> None:
    """Refuse a file of unknown origin that is no usual container of pictures and sound.

    FFmpeg goes by a file's content, whatever its name says, and some formats are lists of other
    files and addresses, which it would open.

    Raises:
        FileNotFoundError: where there is no such file.
        ValueError: where it is none of `CONTAINERS`, or damaged.
        ImportError: where PyAV is missing.
    """
    av = load_pyav(f"reading '{path}'")
    try:
        with av.open(str(path), options={"format_whitelist": ",".join(CONTAINERS)}):
            return
    except FileNotFoundError:
        raise
    except (av.FFmpegError, ValueError) as error:
        known = ", ".join(CONTAINERS)
        raise ValueError(f"'{path}' is no container that is known ({known}), or damaged") from error


def load_pyav(doing: str) -> Any:
    """Return the package av; an ImportError says that ``doing`` needs it."""
    try:
        import av
    except ImportError as error:
        raise ImportError(f"{doing} needs PyAV (the package av): {INSTALL}") from error
    return av
