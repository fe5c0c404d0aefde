from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

import pytest

from ablations.executors.local import InlineExecutor
from ablations.grids.axes import GridError
from ablations.options import Options
from ablations.until_decided import Ending, GridTraining, seed_order, until_decided
from auralsam2.engine import run_record


@pytest.fixture
def training(named_grid, plan_of, fake_training, console):
    """Trains cells of these names with the fake training; each run takes an hour."""

    def work(item, progress, **how):
        record = fake_training.work(item, progress, **how)
        if record.status == "done":
            run_record.write(run_record.finish(record, 3600.0), item.run_dir)
        return record

    def make(*names: str, budget_h: float | None = None, **how) -> GridTraining:
        grid = named_grid(*names)
        plan = lambda seeds: plan_of(grid, seeds=seeds, **how)  # noqa: E731
        return GridTraining(
            grid, plan, InlineExecutor(), Options(),
            budget_h=budget_h, console=console, work=work,
        )  # fmt: skip

    return make


def listed(tmp_path: Path) -> dict[str, list[int]]:
    """Cell -> seeds that the grid's file names."""
    cells = json.loads((tmp_path / "out" / "grid.json").read_text())["cells"]
    return {cell["name"]: [run["seed"] for run in cell["runs"]] for cell in cells}


def starts(tmp_path: Path) -> int:
    """How often any run has been started."""
    return sum(len(path.read_text()) for path in (tmp_path / "out" / "runs").glob("*/starts"))


def closing(at: dict[str, int]) -> Callable[[Sequence[int]], Collection[str]]:
    """Cells that are decided after so many seeds."""
    return lambda seeds: [cell for cell, number in at.items() if len(seeds) < number]


def test_seeds_of_the_grid_come_first() -> None:
    assert seed_order([3, 1], 5) == [3, 1, 0, 2, 4]
    assert seed_order([0, 1, 2], 2) == [0, 1]


def test_cells_that_are_decided_get_no_more_seeds(training, tmp_path: Path) -> None:
    train = training("soon", "late", "unnamed")
    decide = closing({"soon": 2, "late": 4})
    ending = until_decided(range(6), ["soon", "late"], train, decide)
    assert ending == Ending(range(4), (), "") and str(ending) == "all claims are decided"
    assert listed(tmp_path) == {"soon": [0, 1], "late": [0, 1, 2, 3]}
    assert len(train.result.finished) == 6 and starts(tmp_path) == 6


def test_it_ends_with_the_last_seed(training) -> None:
    ending = until_decided(range(3), ["a"], training("a"), closing({"a": 9}))
    assert ending.open_cells == ["a"] and len(ending.seeds) == 3
    assert str(ending) == ("claims are open still: 3 seeds are there, as many as were planned")


def test_it_goes_on_where_it_was(training, tmp_path: Path) -> None:
    decide, asked = closing({"soon": 2, "late": 4}), []

    def killed(seeds):
        asked.append(len(seeds))
        if len(seeds) == 3:
            raise KeyboardInterrupt
        return decide(seeds)

    with pytest.raises(KeyboardInterrupt):
        until_decided(range(6), ["soon", "late"], training("soon", "late"), killed)
    again = training("soon", "late")
    assert until_decided(range(6), ["soon", "late"], again, decide).why == ""
    assert starts(tmp_path) == 6 and len(again.result.finished) == 1
    assert len(again.result.skipped) == 5
    assert listed(tmp_path) == {"soon": [0, 1], "late": [0, 1, 2, 3]}


def test_a_run_that_fails_ends_it_before_the_look(training, tmp_path: Path) -> None:
    asked: list[int] = []
    train = training("good", "boom")
    ending = until_decided(range(3), ["good", "boom"], train, lambda seeds: asked.append(1))
    assert asked == [] and len(ending.seeds) == 0
    assert "1 runs have no scores, and a look wants those of all" in ending.why
    assert len(train.result.failed) == 1


@pytest.mark.parametrize(("budget", "number"), [(1.5, 1), (4.0, 2), (5.9, 2), (6.0, 3)])
def test_a_budget_counts_the_runs_of_all_calls(
    training, tmp_path: Path, budget: float, number: int
) -> None:
    """Two cells of an hour each: of a first seed it is not known."""
    for _ in range(2):  # the second call trains nothing
        train = training("a", "b", budget_h=budget)
        ending = until_decided(range(5), ["a", "b"], train, closing({"a": 9, "b": 9}))
        assert len(ending.seeds) == number and starts(tmp_path) == 2 * number
        spent = f"the budget of {budget:g} hours: {2 * number} are spent"
        assert spent in ending.why and "2 runs take about 2" in ending.why


def test_problems_of_the_grid_stop_it(training) -> None:
    with pytest.raises(GridError, match="did you mean 'depths'"):
        training("a", budget_h=1.0, overrides={"model.depts": 1})([0], ["a"])
