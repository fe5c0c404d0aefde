"""SAM's image encoder under its release's names."""

from __future__ import annotations

import pytest
import torch

from auralsam2.engine.parity.sam_encoder import sam_encoder

CONFIG = dict(
    img_size=16, patch_size=4, embed_dim=8, depth=2, num_heads=2, mlp_ratio=3.0, out_chans=6,
    window_size=3, global_attn_indexes=[1], use_rel_pos=True,
)  # fmt: skip


def weights() -> dict[str, torch.Tensor]:
    """Those of the release, with shapes as its classes make them."""
    shapes = {"pos_embed": (1, 4, 4, 8), "patch_embed.proj.weight": (8, 3, 4, 4)}
    shapes |= {"neck.0.weight": (6, 8, 1, 1), "neck.2.weight": (6, 6, 3, 3)}
    shapes |= {f"neck.{i}.{kind}": (6,) for i in (1, 3) for kind in ("weight", "bias")}
    shapes["patch_embed.proj.bias"] = (8,)
    for block, side in (("blocks.0", 3), ("blocks.1", 4)):
        linear = {
            "attn.qkv": (24, 8),
            "attn.proj": (8, 8),
            "mlp.lin1": (24, 8),
            "mlp.lin2": (8, 24),
        }
        shapes |= {f"{block}.{name}.weight": size for name, size in linear.items()}
        shapes |= {f"{block}.{name}.bias": size[:1] for name, size in linear.items()}
        shapes |= {f"{block}.norm{i}.{kind}": (8,) for i in (1, 2) for kind in ("weight", "bias")}
        shapes |= {f"{block}.attn.rel_pos_{axis}": (2 * side - 1, 4) for axis in "hw"}
    torch.manual_seed(0)
    return {name: torch.randn(size) for name, size in shapes.items()}


@torch.no_grad()
def test_every_weight_is_taken_and_counts() -> None:
    given, images = weights(), torch.randn(1, 3, 16, 16)
    usual = sam_encoder(CONFIG, {**given, "mask_decoder.x": torch.ones(1)})(images)[0]
    assert usual.shape == (1, 6, 4, 4)
    for name, value in given.items():
        changed = sam_encoder(CONFIG, {**given, name: value + torch.randn_like(value)})(images)[0]
        assert not torch.allclose(changed, usual), name


def test_a_weight_that_is_missing() -> None:
    given = weights()
    del given["neck.2.weight"]
    with pytest.raises(RuntimeError, match="conv2"):
        sam_encoder(CONFIG, given)
