from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from ablations import costs
from ablations.costs import Cost, cost_notes, cost_table, measured_costs
from ablations.grids.plan import Plan
from auralsam2.engine import run_record


@pytest.fixture
def plan(named_grid, plan_of, fake_training, drive) -> Callable[..., Plan]:
    """Plans of a grid whose cells "a" and "b" have run with two seeds; "c" has not."""

    def work(item, progress, **how):
        record = fake_training.work(item, progress, **how)
        record.epochs = item.cfg.optim.epochs
        record.environment["device"], record.environment["num_threads"] = "cpu: Test", 1
        record.data_fingerprint = item.data_fingerprint
        seconds = {"a": 1800.0, "b": 3600.0}[item.cell.name] + 100 * item.cell.seed
        run_record.write(run_record.finish(record, seconds), item.run_dir)
        (item.run_dir / "config.py").write_text(item.cfg.pretty_text)
        (item.run_dir / "epoch_1.pth").write_bytes(b"x" * 5000)
        (item.run_dir / "best.safetensors").write_bytes(b"x" * 2000)
        return record

    drive("a", "b", "c", seeds=(0, 1), only=["cell=a", "cell=b"], work=work)
    return partial(plan_of, named_grid("a", "b", "c", seeds=[0, 1]))


def test_costs_are_means_over_the_runs_of_a_cell(plan, tmp_path: Path) -> None:
    found = measured_costs(plan().runs, tmp_path / "out")
    assert found["a"].seconds == 1850.0 and found["b"].seconds == 3650.0
    assert found["a"].checkpoints == 5000 and 7000 < found["a"].bytes < 20_000
    assert found["a"].notes == [] and found["c"] == Cost(None, None, None)


def test_only_what_is_not_done_yet_is_counted(plan, tmp_path: Path) -> None:
    runs = plan(seeds=range(5)).runs
    known = measured_costs(runs, tmp_path / "out")
    shown = cost_table(runs, {"a": 5, "b": 3}, known)
    assert shown["a", "new runs"] == "3" and shown["a", "hours"] == f"{3 * 1850 / 3600:.2f}"
    assert shown["b", "new runs"] == "1" and shown["b", "seeds"] == "3"
    assert (shown["c", "seeds"], shown["c", "new runs"], shown["c", "hours"]) == (
        *("5", "5", "unknown"),
    )
    assert shown["total", "new runs"] == "9"
    assert shown["total", "hours"] == f"{(3 * 1850 + 3650) / 3600:.2f}"
    out = tmp_path / "out"
    said = "\n".join(cost_notes({"a": 5, "b": 3}, known, out, out, "run a pilot"))
    assert f"hours and disk are without c: no finished run of them in '{out}'; run a pilot" in said
    assert "no number of seeds is known to do for c" in said
    assert "on cpu: Test, 1 threads" in said and "GB free" in said


def test_seconds_are_scaled_by_epochs_and_clips(
    plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = {"data": costs._Clips(10, 20), "more": costs._Clips(100, 200)}
    monkeypatch.setattr(costs._Sizes, "of", lambda self, plain: sizes.get(plain["data"]["root"]))
    roots = {run.cfg.data.root for run in plan().runs}
    sizes[roots.pop()] = sizes["data"]
    longer = plan(overrides={"optim.epochs": 6})
    found = measured_costs(longer.runs, tmp_path / "out")
    assert found["a"].seconds == pytest.approx(1850 * (60 + 20) / (10 + 20))
    assert found["b"].seconds == pytest.approx(3650 * (60 + 20) / (20 + 20))
    larger = plan(overrides={"data.root": "more"})
    found = measured_costs(larger.runs, tmp_path / "out")
    assert found["b"].seconds == pytest.approx(3650 * (200 + 200) / (20 + 20))
    assert found["b"].notes == ["hours are scaled by epochs and clips (10 times those measured)"]
    unknown = plan(overrides={"data.root": "gone", "optim.epochs": 6})
    found = measured_costs(unknown.runs, tmp_path / "out")
    assert found["b"].seconds == pytest.approx(3650 * 3)
    assert "by epochs alone: clips of other data cannot be counted" in found["b"].notes[0]


def test_a_folder_that_is_no_grids_is_told(plan, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="name the folder of a grid"):
        measured_costs(plan().runs, tmp_path)
