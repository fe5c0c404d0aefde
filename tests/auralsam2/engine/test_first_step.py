"""What would fail on day three fails before the first."""

from pathlib import Path
from typing import Any

import pytest

from auralsam2 import config as configs
from auralsam2.engine.first_step import first_step


def test_a_config_that_works(tiny_config: Any, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = first_step(tiny_config)
    assert found.seconds > 0 and found.gpu_bytes == 0
    assert list(tmp_path.iterdir()) == [], "nothing is written"


def test_nothing_to_train(tiny_config: Any) -> None:
    for part in ("sparse_prompt", "dense_prompt", "contrastive_loss", "projector"):
        configs.set_node(tiny_config, f"model.{part}", None)
    first_step(tiny_config)


def test_a_loss_that_is_no_number(tiny_config: Any) -> None:
    tiny_config.model.mask_loss.focal_weight = float("nan")
    with pytest.raises(FloatingPointError, match="first step is nan"):
        first_step(tiny_config)


def test_missing_data(tiny_config: Any, tmp_path: Path) -> None:
    tiny_config.data.root = str(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match="nowhere"):
        first_step(tiny_config)
