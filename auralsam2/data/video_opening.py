"""Files of pictures and sound, opened through PyAV (FFmpeg)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

INSTALL = "pip install 'auralsam2[video]'"
CONTAINERS = ("mov", "mp4", "matroska", "webm", "avi", "mpegts")
"""FFmpeg's names of the formats that `check_container` lets through."""


class NoSoundError(ValueError):
    """A video or a sound file without sound, or without any in a part of it."""


def origin_of(container: Any) -> float:
    """Time stamp of the beginning of a file in seconds; some formats begin late."""
    return (container.start_time or 0) / 1_000_000


def _is_cover(stream: Any) -> bool:
    from av.stream import Disposition

    return bool(stream.disposition & Disposition.attached_pic)


@contextmanager
def open_track(path: Path, kind: str) -> Iterator[tuple[Any, Any]]:
    """Container and its first stream of a kind, ``audio`` or ``video``."""
    av = load_pyav(f"reading '{path}'")
    if not path.is_file():
        raise FileNotFoundError(f"no video at '{path}'")
    try:
        with av.open(str(path)) as container:
            # A packet that a file's end has torn is as if it were not there: pictures and sound
            # end before it, whether or not its decoder would refuse it.
            container.flags = container.flags | av.container.Flags.discard_corrupt.value
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
