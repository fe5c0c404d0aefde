"""Parameters by part: every parameter of every kind of model belongs to exactly one."""

from __future__ import annotations

from typing import Any

import pytest
from torch import nn

from auralsam2.engine.parameter_parts import OTHER, PARTS, parameters_by_part, part_of
from auralsam2.models.auralsam2 import AuralSAM2
from auralsam2.registry import BACKBONES, MODELS


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("backbone.network.image_encoder.trunk.x", "image_encoder"),
        ("backbone.network.model.vision_encoder.x", "image_encoder"),
        ("backbone.network.sam_mask_decoder.x", "mask_decoder"),
        ("backbone.network.sam_prompt_encoder.x", "mask_decoder"),
        ("backbone.network.maskmem_tpos_enc", "memory"),
        ("audio_adapter.weight", "audio_encoder"),
        ("fuser.fusions.0.weight", "fuser"),
        ("fuser_of_my_own.weight", OTHER),
        ("encoder_adapters.adapters.0.weight", "adapters"),
    ],
)
def test_parts_are_found_by_the_beginnings_of_names(name: str, part: str) -> None:
    assert part_of(name) == part


def test_a_model_is_the_sum_of_its_parts(tiny_config: Any) -> None:
    model = MODELS.build(dict(tiny_config.model, image_size=128, decode="first"))
    assert isinstance(model, AuralSAM2)
    found = parameters_by_part(model.named_parameters())
    assert list(found) == [part for part in PARTS if part in found]
    own = {
        "fuser": [model.fuser],
        "audio_encoder": [model.audio_encoder, model.audio_adapter],
        "projector": [model.projector],
        "image_encoder": [model.backbone.network.image_encoder],
    }
    for part, modules in own.items():
        values = [p for module in modules for p in module.parameters()]
        trained = sum(p.numel() for p in values if p.requires_grad)
        assert found[part] == {"total": sum(p.numel() for p in values), "trainable": trained}
    assert found["image_encoder"]["trainable"] == 0 < found["fuser"]["trainable"]
    total = sum(p.numel() for p in model.parameters())
    assert sum(counts["total"] for counts in found.values()) == total and OTHER not in found


def test_backbones_of_transformers_have_the_same_parts() -> None:
    pytest.importorskip("transformers")
    model = nn.Module()
    model.backbone = BACKBONES.build(dict(type="SAMBackbone", size="mini", random_weights=True))
    assert list(parameters_by_part(model.named_parameters())) == ["image_encoder", "mask_decoder"]
