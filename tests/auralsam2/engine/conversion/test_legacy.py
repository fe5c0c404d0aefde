"""Names of older exports."""

from __future__ import annotations

import pytest
import torch

from auralsam2.engine.conversion.legacy import (
    current_name,
    older_name,
    same_bits,
    with_current_names,
)

AUDIO_PROMPTER = {
    "audio_prompter.train_f_patch_embed1.weight": "patch_embeds.0.weight",
    "audio_prompter.train_f_block3.11.norm1.bias": "f_blocks.2.11.norm1.bias",
    "audio_prompter.train_a_block2.0.attn.sr.weight": "a_blocks.1.0.attn.sr.weight",
    "audio_prompter.train_f_a_block1.W_z.0.weight": "fusion_modules.0.W_z.0.weight",
    "audio_prompter.train_smooth2.bias": "smooth_convs.1.bias",
    "audio_prompter.train_proj_v1.proj.0.weight": "train_proj_v1.proj.0.weight",
    "audio_prompter.vgg.features.0.bias": "vgg.features.0.bias",
}
TRAINING_LAYERS = {
    "training_layers.0.weight": "patch_embeds.0.weight",
    "training_layers.2.bias": "patch_embeds.2.bias",
    "training_layers.3.0.norm1.weight": "f_blocks.0.0.norm1.weight",
    "training_layers.4.2.attn.q.weight": "a_blocks.0.2.attn.q.weight",
    "training_layers.5.g.weight": "fusion_modules.0.g.weight",
    "training_layers.6.5.mlp.fc1.bias": "f_blocks.1.5.mlp.fc1.bias",
    "training_layers.10.0.norm2.bias": "a_blocks.2.0.norm2.bias",
    "training_layers.11.W_z2.1.running_var": "fusion_modules.2.W_z2.1.running_var",
    "training_layers.12.weight": "smooth_convs.0.weight",
    "training_layers.13.weight": "smooth_convs.1.weight",
    "training_layers.14.proj.0.weight": "train_proj_v1.proj.0.weight",
    "training_layers.15.proj.3.bias": "train_proj_a1.proj.3.bias",
    "training_layers.16.2.weight": "text_proj.2.weight",
    "finetuning_layers.0.embeddings.4.bias": "vgg.embeddings.4.bias",
}


@pytest.mark.parametrize(("older", "current"), (AUDIO_PROMPTER | TRAINING_LAYERS).items())
def test_older_names(older: str, current: str) -> None:
    assert current_name(older) == current_name(f"module.{older}") == current
    naming = "audio_prompter" if older in AUDIO_PROMPTER else "training_layers"
    assert older.removeprefix("audio_prompter.") == older_name(current, naming)
    assert older_name(current, "current") == current


@pytest.mark.parametrize(
    ("wrapped", "current"),
    {
        "aural_fuser.f_blocks.0.0.norm1.bias": "f_blocks.0.0.norm1.bias",
        "module.aural_fuser.f_blocks.0.0.norm1.bias": "f_blocks.0.0.norm1.bias",
        "aural_fuser.module.smooth_convs.0.bias": "smooth_convs.0.bias",
        "audio_prompter.training_layers.12.bias": "smooth_convs.0.bias",
        "v_model.module.image_encoder.x": "v_model.image_encoder.x",
        "module.fuser.smooth.0.bias": "fuser.smooth.0.bias",
        "_orig_mod.aural_fuser.f_blocks.0._orig_mod.0.norm1.bias": "f_blocks.0.0.norm1.bias",
        "state_dict.model.aural_fuser.smooth_convs.0.bias": "smooth_convs.0.bias",
        "training_layers.17.weight": "training_layers.17.weight",
        "training_layers": "training_layers",
    }.items(),
)
def test_prefixes_go_and_unknown_names_stay(wrapped: str, current: str) -> None:
    assert current_name(wrapped) == current


def test_duplicates_are_told_and_dropped() -> None:
    one, two = torch.tensor([1.0, float("nan")]), torch.tensor([2.0])
    named = with_current_names(
        {
            "audio_prompter.training_layers.12.bias": one.clone(),
            "audio_prompter.train_smooth1.bias": one,
            "audio_prompter.training_layers.13.bias": two,
        }
    )
    assert named.duplicates == ("audio_prompter.training_layers.12.bias",)
    assert named.state["smooth_convs.0.bias"] is one
    assert named.state["smooth_convs.1.bias"] is two, "no other name of it: kept"
    assert named.origin["smooth_convs.0.bias"] == "audio_prompter.train_smooth1.bias"


@pytest.mark.parametrize("other", [torch.ones(2), torch.zeros(2, dtype=torch.float16)])
def test_duplicates_that_differ_are_an_error(other: torch.Tensor) -> None:
    state = {"smooth_convs.0.bias": torch.zeros(2), "training_layers.12.bias": other}
    with pytest.raises(ValueError, match="two names.*'smooth_convs.0.bias' and 'training_layers"):
        with_current_names(state)


def test_same_bits_compares_bits_and_types() -> None:
    zero, negative = torch.tensor(0.0), torch.tensor(-0.0)
    assert same_bits(zero, zero.clone()) and not same_bits(zero, negative)
    assert not same_bits(torch.zeros(2), torch.zeros(1, 2))
    assert same_bits(torch.tensor(7), torch.tensor(7))
