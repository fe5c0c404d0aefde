from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from auralsam2 import config


@pytest.fixture(scope="session")
def build_mini() -> Callable[..., Any]:
    """Build the mini default over its embedded SAM2; its fuser has random weights."""
    import torch

    from auralsam2.engine.evaluate import build_model

    def build(name: str = "auralsam2/mini_v1s", **changes: Any) -> Any:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            cfg = config.load(name, {"model.feature_cache_mb": 0, **changes})
            return build_model(cfg).eval()

    return build


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, toy_config_dict: dict) -> Path:
    """A package of configs: one base, one runnable leaf, one grid."""
    root = tmp_path / "toy_configs"
    for folder in ("_base_", "auralsam2", "grids"):
        (root / folder).mkdir(parents=True)
    (root / "__init__.py").write_text("")
    lines = [f"{key} = {value!r}" for key, value in toy_config_dict.items()]
    (root / "_base_" / "toy.py").write_text("\n".join(lines))
    (root / "auralsam2" / "toy_v1m.py").write_text(
        "_base_ = '../_base_/toy.py'\noptim = dict(epochs=5)\n"
    )
    (root / "grids" / "demo.py").write_text("base = 'auralsam2/toy_v1m'\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "toy_configs", raising=False)
    monkeypatch.setattr(config, "CONFIG_PACKAGE", "toy_configs")
    return root
