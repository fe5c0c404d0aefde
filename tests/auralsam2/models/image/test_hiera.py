"""SAM2's trunk alone."""

from __future__ import annotations

import pytest
import torch

from auralsam2.models.image.hiera import HieraStages
from auralsam2.models.weights.loading import loaded_weights

MINI = dict(type="SAM2Backbone", checkpoint="builtin://sam2-mini")


def test_its_stages_are_those_in_front_of_the_neck() -> None:
    from auralsam2.registry import BACKBONES

    whole = BACKBONES.build(MINI, image_size=64)
    encoder = HieraStages(MINI, image_size=64)
    assert encoder.channels == (32, 64, 128, 256)
    x = torch.randn(2, 3, 64, 64)
    seen = []
    neck = whole.network.image_encoder.neck
    neck.register_forward_pre_hook(lambda _, args: seen.extend(args[0]))
    whole(x[None])
    maps = encoder.train()(x)
    assert [m.shape[-1] for m in maps] == [16, 8, 4, 2]
    assert all(torch.equal(ours, theirs) for ours, theirs in zip(maps, seen, strict=True))
    assert {name.split(".")[0] for name, _ in encoder.named_parameters()} == {"trunk"}
    assert loaded_weights(encoder)[0]["file"] == "sam2-mini.safetensors"


@pytest.mark.parametrize("frozen", [True, False])
def test_the_node_of_the_backbone_says_whether_it_is_trained(frozen: bool) -> None:
    encoder = HieraStages(dict(MINI, frozen=frozen), image_size=64).train()
    maps = encoder(torch.randn(1, 3, 64, 64))
    assert maps[-1].requires_grad is not frozen
    assert encoder.trunk.training is not frozen
    assert all(p.requires_grad is not frozen for p in encoder.parameters())
