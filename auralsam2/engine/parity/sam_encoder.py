"""SAM's image encoder, which rivals adapted, from transformers with the authors' weights."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

NAMES = (
    (r"^patch_embed\.proj\.", "patch_embed.projection."),
    (r"^blocks\.", "layers."),
    (r"\.norm([12])\.", r".layer_norm\1."),
    (r"^neck\.0\.", "neck.conv1."),
    (r"^neck\.1\.", "neck.layer_norm1."),
    (r"^neck\.2\.", "neck.conv2."),
    (r"^neck\.3\.", "neck.layer_norm2."),
)
"""Patterns in the names of SAM's release -> what transformers calls them."""


def sam_encoder(config: Mapping[str, Any], weights: Mapping[str, Tensor]) -> nn.Module:
    """A frozen one in eval mode.

    Args:
        config: arguments of the released class.
        weights: under its names; of other modules than an encoder's they are left out.

    Raises:
        RuntimeError: where weights are missing or of other shapes.
    """
    from transformers import SamVisionConfig
    from transformers.models.sam.modeling_sam import SamVisionEncoder

    kept = ("img_size", "embed_dim", "depth", "num_heads", "mlp_ratio", "out_chans")
    side, width, depth, heads, ratio, out = (config[key] for key in kept)
    encoder = SamVisionEncoder(
        SamVisionConfig(
            image_size=side,
            patch_size=config["patch_size"],
            hidden_size=width,
            num_hidden_layers=depth,
            num_attention_heads=heads,
            mlp_dim=int(width * ratio),
            output_channels=out,
            window_size=config["window_size"],
            global_attn_indexes=list(config["global_attn_indexes"]),
            use_rel_pos=config["use_rel_pos"],
            attn_implementation="eager",
        )
    )
    state = {_renamed(key): value for key, value in weights.items()}
    known = encoder.state_dict()
    encoder.load_state_dict({key: state[key] for key in state if key in known}, strict=True)
    return encoder.eval().requires_grad_(False)


def _renamed(key: str) -> str:
    for pattern, name in NAMES:
        key = re.sub(pattern, name, key)
    return key
