"""The fusion that does nothing."""

import torch

from auralsam2.models.fusion.none import NoFusion


def test_streams_pass_unchanged() -> None:
    visual, audio = torch.randn(1, 2, 4, 8), torch.randn(1, 2, 8)
    out = NoFusion(8)(visual, audio)
    assert out.visual is visual and out.audio is audio
    assert not list(NoFusion(8).parameters())
