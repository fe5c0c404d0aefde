"""The key lists of the full-size fusers: our modules have exactly their tensors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from auralsam2.engine.conversion.convert import Options, convert
from auralsam2.engine.parity.compare import Row, equal
from auralsam2.engine.parity.fixtures import Fixtures

NAME = "checkpoint_keys"
AUDIO_NETWORK = "vgg."


def check_keys(fixtures: Fixtures) -> Iterator[Row]:
    """Round trip of every list of keys, and the number of parameters outside VGGish."""
    for variant, about in fixtures.facts(NAME).items():
        yield from _check_list(variant, about)


def _check_list(variant: str, about: dict[str, Any]) -> Iterator[Row]:
    # Shapes are all that matters here: one number stands for every tensor.
    state = {k: torch.zeros(()).expand(shape) for k, shape in about["keys"].items()}
    yield equal(NAME, f"{variant}.count", len(state), about["count"])
    ours = convert(state, Options(to="ours")).state
    back = convert(ours, Options(to="authors")).state
    shapes = {key: list(value.shape) for key, value in back.items()}
    yield equal(NAME, f"{variant}.round_trip", shapes, about["keys"])
    parameters = sum(
        value.numel()
        for key, value in state.items()
        if not key.startswith(AUDIO_NETWORK)
        and not key.endswith(("running_mean", "running_var", "num_batches_tracked"))
    )
    yield equal(NAME, f"{variant}.parameters", parameters, about["parameters"])
