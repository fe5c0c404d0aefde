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
    return config.load(f"methods/{name}_mini_v1m", {"data.image_size": S})


@pytest.fixture
def clips(batch_of: Callable[..., dict[str, Any]]) -> dict[str, Any]:
    """Two clips with one object each; the first frame of the second one is silent."""
    masks = torch.zeros(B, T, S, S, dtype=torch.uint8)
    masks[0, :, 15:35, 10:30] = 1
    masks[1, 1:, 30:55, 25:45] = 1
    return batch_of(masks)


@pytest.fixture
def build() -> Callable[..., Any]:
    """Return a function from a method's short name and changes of its node to the model."""

    def build_method(name: str, **changes: Any) -> Any:
        torch.manual_seed(0)
        cfg = Config(_config(name).to_dict())
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
