"""Concatenation and MLP."""

import torch
from torch.nn import functional as F

from auralsam2.models.fusion.concat_mlp import ConcatMLPFusion

C = 16


@torch.no_grad()
def test_equals_the_formula_for_one_token() -> None:
    fusion = ConcatMLPFusion(C, hidden_channels=24).eval()
    visual, audio = torch.randn(2, 3, 4, C), torch.randn(2, 3, C)
    out = fusion(visual, audio)
    token = visual[1, 2, 3]
    hidden = F.gelu(fusion.hidden(torch.cat([token, audio[1, 2]])))
    torch.testing.assert_close(out.visual[1, 2, 3], fusion.visual_norm(token + fusion.out(hidden)))
    assert out.audio is audio and hidden.shape == (24,)
