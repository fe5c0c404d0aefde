"""The audio front end: files to the log-mel examples that VGGish was trained on."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 16_000
EXAMPLE_ROWS, NUM_MELS = 96, 64
ROWS_PER_SECOND = 100
LOG_OFFSET = 0.01
"""Added before the logarithm: silence is ln 0.01."""

RELEASED_MIN_EXAMPLES = 5


def read_waveform(path: str | os.PathLike[str]) -> tuple[NDArray[np.float64], int]:
    """Read a sound file.

    Returns:
        Samples (L, channels) in [-1, 1], 16-bit integers divided by 32768, and the sample rate.

    Raises:
        FileNotFoundError: where there is no such file.
        ValueError: where it cannot be decoded or holds no sample.
    """
    import soundfile

    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no sound file at '{path}'")
    try:
        samples, rate = soundfile.read(path, dtype="float64", always_2d=True)
    except soundfile.SoundFileError as error:
        raise ValueError(f"cannot decode '{path}': {error}") from error
    if not len(samples):
        raise ValueError(f"'{path}' holds no samples")
    return samples, int(rate)


def _by_soxr(samples: NDArray[np.float64], rate: int) -> NDArray[np.float64]:
    import soxr

    return np.asarray(soxr.resample(samples, rate, SAMPLE_RATE))


def _by_resampy(samples: NDArray[np.float64], rate: int) -> NDArray[np.float64]:
    import resampy  # comes with torchvggish, whose example code resamples with it

    return np.asarray(resampy.resample(samples, rate, SAMPLE_RATE))


RESAMPLERS: dict[str, Callable[[NDArray[np.float64], int], NDArray[np.float64]]] = {
    "published": _by_soxr,
    "released": _by_resampy,
}
"""To 16 kHz. The two differ near 8 kHz, in the last three mel bands; soxr is 60 times faster."""


def log_mel_spectrogram(
    samples: NDArray[np.float64], rate: int, rule: str = "published"
) -> NDArray[np.float64]:
    """(L,) samples in [-1, 1] -> (R, 64) natural logarithm of (mel + 0.01), 100 rows a second."""
    # torchvggish owns the mel filters that belong to the weights; its package imports torch and
    # numba, so it is imported where it is needed.
    from torchvggish import mel_features, vggish_params

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
    return padded[starts[:, None] + np.arange(EXAMPLE_ROWS)]


def _released(rows: NDArray[np.float64], num_frames: int) -> NDArray[np.float64]:
    """Non-overlapping examples of 96 rows, the last one repeated up to five."""
    whole = len(rows) // EXAMPLE_ROWS
    if not whole:
        raise ValueError(f"{len(rows)} log-mel rows are too few for one example of {EXAMPLE_ROWS}")
    examples = rows[: whole * EXAMPLE_ROWS].reshape(whole, EXAMPLE_ROWS, NUM_MELS)
    missing = max(0, RELEASED_MIN_EXAMPLES - whole)
    return np.concatenate([examples, np.repeat(examples[-1:], missing, axis=0)])


RULES: dict[str, Callable[[NDArray[np.float64], int], NDArray[np.float64]]] = {
    "published": _published,
    "released": _released,
}


def log_mel_examples(
    samples: NDArray[np.float64], rate: int, num_frames: int, rule: str = "published"
) -> NDArray[np.float32]:
    """One log-mel example a frame and ear.

    Args:
        samples: (L, channels) in [-1, 1]; mono is given to both ears, of more than two channels
            the first two are taken.
        rate: samples a second.
        num_frames: T, frames of the clip, one a second.
        rule: ``published``: exactly T examples, one from the beginning of each second, whatever
            the file's length; ``released``: as many examples of 0.96 s as fit, at least five,
            resampled by resampy.

    Returns:
        (T, 2, 96, 64), natural logarithm of (mel + 0.01).

    Raises:
        ValueError: on an unknown rule or, as released, a file shorter than one example.
    """
    if rule not in RULES:
        raise ValueError(f"unknown audio {rule=}; known: {', '.join(RULES)}")
    mono = samples.shape[1] == 1
    ears = [samples[:, 0]] if mono else [samples[:, 0], samples[:, 1]]
    examples = [RULES[rule](log_mel_spectrogram(ear, rate, rule), num_frames) for ear in ears]
    return np.stack(examples * (2 if mono else 1), axis=1).astype(np.float32)
