"""SAM2 whose image encoder hears."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from auralsam2.models.methods.adapter import AudioAdapters

Build = Callable[..., Any]


def test_it_begins_as_the_unprompted_sam2(build: Build, clips: dict[str, Any]) -> None:
    tracker = dict(type="MemoryTracker", use_memory=False)
    ours, theirs = build("adapter"), build("unprompted", tracker=tracker)
    with torch.no_grad():
        one = ours.eval()(**clips, mode="tensor")
        other = theirs.eval()(**clips, mode="tensor")
    assert torch.equal(one.best, other.best)


def test_one_adapter_in_front_of_every_block_of_the_stages(build: Build) -> None:
    blocks = build("adapter").backbone.network.image_encoder.trunk.blocks
    every, late = build("adapter", stages=(1, 2, 3, 4)), build("adapter", stages=(4, 3))
    assert list(every.adapters.adapters) == [str(i) for i in range(len(blocks))]
    assert list(late.adapters.adapters) == [str(i) for i in range(3, len(blocks))]
    widths = [a[2].out_features for a in every.adapters.adapters.values()]
    assert widths == [block.dim for block in blocks]


def test_the_state_dict_of_sam2_keeps_its_keys(build: Build) -> None:
    ours, plain = build("adapter").backbone, build("unprompted").backbone
    assert ours.state_dict().keys() == plain.state_dict().keys()


def test_all_problems_are_told_at_once(build: Build) -> None:
    with pytest.raises(ValueError) as caught:
        build("adapter", stages=(3, 3, 5), hidden_channels=0, feature_cache_mb=10)
    for part in ("each once, got (3, 3, 5)", "hidden_channels=0", "feature_cache_mb must be 0"):
        assert part in str(caught.value)


WIDTHS, STAGE_ENDS = (4, 4, 8, 8), [0, 1, 2, 3]


class Block(nn.Module):
    def __init__(self, dim: int, dim_out: int) -> None:
        super().__init__()
        self.dim = dim
        self.proj = nn.Linear(dim, dim_out)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.proj(tokens)


class Trunk(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(Block(a, b) for a, b in zip(WIDTHS, (*WIDTHS[1:], 8)))
        self.stage_ends = STAGE_ENDS
        self.requires_grad_(False)

    def forward(self, tokens: Tensor) -> Tensor:
        for block in self.blocks:
            tokens = block(tokens)
        return tokens


def adapted(**arguments: object) -> tuple[Trunk, AudioAdapters]:
    torch.manual_seed(0)
    trunk = Trunk()
    return trunk, AudioAdapters(trunk, audio_channels=5, hidden_channels=3, **arguments)


def test_adapters_begin_at_nothing_and_then_add_the_sound_everywhere() -> None:
    trunk, adapters = adapted()
    tokens, audio = torch.randn(2, 6, 6, 4), torch.randn(2, 5)
    plain = trunk(tokens)
    with adapters.hearing(audio):
        assert torch.equal(trunk(tokens), plain)
        nn.init.normal_(adapters.adapters["0"][2].weight)
        heard = trunk(tokens)
    expected = trunk(tokens + adapters.adapters["0"](audio)[:, None, None])
    torch.testing.assert_close(heard, expected)
    assert not torch.equal(heard, plain)
    assert torch.equal(trunk(tokens), plain), "deaf outside of the context"


def test_an_error_inside_leaves_the_trunk_deaf() -> None:
    trunk, adapters = adapted()
    nn.init.normal_(adapters.adapters["0"][2].weight)
    tokens = torch.randn(1, 2, 2, 4)
    plain = trunk(tokens)
    with pytest.raises(RuntimeError), adapters.hearing(torch.randn(1, 5)):
        raise RuntimeError
    assert torch.equal(trunk(tokens), plain)


@pytest.mark.parametrize(("stages", "names"), [((1, 2, 3, 4), "0123"), ((3, 4), "23"), ((2,), "1")])
def test_stages(stages: tuple[int, ...], names: str) -> None:
    _, adapters = adapted(stages=stages)
    assert list(adapters.adapters) == list(names)


def test_gradient_passes_the_frozen_blocks() -> None:
    trunk, adapters = adapted()
    audio = torch.randn(2, 5, requires_grad=True)
    for adapter in adapters.adapters.values():
        nn.init.normal_(adapter[2].weight)
    with adapters.hearing(audio):
        trunk(torch.randn(2, 6, 6, 4)).square().sum().backward()
    assert (audio.grad != 0).any()
    assert all((p.grad != 0).any() for p in adapters.parameters())
    assert all(p.grad is None for p in trunk.parameters())
