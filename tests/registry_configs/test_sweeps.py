from __future__ import annotations

import pytest

from ablations.sweeps.samplers import build_pruner, build_sampler
from ablations.sweeps.sweep_file import load_sweep
from auralsam2 import config

SWEEPS = [name.removeprefix("sweeps/") for name in config.names("sweeps")]


def test_there_are_small_large_and_many_sided_ones() -> None:
    assert {"fuser_mini", "fuser", "size_mini"} <= set(SWEEPS)


@pytest.mark.parametrize("name", SWEEPS)
def test_shipped_sweeps_are_sound_and_hold_their_base(name: str) -> None:
    sweep = load_sweep(name)
    assert sweep.base_values is not None
    assert set(sweep.base_values) <= {parameter.name for parameter in sweep.space.parameters}
    assert sweep.out.name == name
    assert build_sampler(sweep.sampler, sweep.space, 0) is not None
    assert build_pruner(sweep.pruner, sweep.cfg, sweep.space) is not None
