from __future__ import annotations

import sys
from pathlib import Path

import pytest

from auralsam2 import config


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
