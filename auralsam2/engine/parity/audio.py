"""Group h: from a waveform to VGGish's input, and VGGish."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from auralsam2.data.audio import SAMPLE_RATE, log_mel_examples
from auralsam2.engine.parity.compare import Row, failure
from auralsam2.engine.parity.fixtures import Expected, Fixtures
from auralsam2.registry import AUDIO_ENCODERS

NAME, SPOKEN = "audio_features", "stereo5s"
EARS = ("ch0", "ch1")
HALF_PRECISION = 5e-3
"""Tolerance of cases whose expected values are stored in float16."""

RESAMPLED = 2e-2
EMBEDDING = 1e-3
FULL_SCALE = 32768.0


def check_audio(fixtures: Fixtures) -> Iterator[Row]:
    """Log-mel examples of every waveform, and embeddings with weights made by the recipe."""
    facts, held = fixtures.facts(NAME), fixtures.expected(NAME)
    numbers = held.numbers
    for key in sorted(numbers):
        case, _, kind = key.partition(".")
        if kind != "examples":
            continue
        waveform = _waveform(case, numbers)
        if waveform is None:
            yield failure(NAME, key, "no waveform, and no rule to make it")
            continue
        rate = int(facts[case]["sample_rate"])
        examples = log_mel_examples(waveform, rate, len(numbers[key]), rule="released")
        tolerance = HALF_PRECISION if case in facts.get("float16_cases", ()) else 1e-4
        if rate != SAMPLE_RATE:
            tolerance = RESAMPLED
        yield held.row(key, torch.from_numpy(examples), tolerance)
    if "vggish" in facts:
        yield from _check_vggish(facts["vggish"], held, _spoken(facts, numbers))


def _spoken(facts: dict[str, Any], numbers: dict[str, Tensor]) -> Tensor | None:
    """What VGGish heard, (T, 2, 96, 64): as released, else ours of the same waveform."""
    if f"{SPOKEN}.examples" in numbers:
        return numbers[f"{SPOKEN}.examples"]
    waveform = _waveform(SPOKEN, numbers)
    if waveform is None:
        return None
    rate, (num_frames, *_) = int(facts[SPOKEN]["sample_rate"]), facts[SPOKEN]["examples"]
    return torch.from_numpy(log_mel_examples(waveform, rate, num_frames, rule="released"))


def _waveform(case: str, numbers: dict[str, Tensor]) -> np.ndarray[Any, Any] | None:
    """(L, channels) in [-1, 1]."""
    if f"{case}.waveform_int16" in numbers:
        stored = numbers[f"{case}.waveform_int16"].numpy()
    elif case == "ten_seconds" and f"{SPOKEN}.waveform_int16" in numbers:
        half = numbers[f"{SPOKEN}.waveform_int16"].numpy()
        stored = np.concatenate([half, half[::-1]])
    else:
        return None
    samples = stored.astype(np.float64) / FULL_SCALE
    return samples[:, None] if samples.ndim == 1 else samples


def _check_vggish(facts: dict[str, Any], held: Expected, examples: Tensor | None) -> Iterator[Row]:
    encoder = AUDIO_ENCODERS.build({"type": "VGGish", "random_weights": True})
    state = {}
    for number, (key, about) in enumerate(facts["tensors"].items()):
        state[key] = _recipe(tuple(about["shape"]), int(facts["seed0"]) + number)
        expected = about.get("first", ())
        first = state[key].flatten()[: len(expected)]
        yield held.told(f"vggish.weights.{key}", first, expected or None, 1e-6)
    wanted = [ear for ear in EARS if f"vggish.embedding_{ear}" in held.numbers]
    if not wanted:
        return
    if examples is None:
        yield failure(NAME, "vggish", f"neither examples nor a waveform of '{SPOKEN}'")
        return
    encoder.network.load_state_dict(state, strict=True)
    with torch.no_grad():
        heard = encoder(examples[None])[0].chunk(2, dim=-1)
    for ear, value in zip(EARS, heard, strict=True):
        yield held.row(f"vggish.embedding_{ear}", value, EMBEDDING)


def _recipe(shape: tuple[int, ...], seed: int) -> Tensor:
    """Weights from NumPy's frozen legacy generator, as the fixture's recipe says."""
    uniform = np.random.RandomState(seed).random_sample(shape)
    bound = np.sqrt(6.0 / np.prod(shape[1:])) if len(shape) > 1 else 0.05
    return torch.from_numpy(((2.0 * uniform - 1.0) * bound).astype(np.float32))
