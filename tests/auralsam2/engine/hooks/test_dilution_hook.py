from __future__ import annotations

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


def test_gains_are_logged_at_every_validation(
    tiny_config: Any, tmp_path: Path, logged: Any
) -> None:
    tiny_config.runtime.hooks = [ConfigDict(type="DilutionHook")]
    assert validate(tiny_config) == []

    train(tiny_config, tmp_path / "run")

    gains = [logged(tmp_path / "run", name) for name in SCALARS]
    assert [len(values) for values in gains] == [2, 2, 2]
    assert all(-1 <= gain <= 1 for values in gains for gain in values)
    assert len({gain for values in gains for gain in values}) == 6, "all of them differ"


def test_an_unknown_hook_is_named(tiny_config: Any) -> None:
    tiny_config.runtime.hooks = [ConfigDict(type="DilutionHok")]

    (problem,) = validate(tiny_config)
    assert "runtime.hooks.0" in problem and "DilutionHook" in problem
