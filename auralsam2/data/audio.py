"""The audio front end: sound files to the log-mel examples that VGGish was trained on."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache, partial
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from auralsam2.data.video import NoSoundError, read_audio_track
from auralsam2.file_kinds import misplaced
from auralsam2.messages import unknown_values

FRONT_END = 2
"""Version; raise it whenever the same file gives other examples, so that caches are left behind."""

SAMPLE_RATE = 16_000
EXAMPLE_ROWS, NUM_MELS = 96, 64
ROWS_PER_SECOND = 100
LOG_OFFSET = 0.01
"""Added before the logarithm: silence is ln 0.01."""

RELEASED_MIN_EXAMPLES = 5
TORCHVGGISH = "torchvggish"

HIGHEST_SAMPLE = 1.5
"""Of a float file. Lossy codecs and resampling overshoot 1 by a little; integers written as
floats overshoot it by thousands."""

LONGEST_HEADER = 1024
"""Bytes; what is longer and has no samples lacks their number."""
NO_LENGTH = (
    "; its header states no length, as that of a stream, and more follows: write it again, "
    "e.g. with ffmpeg -i IN.wav OUT.wav"
)
STREAM = 2**31 - 2**16
"""Lengths from here on, and 0, stand in RIFF headers for one that was not known yet."""
OWN_SUFFIXES = (".wav", ".flac")
"""Read by libsndfile or not at all: FFmpeg finds some sound in almost any damaged file."""


def read_waveform(
    path: str | os.PathLike[str], start: int = 0, seconds: int | None = None
) -> tuple[NDArray[np.float64], int]:
    """Read a sound file, or the sound of a video, whole or ``seconds`` from ``start`` on.

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
        ValueError: where it cannot be decoded, is cut short, holds no sample there, samples that
            are no numbers, or floats in the range of integers.
        ImportError: where FFmpeg is needed and PyAV is missing.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no sound file at '{path}'")
    samples, rate = _decode(path, start, seconds)
    _refuse_cut(path)
    if not len(samples):
        streamed = path.stat().st_size > LONGEST_HEADER
        raise NoSoundError(f"'{path}' holds no samples{NO_LENGTH if streamed else ''}")
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


def _refuse_cut(path: Path) -> None:
    """Refuse a wav that is shorter than its header states: libsndfile reads what is there."""
    with path.open("rb") as file:
        head, size = file.read(12), file.seek(0, os.SEEK_END)
    stated = 8 + int.from_bytes(head[4:8], "little")
    if head.startswith(b"RIFF") and size + LONGEST_HEADER < stated < STREAM:
        raise ValueError(f"'{path}' is cut short: {size} of {stated} bytes")


def _decode(
    path: Path, start: int = 0, seconds: int | None = None
) -> tuple[NDArray[np.float64], int]:
    import soundfile

    try:
        with soundfile.SoundFile(os.fsencode(path)) as file:
            file.seek(min(start * file.samplerate, file.frames))
            length = -1 if seconds is None else seconds * file.samplerate
            return file.read(length, dtype="float64", always_2d=True), int(file.samplerate)
    except soundfile.SoundFileError as error:
        kind = misplaced(path)
        if kind or path.suffix.lower() in OWN_SUFFIXES:
            reason = f"it is {kind}" if kind else str(error)
            raise ValueError(f"cannot decode '{path}': {reason}") from error
    return read_audio_track(path, start, seconds)


def resampled(samples: NDArray[np.float64], rate: float, wanted: float) -> NDArray[np.float64]:
    """Samples (L,) or (L, channels) at another rate, by soxr."""
    import soxr

    return samples if rate == wanted else np.asarray(soxr.resample(samples, rate, wanted))


def _by_resampy(samples: NDArray[np.float64], rate: int) -> NDArray[np.float64]:
    import resampy  # comes with torchvggish, whose example code resamples with it

    return np.asarray(resampy.resample(samples, rate, SAMPLE_RATE))


RESAMPLERS: dict[str, Callable[[NDArray[np.float64], int], NDArray[np.float64]]] = {
    "published": partial(resampled, wanted=SAMPLE_RATE),
    "released": _by_resampy,
    "zero_padded": _by_resampy,
}
"""To 16 kHz. The two differ near 8 kHz, in the last three mel bands; soxr is 60 times faster."""


