"""The five sizes of SAM2 as differences from the official configuration files, and their weights.

Nothing here imports ``sam2``: a size is a plain description. The four published sizes name the
official file; ``mini`` is a difference from the official *tiny* file, so that it stays a SAM2 made
of the official classes only.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from auralsam2.models.weights import locate
from auralsam2.weight_files import BUILTIN, SAM2_SIZES, SAM2_SOURCE, SAM2_VERSIONS, sam2_file

if TYPE_CHECKING:
    from torch import Tensor

VERSIONS = tuple(SAM2_VERSIONS)
SIZE_MULTIPLE = 32
"""Of which the side of the input in pixels is a multiple, as its stages halve it."""


class Size(NamedTuple):
    """One backbone size."""

    letter: str  # the suffix of the official configuration file
    image_size: int  # the side of the square input in pixels that the weights were trained with
    trunk: tuple[int, int]  # width and number of blocks, by which weights are recognised
    # Dotted path in the official model configuration -> value.
    overrides: Mapping[str, Any] = MappingProxyType({})


MINI_CHANNELS = 128
"""Width of the neck, the memory attention and the mask decoder; of the others it is 256."""

# Widths are chosen for two CPU cores: the encoder of a 128 px frame takes a few milliseconds.
_MINI: dict[str, Any] = {
    "image_encoder.trunk.embed_dim": 32,
    "image_encoder.trunk.stages": [1, 2, 4, 1],
    "image_encoder.trunk.global_att_blocks": [4, 5, 6],
    "image_encoder.trunk.window_spec": [8, 4, 8, 4],
    "image_encoder.trunk.window_pos_embed_bkg_spatial_size": [8, 8],
    "image_encoder.neck.d_model": MINI_CHANNELS,
    "image_encoder.neck.position_encoding.num_pos_feats": MINI_CHANNELS,
    "image_encoder.neck.backbone_channel_list": [256, 128, 64, 32],
    "memory_attention.d_model": MINI_CHANNELS,
    "memory_attention.num_layers": 2,
    "memory_attention.layer.d_model": MINI_CHANNELS,
    "memory_attention.layer.dim_feedforward": 512,
    "memory_attention.layer.dropout": 0.0,
    "memory_attention.layer.self_attention.embedding_dim": MINI_CHANNELS,
    "memory_attention.layer.self_attention.dropout": 0.0,
    "memory_attention.layer.cross_attention.embedding_dim": MINI_CHANNELS,
    "memory_attention.layer.cross_attention.dropout": 0.0,
    "memory_encoder.in_dim": MINI_CHANNELS,
    "memory_encoder.mask_downsampler.embed_dim": MINI_CHANNELS,
    "memory_encoder.fuser.layer.dim": MINI_CHANNELS,
    # The published value 1e-6 needs a long training before the memory's fuser does anything.
    "memory_encoder.fuser.layer.layer_scale_init_value": 0.1,
}

SIZES: dict[str, Size] = {
    "mini": Size("t", 128, (32, 8), _MINI),
    "tiny": Size("t", 1024, (96, 12)),
    "small": Size("s", 1024, (96, 16)),
    "base_plus": Size("b+", 1024, (112, 24)),
    "large": Size("l", 1024, (144, 48)),
}

CONFIG_KEY = "model.backbone.checkpoint"
WIDTH, BLOCK = (
    "image_encoder.trunk.patch_embed.proj.bias",
    "image_encoder.trunk.blocks.{}.norm1.bias",
)
SINCE_2_1 = "no_obj_embed_spatial"
MEMORY = "memory_encoder.out_proj.bias"


def recognise(state: Mapping[str, Tensor]) -> str:
    """Say which SAM2 a file of official names holds; "" of none."""
    if WIDTH not in state:
        return ""
    trunk = len(state[WIDTH]), next(i for i in count() if BLOCK.format(i) not in state)
    size = next((name for name, spec in SIZES.items() if spec.trunk == trunk), None)
    if size is None:
        return f"It holds a SAM2 of another build, {trunk[0]} channels and {trunk[1]} blocks"
    if MEMORY not in state:
        return f"It holds the parts of SAM2 {size!r} for images alone, without its memory"
    version = "2.1" if SINCE_2_1 in state else "2.0"
    return f"It holds SAM2 {version} {size!r} (`model.backbone.version`, `model.backbone.size`)"


def checkpoint_problem(
    size: str, version: str, checkpoint: str | None, random_weights: bool
) -> ValueError | FileNotFoundError | None:
    """What stands in the way of loading, found without building anything."""
    where = (
        f"the published file is {sam2_file(size, version)}, from {SAM2_SOURCE} (a folder of "
        "transformers with the same weights does as well)"
        if size in SAM2_SIZES and version in SAM2_VERSIONS
        else f"the weights that come with this package are '{BUILTIN}sam2-mini'"
    )
    if checkpoint is not None and random_weights:
        return ValueError(f"SAM2 {size!r} got both {checkpoint=} and random_weights=True")
    if checkpoint is None and not random_weights:
        return ValueError(
            f"SAM2 {size!r} got checkpoint=None; {where}: set `{CONFIG_KEY}` to its path (or set "
            "`model.backbone.random_weights` to True to go without, on purpose)"
        )
    if checkpoint is not None and not locate(checkpoint).is_file():
        return FileNotFoundError(
            f"no SAM2 weights at '{checkpoint}'; {where}: set `{CONFIG_KEY}` to its path"
        )
    return None
