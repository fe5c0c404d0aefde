from __future__ import annotations

from collections.abc import Callable

import pytest

from ablations.grids import existing_runs
from ablations.grids.existing_runs import earlier_work
from ablations.grids.manifest import write_manifest
from ablations.grids.plan import Plan
from ablations.runs.run_cell import current_record, run_cell
from auralsam2.config import dump
from auralsam2.engine import identity, run_record


@pytest.fixture
def code(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Let other code run from now on."""

    def change(version: str) -> None:
        identity._code.cache_clear()
        for module in (identity, run_record, existing_runs):
            monkeypatch.setattr(module, "code_version", lambda: version)

    yield change
    identity._code.cache_clear()


@pytest.fixture
def plan(named_grid, plan_of):
    return lambda **arguments: plan_of(named_grid("a", "b"), **arguments)


def finish(plan: Plan, index: int = 0, status: str = "done") -> None:
    run = plan.runs[index]
    record = current_record(run)
    record.status = status
    run_record.write(record, run.run_dir)


@pytest.fixture
def before(plan, code) -> Plan:
    """By older code; one run is done, one is not."""
    code("1+old")
    before = plan()
    finish(before, 0)
    finish(before, 1, "running")
    code("1+new")
    return before


def test_other_code_is_another_run_and_the_plan_says_so(plan, before) -> None:
    after = plan()
    assert [run.state for run in after.runs] == ["pending", "pending"]
    assert all(a.run_dir != b.run_dir for a, b in zip(before.runs, after.runs))
    assert [a.recipe for a in before.runs] == [b.recipe for b in after.runs]
    finished, unfinished = after.notes
    assert "1 runs made by other code (1+old; now 1+new) are finished" in finished
    assert "--keep-code takes them as they are" in finished
    assert "are unfinished: they begin anew" in unfinished


def test_runs_of_other_code_are_kept_where_asked(plan, before) -> None:
    after = plan(keep_code=True)
    assert [run.state for run in after.runs] == ["done", "unfinished"]
    assert [run.run_id for run in after.runs] == [run.run_id for run in before.runs]
    assert after.notes == [
        "2 runs made by other code (1+old; now 1+new) are taken as they are (--keep-code)"
    ]


def test_failed_runs_of_other_code_are_tried_anew(plan, code) -> None:
    code("1+old")
    finish(plan(), 0, "failed")
    code("1+new")
    assert [run.state for run in plan(keep_code=True).runs] == ["pending", "pending"]


def test_a_run_of_this_code_goes_before_kept_ones(plan, code) -> None:
    code("1+old")
    finish(plan(), 0)
    code("1+new")
    new = plan()
    finish(new, 0)
    assert plan(keep_code=True).runs[0].run_dir == new.runs[0].run_dir
    assert new.notes != [] and plan().notes == []


def test_folders_from_before_code_counted(plan) -> None:
    run = plan().runs[0]
    old = run.run_dir.with_name(run.run_dir.name.rpartition("-")[0])
    run_record.write(run_record.RunRecord(status="done", code_version="0+x"), old)
    assert plan().runs[0].state == "pending" and "0+x" in plan().notes[0]
    kept = plan(keep_code=True).runs[0]
    assert (kept.state, kept.run_dir) == ("done", old)


def test_a_renamed_cell_finds_its_run(named_grid, plan_of) -> None:
    before = plan_of(named_grid("a"))
    finish(before)
    after = plan_of(named_grid("another name"))
    assert (after.runs[0].state, after.runs[0].run_dir) == ("done", before.runs[0].run_dir)


def test_tables_do_not_mix_code_unless_asked(named_grid, plan_of, code) -> None:
    import json

    def seeds(**arguments: object) -> list[int]:
        grid = named_grid("a")
        written = write_manifest(grid, plan_of(grid, **arguments))
        return [run["seed"] for run in json.loads(written.read_text())["cells"][0]["runs"]]

    code("1+old")
    assert seeds(seeds=[0]) == [0]
    code("1+new")
    assert seeds(seeds=[1]) == [1]
    assert seeds(seeds=[2]) == [1, 2]
    code("1+newer")
    assert seeds(seeds=[3], keep_code=True) == [1, 2, 3]


def test_code_that_changed_under_a_grid_is_told(plan, code, fake_training) -> None:
    code("1+old")
    run = plan().runs[0]
    code("1+new")
    record = run_cell(run, train=fake_training.train)
    assert any("ended by other code than its identity names" in note for note in record.notes)
    assert run_record.read(run.run_dir) == record


def test_cells_that_shared_a_folder_before_hooks_counted(write_grid, plan_of, code) -> None:
    hook = [dict(type="EMAHook")]
    grid = write_grid(
        base="toy.py",
        axes={
            "hooks": [
                dict(name="none", set={"runtime.log_every": 3}),
                dict(name="ema", set={"runtime.hooks": hook}),
            ]
        },
        seeds=[0],
    )
    code("1+new")
    none, ema = plan_of(grid).runs
    assert none.run_id != ema.run_id and plan_of(grid).notes == [], "they are two runs"

    code("0+old")
    old = run_record.start(
        name="none", axes={}, seed=0, run_id="", config_hash="", data_fingerprint=""
    )
    old.status = "done"
    data = none.data_fingerprint
    works = {earlier_work(run.cfg.to_dict(), data) for run in (none, ema)}
    assert len(works) == 1, "then they had one name"
    folder = none.run_dir.parent / f"none-s0-{works.pop()}-abcdef"
    run_record.write(old, folder)
    dump(none.cfg, folder / "config.py")
    code("1+new")
    plan = plan_of(grid)
    assert [run.state for run in plan.runs] == ["pending", "pending"]
    finished, strangers = plan.notes
    assert finished.startswith("1 runs made by other code (0+old; now 1+new) are finished")
    assert "trained with other settings: they are not this cell's" in strangers
    kept = plan_of(grid, keep_code=True)
    assert [run.state for run in kept.runs] == ["done", "pending"]
    assert kept.runs[0].run_dir == folder
