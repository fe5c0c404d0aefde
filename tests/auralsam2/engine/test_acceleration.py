"""Compiled and laid out otherwise, a model computes the same."""

from __future__ import annotations

import copy
import logging
import shutil

import pytest
import torch
from mmengine.config import ConfigDict
from torch import Tensor, nn

from auralsam2 import messages
from auralsam2.engine.acceleration import accelerate, compile_or_not
from auralsam2.registry import MODELS


class _Layers(nn.Module):  # torch.compile passes torch's own containers over
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(8, 8), nn.GELU(), nn.Dropout(0.5))

    def forward(self, seen: Tensor) -> Tensor:
        return self.layers(seen)


def _layers() -> _Layers:
    torch.manual_seed(0)
    return _Layers()


def test_what_cannot_be_compiled_goes_on_with_one_message(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    from torch._inductor import config

    monkeypatch.setattr(messages, "_SAID", set())
    plain = _layers().eval()
    part, seen = copy.deepcopy(plain), torch.randn(5, 8)
    compile_or_not(part, "a part")
    without_compiler = {"cpp.cxx": (None, "no-such-compiler"), "force_disable_caches": True}
    with config.patch(without_compiler), caplog.at_level(logging.WARNING, logger="auralsam2"):
        first = part(seen)
    assert torch.equal(first, plain(seen)) and torch.equal(part(seen), first)
    said = [r.getMessage() for r in caplog.records if r.name == "auralsam2"]
    assert len(said) == 1 and said[0].startswith("runtime.compile: a part goes on uncompiled: ")


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="compiling on the CPU needs a compiler")
def test_a_compiled_part_computes_and_draws_the_same() -> None:
    plain = _layers()
    part, seen = copy.deepcopy(plain), torch.randn(5, 8)
    names = set(part.state_dict())
    compile_or_not(part, "a part")
    outputs = []
    for layers in (plain, part):
        torch.manual_seed(1)
        with torch.no_grad():
            outputs.append(layers(seen))
    assert part._compiled_call_impl is not None
    assert set(part.state_dict()) == names and type(part) is _Layers
    torch.testing.assert_close(*outputs)


def test_only_what_is_asked_for_is_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    backbone = dict(type="SAM2Backbone", size="mini", random_weights=True)
    tracker = dict(type="MemoryTracker")
    model = MODELS.build(dict(type="UnpromptedSAM2", backbone=backbone, tracker=tracker)).eval()
    frames = torch.randint(0, 256, (1, 2, 3, 128, 128), dtype=torch.uint8)
    encoder = model.backbone.network.image_encoder
    patches = encoder.trunk.patch_embed.proj.weight

    accelerate(model, ConfigDict())
    assert patches.is_contiguous() and encoder._compiled_call_impl is None
    with torch.no_grad():
        before = model.encode(frames)
        accelerate(model, ConfigDict(channels_last=True))
        after = model.encode(frames)
    assert patches.is_contiguous(memory_format=torch.channels_last)
    for ours, expected in zip(after.levels, before.levels, strict=True):
        torch.testing.assert_close(ours, expected, rtol=1e-4, atol=1e-4)

    accelerate(model, ConfigDict(compile=True))
    assert encoder._compiled_call_impl is not None
