"""Sine codes against formulas written out one entry at a time."""

import math

import pytest
import torch

from auralsam2.models.position import sine_position_1d, sine_position_2d


def _naive(position: float, channel: int, channels: int) -> float:
    angle = position / 10000 ** (2 * (channel // 2) / channels)
    return math.sin(angle) if channel % 2 == 0 else math.cos(angle)


def test_1d_code_equals_the_formula() -> None:
    code = sine_position_1d(7, 12)
    expected = [[_naive(t, c, 12) for c in range(12)] for t in range(7)]
    torch.testing.assert_close(code, torch.tensor(expected))


def test_1d_code_tells_frames_apart() -> None:
    code = sine_position_1d(5, 8)
    # The released code gives every frame this first row.
    assert code[0].tolist() == [0.0, 1.0] * 4
    assert torch.cdist(code, code).add(torch.eye(5)).min() > 0.5


@pytest.mark.parametrize("side", [1, 3])
def test_2d_code_is_y_then_x_normalised_to_one_turn(side: int) -> None:
    code = sine_position_2d(side, 16)
    assert code.shape == (side * side, 16)
    turn = [(i + 1) / side * 2 * math.pi for i in range(side)]
    for y in range(side):
        for x in range(side):
            expected = [_naive(turn[y], c, 8) for c in range(8)]
            expected += [_naive(turn[x], c, 8) for c in range(8)]
            torch.testing.assert_close(
                code[y * side + x], torch.tensor(expected), atol=1e-5, rtol=0
            )


def test_widths_that_do_not_divide_are_refused() -> None:
    with pytest.raises(ValueError, match="divisible by 4, got 30"):
        sine_position_2d(4, 30)
    with pytest.raises(ValueError, match="even number of channels, got 7"):
        sine_position_1d(4, 7)
