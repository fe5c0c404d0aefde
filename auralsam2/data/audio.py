"""The audio front end: files to the log-mel examples that VGGish was trained on."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from auralsam2.data.mel_filters import torchvggish_file
from auralsam2.data.sound_files import read_waveform as read_waveform

FRONT_END = 2
"""Version; raise it whenever the same file gives other examples, so that caches are left behind."""

SAMPLE_RATE = 16_000
EXAMPLE_ROWS, NUM_MELS = 96, 64
ROWS_PER_SECOND = 100
LOG_OFFSET = 0.01
"""Added before the logarithm: silence is ln 0.01."""

RELEASED_MIN_EXAMPLES = 5


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


def _stereo(samples: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    if not samples[:, :2].any() and samples.any():
        raise ValueError(
            f"{samples.shape[1]} channels, of which the first two, the ones that are heard, are "
            "silent, and others are not: mix it down to two"
        )
    return [samples[:, 0], samples[:, min(1, samples.shape[1] - 1)]]


def _downmix(samples: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    mean = samples.mean(axis=1)
    return [mean, mean]


def _two_only(samples: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    if samples.shape[1] != 2:
        raise ValueError(
            f"{samples.shape[1]} channel(s), and ears='two_only' wants two; ears='stereo' gives a "
            "single one to both ears"
        )
    return [samples[:, 0], samples[:, 1]]


EARS: dict[str, Callable[[NDArray[np.float64]], list[NDArray[np.float64]]]] = {
    "stereo": _stereo,
    "downmix": _downmix,
    "two_only": _two_only,
}
"""Name -> rule from (L, channels) to what the left and the right ear hear, (L,) each."""


def log_mel_examples(
    samples: NDArray[np.float64],
    rate: int,
    num_frames: int,
    rule: str = "published",
    ears: str = "stereo",
) -> NDArray[np.float32]:
    """One log-mel example a frame and ear.

    Args:
        samples: (L, channels) in [-1, 1].
        rate: samples a second.
        num_frames: T, frames of the clip, one a second.
        rule: ``published``: exactly T examples, one from the beginning of each second, with
            silence behind the end of the file; ``released``: as many examples of 0.96 s as fit,
            at least five, resampled by resampy.
        ears: ``stereo``: channels are kept apart, a single one is given to both ears, of more
            than two the first two are taken, unless they alone are silent; ``downmix``: both
            ears get the mean of all channels, so that no hint at a direction is left;
            ``two_only``: files must have two channels, as the AVSBench part of the released
            code asks.

    Returns:
        (T, 2, 96, 64), natural logarithm of (mel + 0.01).

    Raises:
        ValueError: on an unknown rule, on channels that ``ears`` refuses or, as released, a file
            shorter than one example.
    """
    problems = []
    if rule not in RULES:
        problems.append(f"unknown audio {rule=}; known: {', '.join(RULES)}")
    if ears not in EARS:
        problems.append(f"unknown {ears=}; known: {', '.join(EARS)}")
    if problems:
        raise ValueError("\n".join(problems))
    left, right = EARS[ears](samples)
    heard = [left] if np.array_equal(left, right) else [left, right]
    examples = [RULES[rule](log_mel_spectrogram(ear, rate, rule), num_frames) for ear in heard]
    return np.stack([examples[0], examples[-1]], axis=1).astype(np.float32)
