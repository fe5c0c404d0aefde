"""The timbre of every object class, and the stereo sound of a whole clip."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from auralsam2.data.audio import SAMPLE_RATE
from auralsam2.data.synthetic.objects import CLASSES, Timbre
from auralsam2.data.synthetic.scene import Scene

PITCH_JITTER = 0.04
"""Share by which the pitch of an object differs from its class's, one draw a clip."""

GAIN_DB = (-4.0, 4.0)
NOISE_DB = (-42.0, -30.0)
FADE_SECONDS = 0.01

Signal = NDArray[np.float64]


def _partials(time: Signal, pitch: float, orders: NDArray[np.int_], decay: float) -> Signal:
    """Sum of harmonics, order k at amplitude k ** -decay, below the Nyquist frequency."""
    kept = orders[orders * pitch < 0.45 * SAMPLE_RATE]
    waves = np.sin(2 * np.pi * pitch * kept[:, None] * time) * kept[:, None] ** -decay
    return np.asarray(waves.sum(axis=0))


def _band_noise(time: Signal, pitch: float, octaves: float, rng: np.random.Generator) -> Signal:
    spectrum = np.fft.rfft(rng.standard_normal(len(time)))
    frequency = np.fft.rfftfreq(len(time), 1 / SAMPLE_RATE)
    distance = np.log2(np.maximum(frequency, 1.0) / pitch) / octaves
    shaped = np.fft.irfft(spectrum * np.exp(-0.5 * (2 * distance) ** 2), len(time))
    return np.asarray(shaped)


def _swept(frequency: Signal) -> Signal:
    """A sine of a frequency that changes."""
    return np.sin(2 * np.pi * np.cumsum(frequency) / SAMPLE_RATE)


def _since(time: Signal, t: Timbre) -> Signal:
    """Seconds since the last stroke, of ``rate`` strokes a second."""
    return (time * t.rate) % 1.0 / t.rate


def _struck(time: Signal, t: Timbre, decay: float) -> Signal:
    since = _since(time, t)
    return np.exp(-since * decay) * np.sin(2 * np.pi * t.pitch * since)


def _tremolo(time: Signal, t: Timbre) -> Signal:
    depth = t.shape + (1 - t.shape) * (0.5 + 0.5 * np.sin(2 * np.pi * t.rate * time))
    return _partials(time, t.pitch, np.arange(1, 9), 0.8) * depth


def _bell(time: Signal, t: Timbre) -> Signal:
    since = _since(time, t)
    ratios = np.array([1.0, 2.76, 5.4])[:, None]
    partials = np.sin(2 * np.pi * t.pitch * ratios * since) * np.exp(-since * 4 * np.sqrt(ratios))
    return np.asarray(partials.sum(axis=0))


SYNTHESISERS: dict[str, Callable[[Signal, Timbre, np.random.Generator], Signal]] = {
    "harmonic": lambda time, t, _: _partials(time, t.pitch, np.arange(1, 21), t.shape),
    "odd_harmonic": lambda time, t, _: _partials(time, t.pitch, np.arange(1, 12, 2), t.shape),
    "tremolo": lambda time, t, _: _tremolo(time, t),
    "chirp": lambda time, t, _: _swept(t.pitch * 2.0 ** (t.shape * ((time * t.rate) % 1.0))),
    "vibrato": lambda time, t, _: _swept(
        t.pitch * (1 + t.shape * np.sin(2 * np.pi * t.rate * time))
    ),
    "noise": lambda time, t, rng: _band_noise(time, t.pitch, t.shape, rng),
    "bursts": lambda time, t, rng: (
        _band_noise(time, t.pitch, t.shape, rng)
        * np.clip(4 * np.sin(2 * np.pi * t.rate * time) + 0.5, 0, 1)
    ),
    "clicks": lambda time, t, _: _struck(time, t, decay=120),
    "pulses": lambda time, t, _: _struck(time, t, decay=14),
    "bell": lambda time, t, _: _bell(time, t),
    "fm": lambda time, t, _: np.sin(
        2 * np.pi * t.pitch * time + t.shape * np.sin(2 * np.pi * t.rate * time)
    ),
}
"""Kind of a timbre -> its signal at the times."""


def synthesise(timbre: Timbre, num_samples: int, rng: np.random.Generator) -> Signal:
    """(num_samples,) of one source at unit root mean square, its pitch jittered."""
    pitch = timbre.pitch * (1 + rng.uniform(-PITCH_JITTER, PITCH_JITTER))
    # A random phase of the modulation: seconds are cut at fixed times.
    time = np.arange(num_samples) / SAMPLE_RATE + rng.uniform(0, 1)
    signal = SYNTHESISERS[timbre.kind](time, timbre._replace(pitch=pitch), rng)
    return signal / np.sqrt(np.mean(signal**2))


def render_sound(scene: Scene, rng: np.random.Generator) -> NDArray[np.int16]:
    """(L, 2) 16-bit stereo of a scene, L = T / fps * 16000: its sounding objects, and noise.

    Loudness does not depend on size or distance; the balance of the ears follows the object's
    position from left to right.
    """
    length = scene.num_frames * SAMPLE_RATE // scene.fps
    frames = np.arange(length) * scene.fps // SAMPLE_RATE
    mix = rng.standard_normal((length, 2)) * 10 ** (rng.uniform(*NOISE_DB) / 20)
    for number, item in enumerate(scene.objects):
        source = synthesise(CLASSES[item.class_index].timbre, length, rng)
        gain = 0.1 * 10 ** (rng.uniform(*GAIN_DB) / 20)
        envelope = _envelope(scene.sounding[:, number])[:length]
        right = np.clip(item.centre[:, 0], 0, 1)[frames] * 0.6 + 0.2
        ears = np.stack([np.sqrt(1 - right), np.sqrt(right)], axis=1)
        mix += (gain * source * envelope)[:, None] * ears
    return (np.clip(mix, -1, 1) * 32767).astype(np.int16)


def _envelope(sounding: NDArray[np.bool_]) -> Signal:
    """(T * 16000,) 0 or 1 a second, with short fades where the source starts or stops."""
    steps = np.repeat(sounding.astype(np.float64), SAMPLE_RATE)
    width = int(FADE_SECONDS * SAMPLE_RATE)
    padded = np.pad(steps, (width, 0), mode="edge")
    sums = np.cumsum(np.pad(padded, (1, 0)))
    # Mean of the current and the past: a source never sounds before its second begins.
    return np.asarray(((sums[width:] - sums[:-width]) / width)[1 : len(steps) + 1])
