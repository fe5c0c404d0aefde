"""SAM2 of transformers, with random weights, against the official classes with the same ones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from auralsam2.models.backbones.sam2.build import build_sam2
from auralsam2.models.backbones.sam2.network import PromptableSAM2
from auralsam2.models.backbones.sam2.sizes import SIZES, recognise
from auralsam2.models.backbones.sam2.transformers_names import official_names
from auralsam2.models.backbones.sam2_backbone import SAM2Backbone
from auralsam2.models.weights.loading import compare, loaded_weights

transformers = pytest.importorskip("transformers", reason="needs the extra `text`: transformers")

SIDE = 128
TOLERANCE = 1e-4
BUILDS = [*((size, "2.1") for size in SIZES), ("tiny", "2.0")]


def of_transformers(network: PromptableSAM2, version: str) -> Any:
    """The same network of transformers, with weights of its own, seeded."""
    trunk, encoder = network.image_encoder.trunk, network.memory_encoder
    width, side = network.hidden_dim, network.embedding_size
    first = [0, *(end + 1 for end in trunk.stage_ends[:-1])]
    backbone = {
        "hidden_size": trunk.patch_embed.proj.out_channels,
        "blocks_per_stage": [end + 1 - start for start, end in zip(first, trunk.stage_ends)],
        "embed_dim_per_stage": trunk.channel_list[::-1],
        "num_attention_heads_per_stage": [
            trunk.blocks[end].attn.num_heads for end in trunk.stage_ends
        ],
        "window_size_per_stage": list(trunk.window_spec),
        "global_attention_blocks": list(trunk.global_att_blocks),
        "window_positional_embedding_background_size": list(
            trunk.window_pos_embed_bkg_spatial_size
        ),
        "image_size": [SIDE, SIDE],
        "model_type": "sam2_hiera_det_model",
    }
    vision = {
        "backbone_config": backbone,
        "backbone_channel_list": trunk.channel_list,
        "backbone_feature_sizes": [[4 * side] * 2, [2 * side] * 2, [side] * 2],
        "fpn_hidden_size": width,
        "model_type": "sam2_vision_model",
    }
    config = transformers.Sam2VideoConfig(
        vision_config=vision,
        prompt_encoder_config={"hidden_size": width, "image_size": SIDE},
        mask_decoder_config={"hidden_size": width},
        image_size=SIDE,
        enable_occlusion_spatial_embedding=version == "2.1",
        enable_temporal_pos_encoding_for_object_pointers=version == "2.1",
        memory_attention_hidden_size=width,
        memory_attention_num_layers=network.memory_attention.num_layers,
        memory_attention_feed_forward_hidden_size=network.memory_attention.layers[
            0
        ].linear1.out_features,
        memory_attention_rope_feat_sizes=[side, side],
        memory_encoder_hidden_size=width,
        memory_encoder_output_channels=network.mem_dim,
        mask_downsampler_embed_dim=width,
        memory_fuser_embed_dim=width,
        memory_fuser_intermediate_dim=encoder.fuser.layers[0].pwconv1.out_features,
    )
    model = transformers.Sam2VideoModel(config).eval()
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, tensor in model.state_dict().items():
            scale = 1.0 if "positional_embedding" in name else 0.05
            tensor.copy_(scale * torch.randn(tensor.shape, generator=generator))
            if "norm" in name and name.endswith("weight"):
                tensor.add_(1)
        shared = model.prompt_encoder.shared_embedding.positional_embedding
        model.shared_image_embedding.positional_embedding.copy_(shared)
    return model


@pytest.fixture(scope="module", params=BUILDS, ids=" ".join)
def pair(request: pytest.FixtureRequest) -> Iterator[tuple[Any, PromptableSAM2]]:
    size, version = request.param
    official = build_sam2(size, version, SIDE).eval()
    theirs = of_transformers(official, version)
    state = official_names(theirs.state_dict())
    assert compare(state, official.state_dict()).complete
    trunk = official.image_encoder.trunk
    assert SIZES[size].trunk == (trunk.patch_embed.proj.out_channels, len(trunk.blocks))
    assert f"{version} {size!r}" in recognise(state)
    official.load_state_dict(state)
    with torch.no_grad():
        yield theirs, official


def drawn(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(1))


def close(ours: Tensor, theirs: Tensor) -> None:
    assert ours.shape == theirs.shape
    assert ours.abs().max() > 1e-3  # something flows
    scale = float(theirs.abs().max().clamp(min=1))
    assert float((ours - theirs).abs().max()) / scale < TOLERANCE


def test_the_pyramid_is_the_same(pair: tuple[Any, PromptableSAM2]) -> None:
    theirs, ours = pair
    frames = drawn(1, 3, SIDE, SIDE)
    found = theirs.vision_encoder(frames).fpn_hidden_states
    for level, other in zip(ours.raw_pyramid(frames), found, strict=True):
        close(level, other)


def test_prompts_and_masks_are_the_same(pair: tuple[Any, PromptableSAM2]) -> None:
    theirs, ours = pair
    width, side = ours.hidden_dim, ours.embedding_size
    image, fine, middle = (
        drawn(1, width, side, side),
        drawn(1, width // 8, 4 * side, 4 * side),
        drawn(1, width // 4, 2 * side, 2 * side),
    )
    coords, labels = torch.tensor([[[40.0, 30.0], [90.0, 70.0]]]), torch.tensor([[1, 0]])
    masks = drawn(1, 1, 4 * side, 4 * side)
    sparse, dense = ours.sam_prompt_encoder(points=(coords, labels.int()), boxes=None, masks=masks)
    their_sparse, their_dense = theirs.prompt_encoder(coords[:, None], labels[:, None], None, masks)
    close(sparse, their_sparse[:, 0])
    close(dense, their_dense)
    logits, ious, tokens, score = ours._predict_masks(image, [fine, middle], sparse, dense)
    found = theirs.mask_decoder(
        image_embeddings=image,
        image_positional_embeddings=theirs.get_image_wide_positional_embeddings(),
        sparse_prompt_embeddings=their_sparse,
        dense_prompt_embeddings=their_dense,
        multimask_output=True,
        high_resolution_features=[fine, middle],
    )
    for mine, other in zip((logits[:, 1:], ious[:, 1:], tokens[:, 1:], score), found, strict=True):
        close(mine, other[:, 0])
    close(ours.obj_ptr_proj(tokens), theirs.object_pointer_proj(tokens))


def test_memories_are_the_same(pair: tuple[Any, PromptableSAM2]) -> None:
    theirs, ours = pair
    width, side = ours.hidden_dim, ours.embedding_size
    features, mask = drawn(1, width, side, side), drawn(1, 1, SIDE, SIDE)
    memory = ours.memory_encoder(features, mask, skip_mask_sigmoid=True)
    stored, position = theirs.memory_encoder(features, mask)
    close(memory["vision_features"], stored)
    close(memory["vision_pos_enc"][0], position)
    pointers = drawn(4, 1, ours.mem_dim)
    bank = torch.cat([stored.flatten(2).permute(2, 0, 1), pointers])
    codes = torch.cat([position.flatten(2).permute(2, 0, 1), pointers])
    flat = features.flatten(2).permute(2, 0, 1)
    (code,) = ours.position_maps(1)
    attended = ours.memory_attention(
        curr=[flat], curr_pos=[code], memory=bank, memory_pos=codes, num_obj_ptr_tokens=4
    )
    close(attended, theirs.memory_attention(flat, bank, code, codes, 4).view_as(attended))


def test_a_folder_is_read_as_it_is(tmp_path: Path) -> None:
    theirs = of_transformers(build_sam2("mini", "2.1", SIDE), "2.1")
    theirs.save_pretrained(tmp_path)
    backbone = SAM2Backbone("mini", "2.1", str(tmp_path))
    expected = official_names(theirs.state_dict())
    state = backbone.network.state_dict()
    assert all(torch.equal(state[name], expected[name]) for name in state)
    (noted,) = loaded_weights(backbone)
    assert noted["matched"] == len(state) and not noted["examples"]


def test_another_size_and_generation_are_named(tmp_path: Path) -> None:
    of_transformers(build_sam2("mini", "2.1", SIDE), "2.1").save_pretrained(tmp_path)
    with pytest.raises(ValueError, match=r"It holds SAM2 2\.1 'mini'"):
        SAM2Backbone("tiny", "2.1", str(tmp_path))
    file = tmp_path / "old.pt"
    torch.save(build_sam2("mini", "2.0", SIDE).state_dict(), file)
    with pytest.raises(ValueError, match=r"It holds SAM2 2\.0 'mini'"):
        SAM2Backbone("mini", "2.1", str(file))
    images = {k: v for k, v in torch.load(file).items() if not k.startswith("mem")}
    torch.save(images, file)
    with pytest.raises(ValueError, match="for images alone"):
        SAM2Backbone("mini", "2.0", str(file))


def test_a_folder_without_weights_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no SAM2 weights at .*folder of transformers"):
        SAM2Backbone("tiny", "2.1", str(tmp_path))
