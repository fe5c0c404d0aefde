"""Videos with sound as mp4: pictures at their own times, both streams of one length."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from auralsam2.data.video import stream_sound
from auralsam2.data.video_opening import load_pyav

ENCODERS: tuple[tuple[str, dict[str, str]], ...] = (
    # Where no picture is coded out of its order, the last packet ends with the last picture.
    ("libx264", {"preset": "veryfast", "crf": "20", "bf": "0"}),
    ("libopenh264", {}),
    ("libvpx-vp9", {"crf": "30", "b": "0", "deadline": "realtime", "cpu-used": "6"}),
    ("mpeg4", {"global_quality": "354", "flags": "+qscale"}),
)
"""FFmpeg's names and options: H.264 where it is there, else what browsers read, else players."""
CLOCK = Fraction(1, 60_000)
"""Seconds. MPEG-4 has 16 bits for it; 24, 25, 30 and 30000/1001 pictures a second fit."""
SOUND_RATES = (
    96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000,
)  # fmt: skip
"""Of AAC, in Hz."""
USUAL_RATE = 48_000
GAP = 0.1
"""Seconds of missing sound that become silence; less is how containers round."""
NUM_BINS = 1200
"""Of a waveform that is looked at."""


class VideoWriter:
    """Writes an mp4 picture by picture, its sound beside it; a context.

    Nothing is held but what encoders hold: memory does not grow with the length.

    Args:
        path: of the file; what stands there is overwritten.
        size: (H, W) of the pictures; an odd side gets one more row or column like its last one.
        times: (T,) seconds of the pictures, ascending.
        end: seconds, later than the last time; both streams end here.
        sound: file whose sound is written, None for none. What sets in late or ends early is
            filled up with silence, what goes on after ``end`` is left out.
        pixel: width by height of a pixel, as players are to show it.

    Raises:
        ImportError: where PyAV is missing.
        ValueError: where ``sound`` cannot be decoded or has no sound.
    """

    def __init__(
        self,
        path: Path,
        size: tuple[int, int],
        times: Sequence[float],
        end: float,
        sound: Path | None = None,
        pixel: Fraction = Fraction(1),
    ) -> None:
        av = load_pyav(f"writing '{path}'")
        # The first picture is seen from the beginning on, also where it comes late.
        self._begins = np.array([0, *(round(time / CLOCK) for time in (*times[1:], end))])
        self._margins = ((0, size[0] % 2), (0, size[1] % 2), (0, 0))
        track = None if sound is None else GaplessSound(sound, end)
        self._container = av.open(str(path), "w", format="mp4")
        self._stream = _video_stream(av, self._container, size)
        if pixel != 1:
            self._stream.codec_context.sample_aspect_ratio = pixel
        self._sound = None if track is None else _SoundStream(self._container, track)
        self._count = 0

    @property
    def waveform(self) -> NDArray[np.float32] | None:
        """(`NUM_BINS`, 2): lowest and highest sample of the sound so far; None without sound."""
        return None if self._sound is None else self._sound.track.waveform

    @property
    def problem(self) -> str:
        """Why the sound ends early, where it cannot be decoded up to its end; or ""."""
        return "" if self._sound is None else self._sound.track.problem

    def add(self, picture: NDArray[np.uint8]) -> None:
        """Write the next picture (H, W, 3) RGB, and the sound up to its end."""
        import av

        even = np.pad(picture, self._margins, mode="edge")
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(even), format="rgb24")
        frame.pts, frame.time_base = int(self._begins[self._count]), CLOCK
        self._mux(self._stream.encode(frame))
        self._count += 1
        if self._sound is not None:
            self._sound.write_until(float(self._begins[self._count] * CLOCK))

    def _mux(self, packets: list[Any]) -> None:
        for packet in packets:
            place = int(np.searchsorted(self._begins, packet.pts))
            packet.duration = int(self._begins[place + 1] - self._begins[place])
            self._container.mux(packet)

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Finish the file, also where an error comes through: what was written can be played."""
        try:
            self._mux(self._stream.encode(None))
            if self._sound is not None:
                self._sound.finish()
        finally:
            self._container.close()


def _video_stream(av: Any, container: Any, size: tuple[int, int]) -> Any:
    name, options = next(pair for pair in ENCODERS if _can_encode(av, pair[0]))
    stream = container.add_stream(name, rate=25, options=options)
    stream.height, stream.width = (side + side % 2 for side in size)
    stream.pix_fmt = "yuv420p"
    stream.time_base = stream.codec_context.time_base = CLOCK
    return stream


def _can_encode(av: Any, name: str) -> bool:
    try:
        av.Codec(name, "w")
    except av.codec.codec.UnknownCodecError:
        return False
    return True


class GaplessSound:
    """The sound of a file from second 0 to an end, silence where there is none."""

    def __init__(self, path: Path, end: float) -> None:
        self._pieces = stream_sound(path, SOUND_RATES, USUAL_RATE)
        first = next(self._pieces, None)
        if first is None:
            raise ValueError(f"'{path}' has no sound")
        time, self.rate, self._piece = first
        # Samples since second 0: of the piece at hand, of what was taken, of the end.
        self._begin, self.taken, self.total = round(time * self.rate), 0, round(end * self.rate)
        self.waveform = np.zeros((NUM_BINS, 2), np.float32)
        self.problem = ""

    @property
    def num_channels(self) -> int:
        """One or two."""
        return len(self._piece)

    def take(self, until: int) -> NDArray[np.float32]:
        """Return the next samples (channels, n), before number ``until``."""
        block = np.zeros((self.num_channels, until - self.taken), np.float32)
        while True:
            begin, end = self._begin, self._begin + self._piece.shape[1]
            low, high = max(begin, self.taken), min(end, until)
            if low < high:
                block[:, low - self.taken : high - self.taken] = self._piece[
                    :, low - begin : high - begin
                ]
            if end >= until or not self._read_next(end):
                break
        self._look_at(block)
        self.taken = until
        return block

    def _read_next(self, end: int) -> bool:
        """Whether there is a next piece; it begins at ``end`` unless something is missing."""
        try:
            piece = next(self._pieces, None)
        except ValueError as error:
            piece, self.problem = None, str(error)
        if piece is None:
            self._begin, self._piece = end, self._piece[:, :0]
            return False
        time, _, self._piece = piece
        begin = round(time * self.rate)
        self._begin = begin if begin - end > GAP * self.rate else end
        return True

    def _look_at(self, block: NDArray[np.float32]) -> None:
        """Enter what is taken into the waveform."""
        places = np.arange(self.taken, self.taken + block.shape[1]) * NUM_BINS // self.total
        for levels in block:
            np.minimum.at(self.waveform[:, 0], places, levels)
            np.maximum.at(self.waveform[:, 1], places, levels)


class _SoundStream:
    """A stream of AAC."""

    def __init__(self, container: Any, track: GaplessSound) -> None:
        self.track, self._container = track, container
        self._layout = ("mono", "stereo")[track.num_channels - 1]
        self._stream = container.add_stream("aac", rate=track.rate, layout=self._layout)

    def write_until(self, seconds: float) -> None:
        """Write the next sound, in pieces of a second at most."""
        import av

        track = self.track
        end = min(round(seconds * track.rate), track.total)
        while track.taken < end:
            begin = track.taken
            block = track.take(min(begin + track.rate, end))
            frame = av.AudioFrame.from_ndarray(block, "fltp", self._layout)
            frame.pts, frame.sample_rate = begin, track.rate
            frame.time_base = Fraction(1, track.rate)
            self._container.mux(self._stream.encode(frame))

    def finish(self) -> None:
        """Write what the encoder holds."""
        self._container.mux(self._stream.encode(None))
