"""From a waveform to VGGish's input, as AuralSAM2 and AVSBench compute it, and VGGish."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from auralsam2.data.audio import SAMPLE_RATE, log_mel_examples
from auralsam2.engine.parity.compare import Row, compare, failure
from auralsam2.engine.parity.fixtures import Expected
from auralsam2.registry import AUDIO_ENCODERS

SPOKEN = "stereo5s"
EARS = ("ch0", "ch1")
HALF_PRECISION = 5e-3
"""Tolerance of cases whose expected values are stored in float16."""

RESAMPLED = 2e-2
EMBEDDING = 1e-3
AVSBENCH = 2e-5
FULL_SCALE = 32768.0


def check_audio(expected: Expected) -> Iterator[Row]:
    """Log-mel examples of every waveform, and embeddings with weights made by the recipe."""
    facts, numbers = expected.facts, expected.numbers
    for key in sorted(numbers):
        case, _, kind = key.partition(".")
        if kind != "examples":
            continue
        waveform = _waveform(case, numbers)
        if waveform is None:
            yield failure(key, "no waveform, and no rule to make it")
            continue
        rate = int(facts[case]["sample_rate"])
        examples = log_mel_examples(waveform, rate, len(numbers[key]), rule="released")
        tolerance = HALF_PRECISION if case in facts.get("float16_cases", ()) else 1e-4
        if rate != SAMPLE_RATE:
            tolerance = RESAMPLED
        yield expected.row(key, torch.from_numpy(examples), tolerance)
    if "vggish" in facts:
        yield from _check_vggish(expected.under("vggish"), _spoken(facts, numbers))


def _spoken(facts: Mapping[str, Any], numbers: Mapping[str, Tensor]) -> Tensor:
    """What VGGish heard, (T, 2, 96, 64): as released, else ours of the same waveform."""
    if f"{SPOKEN}.examples" in numbers:
        return numbers[f"{SPOKEN}.examples"]
    rate, (num_frames, *_) = int(facts[SPOKEN]["sample_rate"]), facts[SPOKEN]["examples"]
    waveform = _samples(numbers[f"{SPOKEN}.waveform_int16"])
    return torch.from_numpy(log_mel_examples(waveform, rate, num_frames, rule="released"))


def _waveform(case: str, numbers: Mapping[str, Tensor]) -> NDArray[np.float64] | None:
    """(L, channels) in [-1, 1]."""
    if f"{case}.waveform_int16" in numbers:
        return _samples(numbers[f"{case}.waveform_int16"])
    if case == "ten_seconds" and f"{SPOKEN}.waveform_int16" in numbers:
        half = _samples(numbers[f"{SPOKEN}.waveform_int16"])
        return np.concatenate([half, half[::-1]])
    return None


def _samples(stored: Tensor) -> NDArray[np.float64]:
    samples = stored.numpy().astype(np.float64) / FULL_SCALE
    return samples[:, None] if samples.ndim == 1 else samples


def _check_vggish(expected: Expected, examples: Tensor) -> Iterator[Row]:
    encoder = AUDIO_ENCODERS.build({"type": "VGGish", "random_weights": True})
    state = {}
    for number, (key, about) in enumerate(expected.facts["tensors"].items()):
        state[key] = _recipe(tuple(about["shape"]), int(expected.facts["seed0"]) + number)
        if first := about.get("first"):
            got = state[key].flatten()[: len(first)]
            yield compare(f"vggish.weights.{key}", got, torch.tensor(first), 1e-6)
    encoder.network.load_state_dict(state, strict=True)
    with torch.no_grad():
        heard = encoder(examples[None])[0].chunk(2, dim=-1)
    for ear, value in zip(EARS, heard, strict=True):
        yield expected.row(f"embedding_{ear}", value, EMBEDDING)


def _recipe(shape: tuple[int, ...], seed: int) -> Tensor:
    """Weights from NumPy's frozen legacy generator, as the fixture's recipe says."""
    uniform = np.random.RandomState(seed).random_sample(shape)
    bound = np.sqrt(6.0 / np.prod(shape[1:])) if len(shape) > 1 else 0.05
    return torch.from_numpy(((2.0 * uniform - 1.0) * bound).astype(np.float32))


def check_avsbench_audio(expected: Expected) -> Iterator[Row]:
    """The mean of both channels: whole examples, and both ways in which they are padded."""
    samples, rate = _samples(expected.numbers["waveform_int16"]), expected.facts["sample_rate"]
    for key, rule in (
        ("examples", "zero_padded"),
        ("padded_s4_ms3", "released"),
        ("padded_avss", "zero_padded"),
    ):
        if key in expected.numbers:
            num_frames = 0 if key == "examples" else len(expected.numbers[key])
            examples = log_mel_examples(samples, int(rate), num_frames, rule, "mean")
            yield expected.row(key, torch.from_numpy(examples), AVSBENCH)
