"""SAM2 as ``transformers`` saves it (``Sam2VideoModel``), in the names of the official package."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from itertools import count

from torch import Tensor

from auralsam2.models.weights.loading import without_leading

MARK = "vision_encoder.backbone.patch_embed.projection.weight"
"""A name that only this format has."""

ROOTS = {
    "vision_encoder.backbone": "image_encoder.trunk",
    "vision_encoder.neck": "image_encoder.neck",
    "prompt_encoder": "sam_prompt_encoder",
    "mask_decoder": "sam_mask_decoder",
    "object_pointer_proj": "obj_ptr_proj",
    "temporal_positional_encoding_projection_layer": "obj_ptr_tpos_proj",
    "memory_temporal_positional_encoding": "maskmem_tpos_enc",
    "no_memory_embedding": "no_mem_embed",
    "no_memory_positional_encoding": "no_mem_pos_enc",
    "no_object_pointer": "no_obj_ptr",
    "occlusion_spatial_embedding_parameter": "no_obj_embed_spatial",
}
PARTS = {
    r"layer_norm_final_attn": "norm_final_attn",
    r"layer_norm(\d*)": r"norm\1",
    r"o_proj": "out_proj",
    r"patch_embed\.projection": "patch_embed.proj",
    r"neck\.convs\.(\d+)": r"neck.convs.\1.conv",
    r"feature_projection": "pix_feat_proj",
    r"memory_encoder\.projection": "memory_encoder.out_proj",
    r"memory_fuser\.layers\.(\d+)\.scale": r"fuser.layers.\1.gamma",
    r"memory_fuser": "fuser",
    r"depthwise_conv": "dwconv",
    r"pointwise_conv(\d)": r"pwconv\1",
    r"shared_embedding\.positional_embedding": "pe_layer.positional_encoding_gaussian_matrix",
}
# The official classes number what stands in a row, activations included.
IN_A_ROW = {
    "prompt_encoder.mask_embed.conv1": "prompt_encoder.mask_downscaling.0",
    "prompt_encoder.mask_embed.layer_norm1": "prompt_encoder.mask_downscaling.1",
    "prompt_encoder.mask_embed.conv2": "prompt_encoder.mask_downscaling.3",
    "prompt_encoder.mask_embed.layer_norm2": "prompt_encoder.mask_downscaling.4",
    "prompt_encoder.mask_embed.conv3": "prompt_encoder.mask_downscaling.6",
    "mask_decoder.upscale_conv1": "mask_decoder.output_upscaling.0",
    "mask_decoder.upscale_layer_norm": "mask_decoder.output_upscaling.1",
    "mask_decoder.upscale_conv2": "mask_decoder.output_upscaling.3",
}
DOWNSAMPLER = "memory_encoder.mask_downsampler"
STEP = 3
"""Modules of one step of the mask downsampler: convolution, norm, activation."""
TWIN = ("shared_image_embedding.", "prompt_encoder.shared_embedding.")
"""One tensor of two names, of which a file may hold either."""
POINTS = "sam_prompt_encoder.point_embed.weight"


def official_names(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Tensors of a file under the official names; a file that has these already stays as it is."""
    if not any(key.endswith(MARK) for key in state):
        return dict(state)
    plain = {without_leading(key).replace(*TWIN): value for key, value in state.items()}
    rows = {**IN_A_ROW, **_perceptrons(plain), **_downsampler(plain)}
    named = {_official(key, rows): value for key, value in plain.items()}
    points = named.pop(POINTS, ())
    return named | {
        f"sam_prompt_encoder.point_embeddings.{i}.weight": row[None] for i, row in enumerate(points)
    }


def _perceptrons(keys: Collection[str]) -> dict[str, str]:
    """``proj_in``, ``layers.0``, ..., ``proj_out`` are ``layers.0``, ``layers.1``, ..."""
    rows: dict[str, str] = {}
    for owner in (k.removesuffix(".proj_in.weight") for k in keys if k.endswith(".proj_in.weight")):
        inner = [f"layers.{i}" for i in range(_count(keys, f"{owner}.layers.{{}}.weight"))]
        for i, name in enumerate(["proj_in", *inner, "proj_out"]):
            rows[f"{owner}.{name}"] = f"{owner}.layers.{i}"
    return rows


def _downsampler(keys: Collection[str]) -> dict[str, str]:
    steps = _count(keys, f"{DOWNSAMPLER}.layers.{{}}.conv.weight")
    places = {f"layers.{i}.conv": STEP * i for i in range(steps)}
    places |= {f"layers.{i}.layer_norm": STEP * i + 1 for i in range(steps)}
    places["final_conv"] = STEP * steps
    return {f"{DOWNSAMPLER}.{name}": f"{DOWNSAMPLER}.encoder.{i}" for name, i in places.items()}


def _count(keys: Collection[str], name: str) -> int:
    return next(i for i in count() if name.format(i) not in keys)


def _official(key: str, rows: Mapping[str, str]) -> str:
    owner, dot, parameter = key.rpartition(".")
    key = rows.get(owner, owner) + dot + parameter
    for pattern, replacement in PARTS.items():
        key = re.sub(rf"(?:(?<=\.)|^){pattern}(?=\.|$)", replacement, key)
    root = next((root for root in ROOTS if key == root or key.startswith(f"{root}.")), None)
    return key if root is None else ROOTS[root] + key[len(root) :]
