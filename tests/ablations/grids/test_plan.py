from __future__ import annotations

import re
from pathlib import Path

import pytest

from ablations.grids.plan import PlannedRun, select
from auralsam2.engine import run_record

from ..conftest import labels

FUSIONS = {"model.fusion": [dict(type="GateFusion"), dict(type="SumFusion")]}


def test_every_run_is_resolved(write_grid, plan_of) -> None:
    grid = write_grid(axes=FUSIONS, seeds=[0, 3], overrides={"optim.epochs": 9})
    plan = plan_of(grid, overrides={"model.depths": (5,)})
    assert plan.problems == []
    assert [run.label for run in plan.runs] == [
        "GateFusion, seed 0",
        "SumFusion, seed 0",
        "GateFusion, seed 3",
        "SumFusion, seed 3",
    ]
    last = plan.runs[-1]
    assert (last.cfg.seed, last.cfg.optim.epochs, last.cfg.model.depths) == (3, 9, (5,))
    # The node is replaced: no num_heads of the base survives.
    assert last.cfg.model.fusion == dict(type="SumFusion")
    assert {run.state for run in plan.runs} == {"pending"}


def test_folders_say_cell_seed_and_identity(write_grid, plan_of, tmp_path: Path) -> None:
    run = plan_of(write_grid(axes={"prompts": [dict(name="a+b / ü", set={})]})).runs[0]
    assert run.run_dir == tmp_path / "out" / "runs" / f"a+b-s0-{run.run_id}"
    assert re.fullmatch("[0-9a-f]{10}-[0-9a-f]{6}", run.run_id)


def test_identity_follows_config_seed_and_data(write_grid, plan_of) -> None:
    grid = write_grid(axes=FUSIONS, seeds=[0, 1])
    runs = plan_of(grid).runs
    assert len({run.run_id for run in runs}) == 4
    assert runs[0].recipe == runs[2].recipe != runs[1].recipe
    elsewhere = plan_of(grid, overrides={"runtime.work_dir": "other"}).runs
    assert [run.run_id for run in elsewhere] == [run.run_id for run in runs]
    other_data = plan_of(grid, overrides={"data.root": "b"}).runs
    assert not {run.run_id for run in other_data} & {run.run_id for run in runs}


def test_data_is_fingerprinted_once(write_grid, plan_of) -> None:
    seen = []
    plan_of(write_grid(axes=FUSIONS, seeds=range(5)), fingerprint=lambda cfg: str(seen.append(cfg)))
    assert len(seen) == 1


def test_all_problems_of_all_cells_before_the_first_starts(write_grid, plan_of) -> None:
    nodes = [dict(type="GateFusion", gat=1), dict(type="SumFussion"), dict(type="SumFusion")]
    plan = plan_of(write_grid(axes={"model.fusion": nodes}), overrides={"optim.epocs": 3})
    text = "\n".join(plan.problems)
    assert "cell 'SumFussion': " in text and "did you mean 'SumFusion'?" in text
    assert "cell 'GateFusion': " in text and "gat" in text
    assert text.count("optim.epocs") == 1 and "all cells: optim.epocs" in text
    assert plan.runs == []


def test_a_problem_of_many_cells_names_the_first_few(write_grid, plan_of) -> None:
    fusions = [dict(type="GateFusion"), dict(type="SumFussion")]
    plan = plan_of(write_grid(axes={"model.fusion": fusions, "seed": list(range(100))}))
    (problem,) = plan.problems
    assert problem.startswith("cell 'SumFussion, seed=0', ") and " and 95 more: " in problem


def test_missing_files_are_problems_of_their_cells(write_grid, plan_of) -> None:
    def check(cfg) -> None:
        if cfg.model.fusion.type == "SumFusion":
            raise FileNotFoundError("no weights at x.pt\nno weights at y.pt")

    def fingerprint(cfg) -> str:
        raise FileNotFoundError("no data at y")

    grid = write_grid(axes=FUSIONS, seeds=[0, 1])
    plan = plan_of(grid, check=check)
    assert plan.problems == [f"cell 'SumFusion': no weights at {name}.pt" for name in "xy"]
    assert {run.cell.name for run in plan.runs} == {"GateFusion"}
    assert plan_of(grid, fingerprint=fingerprint).problems == ["all cells: no data at y"]


def test_same_configs_share_one_run(write_grid, plan_of) -> None:
    values = [dict(name="base", set={}), dict(name="same", set={"model.depths": (1, 2)})]
    plan = plan_of(write_grid(axes={"depth": values}))
    base, same = plan.runs
    assert same.shares == "base, seed 0" and same.run_dir == base.run_dir
    assert plan.notes == ["same, seed 0 has the same config as base, seed 0: they share one run"]


def test_set_wins_over_axes_and_grid(write_grid, plan_of) -> None:
    grid = write_grid(axes={"optim.epochs": [3]}, overrides={"optim.epochs": 4})
    assert plan_of(grid).runs[0].cfg.optim.epochs == 3
    assert plan_of(grid, overrides={"optim.epochs": 5}).runs[0].cfg.optim.epochs == 5


@pytest.mark.parametrize(
    ("status", "state"), [("running", "unfinished"), ("failed", "failed"), ("done", "done")]
)
def test_states_come_from_the_records(write_grid, plan_of, status: str, state: str) -> None:
    grid = write_grid(axes=FUSIONS)
    first = plan_of(grid).runs[0]
    run_record.write(run_record.RunRecord(status=status), first.run_dir)
    plan = plan_of(grid)
    assert [run.state for run in plan.runs] == [state, "pending"]
    assert plan.notes == []


def test_a_component_from_one_file_beside_the_grid(write_grid, plan_of, tmp_path: Path) -> None:
    (tmp_path / "gated_sum.py").write_text(
        "from auralsam2.registry import FUSIONS\n"
        "@FUSIONS.register_module()\n"
        "class GatedSumFusion:\n"
        "    def __init__(self, channels): ...\n"
    )
    grid = write_grid(
        axes={"model.fusion": [dict(type="GatedSumFusion")]},
        custom_imports=dict(imports=["gated_sum.py"]),
    )
    plan = plan_of(grid)
    assert plan.problems == []
    assert plan.runs[0].cfg.custom_imports.imports == [str(tmp_path / "gated_sum.py")]


def test_an_import_that_fails_is_the_only_problem(write_grid, plan_of) -> None:
    grid = write_grid(axes=FUSIONS, custom_imports=dict(imports=["missing_file.py"]))
    (problem,) = plan_of(grid).problems
    assert "missing_file.py" in problem


@pytest.fixture
def runs(write_grid, plan_of) -> list[PlannedRun]:
    axes = {
        "model.fusion": [dict(type="GateFusion"), dict(type="SumFusion")],
        "optim.epochs": [1, 2],
    }
    return plan_of(write_grid(axes=axes, seeds=[0, 1])).runs


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