@cache
def torchvggish_file(name: str) -> ModuleType:
    """Return torchvggish's ``mel_features`` or ``vggish_params``, which belong to its weights.

    Loaded from their own files: the package around them imports torch, resampy and numba, about a
    second that every process would pay before its first step.

    Raises:
        ImportError: where torchvggish is not installed.
    """
    package = find_spec(TORCHVGGISH)
    if package is None or not package.submodule_search_locations:
        raise ImportError(f"log-mel spectrograms need {TORCHVGGISH}: pip install {TORCHVGGISH}")
    path = Path(package.submodule_search_locations[0]) / f"{name}.py"
    spec = spec_from_file_location(f"{TORCHVGGISH}_{name}", path)
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def log_mel_spectrogram(
    samples: NDArray[np.float64], rate: int, rule: str = "published"
) -> NDArray[np.float64]:
    """(L,) samples in [-1, 1] -> (R, 64) natural logarithm of (mel + 0.01), 100 rows a second."""
    mel_features, vggish_params = map(torchvggish_file, ("mel_features", "vggish_params"))
    if rate != SAMPLE_RATE:
        samples = RESAMPLERS[rule](samples, rate)
    window = int(vggish_params.STFT_WINDOW_LENGTH_SECONDS * SAMPLE_RATE)
    if len(samples) < window:
        samples = np.pad(samples, (0, window - len(samples)))
    return np.asarray(
        mel_features.log_mel_spectrogram(
            samples,
            audio_sample_rate=SAMPLE_RATE,
            log_offset=vggish_params.LOG_OFFSET,
            window_length_secs=vggish_params.STFT_WINDOW_LENGTH_SECONDS,
            hop_length_secs=vggish_params.STFT_HOP_LENGTH_SECONDS,
            num_mel_bins=vggish_params.NUM_MEL_BINS,
            lower_edge_hertz=vggish_params.MEL_MIN_HZ,
            upper_edge_hertz=vggish_params.MEL_MAX_HZ,
        )
    )


def _published(rows: NDArray[np.float64], num_frames: int) -> NDArray[np.float64]:
    """Example t is the 96 rows from second t on; silence after the end, the rest is dropped."""
    needed = (num_frames - 1) * ROWS_PER_SECOND + EXAMPLE_ROWS
    missing = max(0, needed - len(rows))
    padded = np.pad(rows, ((0, missing), (0, 0)), constant_values=np.log(LOG_OFFSET))
    starts = np.arange(num_frames) * ROWS_PER_SECOND
    return np.asarray(padded[starts[:, None] + np.arange(EXAMPLE_ROWS)])


def _whole(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Non-overlapping examples of 96 rows."""
    whole = len(rows) // EXAMPLE_ROWS
    if not whole:
        raise ValueError(f"{len(rows)} log-mel rows are too few for one example of {EXAMPLE_ROWS}")
    return rows[: whole * EXAMPLE_ROWS].reshape(whole, EXAMPLE_ROWS, NUM_MELS)


def _released(rows: NDArray[np.float64], num_frames: int) -> NDArray[np.float64]:
    """Whole examples, the last one repeated up to five."""
    examples = _whole(rows)
    missing = max(0, RELEASED_MIN_EXAMPLES - len(examples))
    return np.concatenate([examples, np.repeat(examples[-1:], missing, axis=0)])


def _zero_padded(rows: NDArray[np.float64], num_frames: int) -> NDArray[np.float64]:
    """Whole examples, followed by zeros up to one a frame."""
    examples = _whole(rows)
    missing = max(0, num_frames - len(examples))
    return np.concatenate([examples, np.zeros((missing, *examples.shape[1:]))])


RULES: dict[str, Callable[[NDArray[np.float64], int], NDArray[np.float64]]] = {
    "published": _published,
    "released": _released,
    "zero_padded": _zero_padded,
}


def _both(samples: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    if not samples[:, :2].any() and samples.any():
        raise ValueError(
            f"{samples.shape[1]} channels, of which the first two, the ones that are heard, are "
            "silent, and others are not: mix it down to two"
        )
    return [samples[:, 0], samples[:, min(1, samples.shape[1] - 1)]]


def _mean(samples: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    return [samples.mean(axis=1)]


CHANNELS: dict[str, Callable[[NDArray[np.float64]], list[NDArray[np.float64]]]] = {
    "both": _both,
    "mean": _mean,
}
"""Name -> rule from (L, channels) to what each ear hears, (L,) each."""


def log_mel_examples(
    samples: NDArray[np.float64],
    rate: int,
    num_frames: int,
    rule: str = "published",
    channels: str = "both",
) -> NDArray[np.float32]:
    """One log-mel example a frame and ear.

    Args:
        samples: (L, channels) in [-1, 1].
        rate: samples a second.
        num_frames: T, frames of the clip, one a second.
        rule: ``published``: exactly T examples, one from the beginning of each second, with
            silence behind the end of the file; ``released``: as many examples of 0.96 s as fit,
            at least five, the last one repeated, resampled by resampy; ``zero_padded``: the same
            with examples of zeros up to T (AVSS; silence would be ln 0.01).
        channels: ``both``: two ears; a single channel is given to both, of more than two the first
            two are taken, unless they alone are silent; ``mean``: one ear, which hears the mean of
            all channels.

    Returns:
        (T, A, 96, 64) with A = 2 or 1 ears, natural logarithm of (mel + 0.01).

    Raises:
        ValueError: on an unknown rule, where all of the sound is in channels that are not heard
            or, as released, in a file shorter than one example.
    """
    if problems := unknown_values(rule=(rule, RULES), channels=(channels, CHANNELS)):
        raise ValueError("\n".join(problems))
    ears = CHANNELS[channels](samples)
    heard = ears[:1] if all(np.array_equal(ears[0], ear) for ear in ears[1:]) else ears
    examples = [RULES[rule](log_mel_spectrogram(ear, rate, rule), num_frames) for ear in heard]
    same = examples * (len(ears) // len(heard))
    return np.stack(same, axis=1).astype(np.float32)
