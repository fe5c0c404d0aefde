"""What the ears of an audio encoder get of a recording: log-mel examples, or its samples."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from auralsam2.data.audio import CHANNELS, log_mel_examples, resampled
from auralsam2.messages import unknown_values

SAMPLES = 3
"""Axes of a clip's sound where the encoder hears samples, (T, A, R)."""


def heard_seconds(
    samples: NDArray[np.float64],
    rate: int,
    num_frames: int,
    rule: str = "published",
    channels: str = "both",
    waveform_rate: int | None = None,
) -> NDArray[np.float32]:
    """What every ear hears in the second of every frame.

    Args:
        samples: (L, channels) in [-1, 1].
        rate: samples a second.
        num_frames: T, frames of the clip, one a second.
        rule: how log-mel examples are cut, see :func:`log_mel_examples`; samples are always those
            of the frame's second, with silence behind the end of the file.
        channels: see :func:`log_mel_examples`.
        waveform_rate: R, samples a second that the encoder wants; ``None`` gives log-mel examples.

    Returns:
        (T, A, R) with A = 2 or 1 ears, or (T, A, 96, 64), see :func:`log_mel_examples`.

    Raises:
        ValueError: as :func:`log_mel_examples`.
    """
    if waveform_rate is None:
        return log_mel_examples(samples, rate, num_frames, rule, channels)
    if problems := unknown_values(channels=(channels, CHANNELS)):
        raise ValueError("\n".join(problems))
    ears = np.stack(CHANNELS[channels](samples[: rate * num_frames]), axis=1)  # (L, A)
    ears = resampled(ears, rate, waveform_rate)
    length = num_frames * waveform_rate
    ears = np.pad(ears[:length], ((0, max(0, length - len(ears))), (0, 0)))
    cut = ears.reshape(num_frames, waveform_rate, -1).transpose(0, 2, 1)
    return np.ascontiguousarray(cut, dtype=np.float32)


def shown_log_mel(sound: Tensor) -> Tensor:
    """What a clip hears, (T, A, 96, 64) or samples (T, A, R), as log-mels (T, 96, 64) to draw."""
    if sound.dim() == SAMPLES:
        num_frames, _, rate = sound.shape
        samples = sound.mean(dim=1).reshape(-1, 1).double().cpu().numpy()
        sound = torch.from_numpy(log_mel_examples(samples, rate, num_frames, channels="mean"))
    return sound.mean(dim=1).float()
