"""Sine position codes: of the tokens of a map (2-D) and of the tokens of a clip's sound (1-D)."""

from __future__ import annotations

import math

import torch
from torch import Tensor

TEMPERATURE = 10000.0


def _sine_code(positions: Tensor, channels: int) -> Tensor:
    """Interleaved sine and cosine of every position, (L,) -> (L, channels)."""
    pairs = torch.arange(0, channels, 2, dtype=torch.float32, device=positions.device)
    angles = positions[:, None] / TEMPERATURE ** (pairs / channels)  # (L, channels / 2)
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)


def sine_position_1d(length: int, channels: int, device: torch.device | None = None) -> Tensor:
    """Code of the index, from 0, of L tokens (Vaswani et al. 2017, section 3.5).

    Returns:
        float32 (L, C); even channels sine, odd cosine.

    Raises:
        ValueError: where C is odd.
    """
    if channels % 2:
        raise ValueError(f"a 1-D sine code needs an even number of channels, got {channels}")
    positions = torch.arange(length, dtype=torch.float32, device=device)
    return _sine_code(positions, channels)


def sine_position_2d(side: int, channels: int, device: torch.device | None = None) -> Tensor:
    """SAM2's code of the positions of a square map: the first half of the channels y, then x.

    Positions run from 1 to the side E and are normalised so that the last one lies at 2 pi.

    Returns:
        float32 (E * E, C) in row-major order of the map.

    Raises:
        ValueError: where C is not divisible by 4 (sine and cosine of two coordinates).
    """
    if channels % 4:
        raise ValueError(f"a 2-D sine code needs channels divisible by 4, got {channels}")
    # SAM2's epsilon; without it the fused code would differ from the backbone's in the last digits.
    positions = torch.arange(1, side + 1, dtype=torch.float32, device=device)
    positions = positions / (side + 1e-6) * 2 * math.pi
    code = _sine_code(positions, channels // 2)  # (E, C / 2)
    y = code[:, None].expand(side, side, -1)
    x = code[None].expand(side, side, -1)
    return torch.cat([y, x], dim=-1).flatten(0, 1)
