"""The lower line is AuralSAM2 with everything that listens switched off."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from auralsam2 import config
from auralsam2.engine.evaluate import build_model


def test_it_is_auralsam2_without_prompts(build: Callable[..., Any], clips: dict[str, Any]) -> None:
    off = dict.fromkeys(
        [f"model.{key}" for key in ("sparse_prompt", "dense_prompt", "contrastive_loss")]
    )
    cfg = config.load("auralsam2/mini_v1m", {**off, "model.projector": None, "data.image_size": 64})
    with torch.no_grad():
        ours = build("unprompted").eval()(**clips, mode="tensor")
        theirs = build_model(cfg).eval()(**clips, mode="tensor")
    assert all(torch.equal(a, b) for a, b in zip(ours, theirs))


def test_a_deaf_model_with_a_trained_decoder(
    build: Callable[..., Any], clips: dict[str, Any]
) -> None:
    model = build(
        "unprompted", trained_parts=("sam_mask_decoder",), mask_loss=dict(type="SAM2MaskLoss")
    )
    sum(model.train()(**clips).values()).backward()
    reached = [n for n, p in model.named_parameters() if p.grad is not None]
    assert reached and all(n.startswith("backbone.network.sam_mask_decoder.") for n in reached)
