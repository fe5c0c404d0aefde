"""Self-attention blocks: who attends to whom, against a plain formula, and initialisation."""

import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from auralsam2.models.attention import (
    MultiHeadSelfAttention,
    ReleasedTemporalAttention,
    SpatialReductionAttention,
    TemporalSelfAttention,
)

C, E = 16, 8


@pytest.fixture
def visual() -> Tensor:
    return torch.randn(2, 3, E * E, C)


def test_visual_blocks_never_mix_frames(visual: Tensor) -> None:
    module = SpatialReductionAttention(C, E, depth=2).eval()
    before = module(visual)
    visual[0, 1] += 1.0
    changed = (module(visual) - before).abs().amax((2, 3)) > 0
    assert changed.nonzero().tolist() == [[0, 1]]


def test_audio_blocks_mix_the_tokens_of_one_clip_only() -> None:
    module = TemporalSelfAttention(C, depth=1).eval()
    tokens = torch.randn(2, 5, C)
    before = module(tokens)
    tokens[0, 1] += torch.randn(C)
    changed = (module(tokens) - before).abs().amax(2) > 0
    assert changed.all(dim=1).tolist() == [True, False]
    assert not changed[1].any()


@pytest.mark.parametrize("reduction", [1, 4])
def test_attention_equals_the_softmax_formula(reduction: int) -> None:
    heads = 2
    module = MultiHeadSelfAttention(C, heads, 0.1, reduction, E).eval()
    tokens = torch.randn(2, E * E, C)
    context = tokens
    if reduction > 1:
        maps = F.conv2d(
            tokens.transpose(1, 2).reshape(2, C, E, E),
            module.reduction.weight,
            module.reduction.bias,
            stride=reduction,
        )
        context = module.reduction_norm(maps.flatten(2).transpose(1, 2))
    query, (key, value) = module.q(tokens), module.kv(context).chunk(2, dim=-1)
    heads_out = []
    for part in torch.arange(C).chunk(heads):
        scores = query[..., part] @ key[..., part].transpose(1, 2) / math.sqrt(C // heads)
        heads_out.append(scores.softmax(-1) @ value[..., part])
    torch.testing.assert_close(module(tokens), module.proj(torch.cat(heads_out, -1)))


def test_depth_zero_is_the_identity(visual: Tensor) -> None:
    assert SpatialReductionAttention(C, E, depth=0)(visual).equal(visual)
    assert TemporalSelfAttention(C, depth=0)(visual[:, :, 0]).equal(visual[:, :, 0])


def test_dropout_acts_in_training_only(visual: Tensor) -> None:
    module = SpatialReductionAttention(C, E, depth=1)
    assert not module(visual).equal(module(visual))
    module.eval()
    assert module(visual).equal(module(visual))


def test_initialisation_follows_the_fan_out() -> None:
    block = SpatialReductionAttention(64, 4, depth=1).blocks[0]
    assert block.mlp.fc1.weight.std().item() == pytest.approx(0.02, rel=0.05)
    reduction = math.sqrt(2 / (4 * 4 * 64))
    assert block.attn.reduction.weight.std().item() == pytest.approx(reduction, rel=0.05)
    depthwise = math.sqrt(2 / (3 * 3))  # each group has one output
    assert block.mlp.depthwise.weight.std().item() == pytest.approx(depthwise, rel=0.1)
    assert not block.mlp.depthwise.bias.any() and not block.attn.kv.bias.any()


def test_a_side_that_does_not_divide_names_the_fix() -> None:
    with pytest.raises(ValueError, match=r"side 14 .* to one of 1, 2, .*divisible by 64"):
        SpatialReductionAttention(C, 14, depth=1)


def test_heads_that_do_not_divide_are_refused() -> None:
    with pytest.raises(ValueError, match="16 channels are not divisible by num_heads=3"):
        TemporalSelfAttention(C, depth=1, num_heads=3)


def test_idle_parameters_change_nothing_and_get_no_gradient() -> None:
    released = ReleasedTemporalAttention(C, depth=2, dropout=0.0)
    published = TemporalSelfAttention(C, depth=2, dropout=0.0)
    idle = published.load_state_dict(released.state_dict(), strict=False).unexpected_keys
    tokens = torch.randn(2, 5, C)
    out = released(tokens)
    torch.testing.assert_close(out, published(tokens), atol=0, rtol=0)
    out.sum().backward()
    without = {n for n, p in released.named_parameters() if p.grad is None}
    assert without == set(idle) and len(idle) == 2 * 6
    assert all("unused_" in name for name in idle)


def test_real_size_owns_what_the_checkpoints_own() -> None:
    released = ReleasedTemporalAttention(256, depth=3)
    extra = sum(p.numel() for n, p in released.named_parameters() if "unused_" in n)
    # 4x4 reduction with its norm, and the depth-wise 3x3 of 1024 channels, in three blocks.
    assert extra == 3 * (256 * 256 * 16 + 256 + 512 + 1024 * 9 + 1024)
