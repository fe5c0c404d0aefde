"""The released audio attention: the published computation with idle parameters."""

import torch

from auralsam2.models.attention import TemporalSelfAttention
from auralsam2.models.attention_released import ReleasedTemporalAttention

C = 16


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
