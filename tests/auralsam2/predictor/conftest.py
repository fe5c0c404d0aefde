"""A small AuralSAM2 with random weights, and what it is shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from auralsam2.data.audio import SAMPLE_RATE, log_mel_examples
from auralsam2.data.images import Resizing
from auralsam2.models.auralsam2 import AuralSAM2
from auralsam2.predictor import AuralSAM2VideoPredictor
from auralsam2.predictor.trained import Trained

SIDE = 128


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def model(build_mini: Callable[..., AuralSAM2]) -> AuralSAM2:
    return build_mini()


@pytest.fixture
def predictor(model: AuralSAM2) -> AuralSAM2VideoPredictor:
    return AuralSAM2VideoPredictor(Trained(model, Resizing(SIDE)))


def pictures(count: int, height: int = 96, width: int = 112) -> list[NDArray[np.uint8]]:
    """A bright square that moves to the right over a dark ground with some noise."""
    rng = np.random.default_rng(0)
    drawn = rng.integers(0, 60, (count, height, width, 3), dtype=np.uint8)
    for t, picture in enumerate(drawn):
        left = 20 + 4 * (t % 10)
        picture[30:60, left : left + 30] = (220, 180, 40)
    return list(drawn)


def tones(seconds: float, rate: int = SAMPLE_RATE) -> tuple[NDArray[np.float64], int]:
    """Two ears of noise that grows louder."""
    rng, length = np.random.default_rng(1), round(seconds * rate)
    return rng.normal(size=(length, 2)) * np.linspace(0.02, 0.2, length)[:, None], rate


@pytest.fixture
def shown() -> Callable[..., list[NDArray[np.uint8]]]:
    return pictures


@pytest.fixture
def heard() -> Callable[..., tuple[NDArray[np.float64], int]]:
    return tones


@pytest.fixture
def answer_of() -> Callable[..., Any]:
    """Return what a model itself says of pictures, one a second, and their sound."""

    def answer(
        model: AuralSAM2, frames: list[NDArray[np.uint8]], sound: tuple[Any, int], **more: Any
    ) -> dict[str, Any]:
        examples = log_mel_examples(*sound, len(frames))
        blank = torch.zeros(1, len(frames), *frames[0].shape[:2])
        with torch.no_grad():
            (result,) = model(
                mode="predict",
                frames=torch.from_numpy(Resizing(SIDE).resize_frames(frames))[None],
                log_mel=torch.from_numpy(examples)[None],
                masks=blank,
                supervised=torch.ones(1, len(frames), dtype=torch.bool),
                clip=["shown"],
                **more,
            )
        return result

    return answer


@pytest.fixture
def propagated() -> Callable[..., dict[int, torch.Tensor]]:
    """Return all masks of a propagation by frame."""

    def run(predictor: Any, state: dict[str, Any], **how: Any) -> dict[int, torch.Tensor]:
        return {f: m.clone() for f, _, m in predictor.propagate_in_video(state, **how)}

    return run
