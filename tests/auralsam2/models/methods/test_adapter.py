"""SAM2 whose image encoder hears."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

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
