from __future__ import annotations

from collections.abc import Callable

import pytest

from ablations.grids.file import Grid
from ablations.grids.plan import Plan, PlannedRun
from ablations.grids.selection import select


@pytest.fixture
def runs(write_grid: Callable[..., Grid], plan_of: Callable[..., Plan]) -> list[PlannedRun]:
    axes = {
        "model.fusion": [dict(type="GateFusion"), dict(type="SumFusion")],
        "optim.epochs": [1, 2],
    }
    return plan_of(write_grid(axes=axes, seeds=[0, 1])).runs


def labels(runs: list[PlannedRun]) -> list[str]:
    return [run.label for run in runs]


def test_nothing_asked_for_is_everything(runs) -> None:
    assert select(runs, []) == runs


def test_names_must_all_fit_and_values_are_alternatives(runs) -> None:
    some = select(runs, ["model.fusion=SumFusion", "seed=1"])
    assert labels(some) == ["SumFusion, epochs=1, seed 1", "SumFusion, epochs=2, seed 1"]
    assert len(select(runs, ["seed=0", "seed=1"])) == 8
    assert labels(select(runs, ["cell=GateFusion, epochs=2", "seed=0"])) == [
        "GateFusion, epochs=2, seed 0"
    ]
    assert len(select(runs, ["optim.epochs=epochs=2"])) == 4


def test_all_mistakes_are_told_with_what_is_known(runs) -> None:
    with pytest.raises(ValueError) as caught:
        select(runs, ["model.fusoin=x", "cell=nothing", "seed=7", "seed"])
    for part in (
        "4 problems",
        "did you mean 'model.fusion'",
        "known: GateFusion, epochs=1",
        "unknown value '7'",
        "write NAME=VALUE",
    ):
        assert part in str(caught.value)


def test_a_selection_of_nothing_is_a_mistake(runs) -> None:
    with pytest.raises(ValueError, match="no run fits all of them"):
        select(runs, ["model.fusion=SumFusion", "cell=GateFusion, epochs=2"])
