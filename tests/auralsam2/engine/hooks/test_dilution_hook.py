from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.config import ConfigDict

from analysis.dilution.attention import in_mask_gain as reference
from auralsam2.config_validation import validate
from auralsam2.engine.hooks.dilution_hook import SCALARS, in_mask_gain
from auralsam2.engine.train import train


def test_gain_is_that_of_the_analysis() -> None:
    rng = np.random.default_rng(0)
    maps = rng.dirichlet(np.ones(16), size=(3, 8, 4))
    cover = rng.random((3, 16))
    cover[2] = 0  # nothing sounds

    found = in_mask_gain(torch.from_numpy(maps), torch.from_numpy(cover)).numpy()

    for i in range(3):
        np.testing.assert_allclose(found[i], reference(maps[i], cover[i]), atol=1e-12)


def test_gains_are_logged_at_every_validation(tiny_config: Any, tmp_path: Path) -> None:
    tiny_config.runtime.hooks = [ConfigDict(type="DilutionHook")]
    assert validate(tiny_config) == []

    train(tiny_config, tmp_path / "run")

    (path,) = (tmp_path / "run").glob("*/vis_data/scalars.json")
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    logged = [line for line in lines if SCALARS[0] in line]
    assert [line["step"] for line in logged] == [1, 2]
    for line in logged:
        assert all(-1 <= line[name] <= 1 for name in SCALARS)
    assert len({line[name] for line in logged for name in SCALARS}) == 6, "all of them differ"


def test_an_unknown_hook_is_named(tiny_config: Any) -> None:
    tiny_config.runtime.hooks = [ConfigDict(type="DilutionHok")]

    (problem,) = validate(tiny_config)
    assert "runtime.hooks.0" in problem and "DilutionHook" in problem
