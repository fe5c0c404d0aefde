"""What every registered mask loss keeps."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from auralsam2.registry import MASK_LOSSES
from auralsam2.structures import Prediction

NAMES = MASK_LOSSES.names()
MASKS = (torch.rand(2, 2, 8, 8, generator=torch.Generator().manual_seed(0)) > 0.5).float()


def prediction(dtype: torch.dtype = torch.float32) -> Prediction:
    """Two clips of two frames; every field is a leaf of its own."""
    generator = torch.Generator().manual_seed(1)
    sizes = [(3, 4, 4), (3,), (1,), (4, 4), (2, 4, 4)]
    drawn = (torch.randn(2, 2, *size, generator=generator) for size in sizes)
    return Prediction(*(x.to(dtype).requires_grad_() for x in drawn))


def losses(name: str, given: Prediction, masks: Tensor, supervised: Tensor) -> dict[str, Tensor]:
    return MASK_LOSSES.build(dict(type=name))(given, masks, supervised)


@pytest.mark.parametrize("name", NAMES)
def test_frames_that_are_not_supervised_do_not_count(name: str) -> None:
    given, some = prediction(), torch.tensor([[True, False], [False, False]])
    found = losses(name, given, MASKS, some)
    first = Prediction(*(x[:1, :1] for x in given))
    alone = losses(name, first, MASKS[:1, :1], some[:1, :1])
    assert found.keys() == alone.keys() and any(alone.values())
    for key, value in alone.items():
        torch.testing.assert_close(found[key], value)


@pytest.mark.parametrize("name", NAMES)
def test_no_supervised_frame_gives_zero_with_a_graph(name: str) -> None:
    given = prediction()
    none = losses(name, given, MASKS, torch.zeros(2, 2, dtype=torch.bool))
    sum(none.values()).backward()
    assert not any(none.values())
    gradients = [x.grad for x in given if x.grad is not None]
    assert gradients and not any(gradient.any() for gradient in gradients)


@pytest.mark.parametrize("name", NAMES)
def test_half_precision_is_computed_in_single(name: str) -> None:
    found = losses(name, prediction(torch.bfloat16), MASKS, torch.ones(2, 2, dtype=torch.bool))
    assert {value.dtype for value in found.values()} == {torch.float32}
