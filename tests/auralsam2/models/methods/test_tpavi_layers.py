"""Neck and decoder of AVSBench's network."""

from __future__ import annotations

import torch

from auralsam2.models.methods.tpavi_layers import DilatedNeck


def test_the_neck_is_a_sum_over_dilations() -> None:
    neck, x = DilatedNeck(3, 8, (1, 2)), torch.randn(2, 3, 5, 5)
    torch.testing.assert_close(neck(x), neck.convs[0](x) + neck.convs[1](x))
