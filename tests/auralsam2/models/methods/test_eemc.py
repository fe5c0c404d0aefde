"""Cues of sound, expression and sight as prompt tokens of a frozen SAM2."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from auralsam2.models.methods.eemc import EEMC
from auralsam2.registry import MODELS

K, D = 5, 12
RELEASED = dict(scramble_visual_tokens=True, attend_across_clips=True, freeze_attentions=True)

Best = Callable[..., Tensor]


class Ear(nn.Module):
    """The level of a frame's sound."""

    def __init__(self, out_channels: int = 4) -> None:
        super().__init__()
        self.out_channels = out_channels

    def forward(self, log_mel: Tensor) -> Tensor:
        return 10 * log_mel.mean(dim=(2, 3, 4))[..., None].expand(-1, -1, self.out_channels)


class Words(nn.Module):
    """An expression's bytes, in the place of an encoder's states."""

    def __init__(self, out_channels: int = D) -> None:
        super().__init__()
        self.out_channels = out_channels

    def forward(self, text: list[str]) -> Tensor:
        codes = [[float(b) for b in t.encode().ljust(K * D)[: K * D]] for t in text]
        return torch.tensor(codes).view(-1, K, D) / 10


def eemc(**changes: Any) -> EEMC:
    torch.manual_seed(0)
    node = dict(
        type="EEMC",
        backbone=dict(type="SAM2Backbone", checkpoint="builtin://sam2-mini"),
        audio_encoder=dict(type=Ear),
        text_encoder=dict(type=Words),
        mask_loss=dict(type="BinaryMaskLoss", loss_size=32),
        width=32,
        hidden_channels=16,
        map_size=2,
        image_size=64,
    )
    return MODELS.build({**node, **changes})


@pytest.mark.parametrize("switches", [{}, RELEASED], ids=["published", "released"])
def test_sound_and_words_reach_the_masks_and_only_the_cues_are_trained(
    switches: dict[str, bool], best: Best, clips: dict[str, Any]
) -> None:
    model = eemc(**switches)
    masks = best(model, clips)
    assert masks.shape == (2, 2, 16, 16)
    others = [dict(clips, log_mel=clips["log_mel"] + 3), dict(clips, text=["the cat", "a horn"])]
    assert all((best(model, other) - masks).abs().max() > 1e-3 for other in others)
    losses = model.train()(**clips)
    assert set(losses) == {"loss_mask"}
    losses["loss_mask"].backward()
    trained = {n for n, p in model.named_parameters() if p.requires_grad}
    assert trained == {n for n, p in model.named_parameters() if p.grad is not None}
    assert all(n.startswith("cues.") for n in trained)
    assert any("joint" in n for n in trained) == (not switches)


@pytest.mark.parametrize("across", [False, True])
def test_an_answer_hangs_on_the_batch_only_as_released(
    across: bool, best: Best, clips: dict[str, Any]
) -> None:
    model = eemc(attend_across_clips=across)
    first = {k: v[:1] for k, v in clips.items()}
    difference = (best(model, clips)[:1] - best(model, first)).abs().max()
    assert (difference > 1e-4) == across


def test_prompts_are_tokens_behind_those_of_the_output(best: Best, clips: dict[str, Any]) -> None:
    model, seen = eemc(), []
    transformer = model.backbone.network.sam_mask_decoder.transformer
    with transformer.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[2].shape)):
        best(model, clips)
    frames, positions = 2, 4
    assert seen == [(4, 6 + frames + positions + K + 2, 128)]


def test_maps_are_averaged_to_the_size_that_is_asked_for() -> None:
    maps = torch.arange(4.0).view(1, 1, 1, 2, 2)
    model = eemc()
    assert torch.equal(model._small(maps), maps)
    model.map_size = 1
    assert float(model._small(maps)) == 1.5


def test_what_cannot_work_is_told_at_once(clips: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="text_encoder must name .*width=32, num_heads=7"):
        eemc(num_heads=7, text_encoder=None)
    with pytest.raises(ValueError, match="map_size must be at least 1"):
        eemc(map_size=0)
    with pytest.raises(ValueError, match="one expression a clip, got none for 2"):
        eemc()(**{**clips, "text": None})
