from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from ablations import preflight
from ablations.executors.local import InlineExecutor
from ablations.runs.run_cell import current_record
from auralsam2.engine import preflight as engine_preflight
from auralsam2.engine import run_record


@pytest.fixture
def first_steps(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Epochs, which tell the cells apart, of the configs that were tried; three are too many."""
    tried: list[int] = []

    def first_step(cfg):
        tried.append(cfg.optim.epochs)
        print("building")
        if cfg.optim.epochs == 3:
            raise RuntimeError("shapes do not fit")
        return SimpleNamespace(seconds=0.5, gpu_bytes=3 * 2**20)

    monkeypatch.setattr(engine_preflight, "first_step", first_step)
    return tried


def test_every_cell_is_tried_once_and_all_problems_are_told(
    named_grid, plan_of, first_steps: list[int], console, tmp_path: Path
) -> None:
    plan = plan_of(named_grid("one", "two", "three", "four", seeds=[0, 1]))
    done = plan.runs[0]
    for run in plan.runs:
        if run.cell.name == "one":
            run_record.write(run_record.finish(current_record(run), 1.0), run.run_dir)
    plan = plan_of(named_grid("one", "two", "three", "four", seeds=[0, 1]))
    report = preflight.preflight(plan.runs, plan.out, InlineExecutor(), console)
    assert first_steps == [2, 3, 4] and report.tried == 3
    (problem,) = report.problems
    log = tmp_path / "out" / "preflight" / plan.runs[2].run_dir.name / "log.txt"
    assert problem == f"cell 'three': RuntimeError: shapes do not fit (see {log})"
    assert log.read_text().startswith("building") and "Traceback" in log.read_text()
    assert not plan.runs[2].run_dir.exists(), "the run itself has not begun"
    assert done.run_dir.exists()
    told = console.file.getvalue()
    assert "two: fine, first step after 0.5 s, 3 MiB of GPU memory" in told
    assert "three: failed, RuntimeError: shapes do not fit" in told
