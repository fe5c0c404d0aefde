from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import matplotlib.image
import pandas as pd
import pytest
from matplotlib.figure import Figure

from analysis.figures import training_curves
from analysis.figures.training_curves import LOSS, SCORE, collect, finish, smooth
from analysis.runs.results import load_runs
from auralsam2.engine import run_record
from tests.analysis.planted import write_log


@pytest.fixture
def trained(write_grid: Callable[..., Path], tmp_path: Path) -> Callable[..., Path]:
    """Write a grid whose runs have logged 20 steps; ``none`` trains nothing."""

    def write(cells: list[str], seeds=(0, 1), silent=()) -> Path:
        folder = write_grid(
            tmp_path / "grid", cells=dict.fromkeys(["none", *cells], 0.5), seeds=seeds,
            reference=cells[-1],
        )  # fmt: skip
        for run_dir in (folder / "runs").iterdir():
            cell, seed = run_dir.name.rsplit("-", 2)[0], int(run_dir.name[-3])
            record = run_record.read(run_dir)
            if cell == "none":
                record.num_parameters = {"total": 5, "trainable": 0}
                run_record.write(record, run_dir)
            elif cell not in silent:
                log(run_dir, seed)
                for epoch in (1, 2):
                    run_record.add_validation(record, epoch, {"J": 0.1 * epoch + 0.2 * seed})
                run_record.write(record, run_dir)
        return folder

    return write


def log(run_dir: Path, seed: int) -> None:
    # The second seed has logged one step less.
    steps = range(10, 210 - 10 * seed, 10)
    lines = [{"iter": s, "step": s, "loss": 2.0 + seed, "loss_mask": 1.0 / s} for s in steps]
    write_log(run_dir, lines)


def test_a_loss_is_smoothed_over_a_tenth_of_its_points() -> None:
    assert smooth([3.0] * 50) == pytest.approx([3.0] * 50)
    assert smooth([1.0, 5.0, 2.0]) == [1.0, 5.0, 2.0], "few points stay as they are"
    values = smooth([1.0, 4.0] + [0.0] * 28)  # span 3: half the weight a point
    assert values[:3] == pytest.approx([1.0, (4 + 0.5) / 1.5, (2 + 0.25) / 1.75])
    assert smooth([]) == []


def test_mean_and_range_of_the_seeds(trained: Callable[..., Path]) -> None:
    numbers = collect(load_runs(trained(["sparse", "dense"])))
    assert numbers.cells == ("sparse", "dense") and numbers.reference == "dense"
    assert numbers.quantities == ((LOSS, "total"), (LOSS, "mask"), (SCORE, "J"))
    rows = numbers.curves[numbers.curves["cell"] == "sparse"].set_index(["quantity", "step"])
    assert rows.loc[("total", 50), ["mean", "low", "high"]].tolist() == pytest.approx([2.5, 2, 3])
    assert rows.loc[("J", 2), ["mean", "low", "high"]].tolist() == pytest.approx([0.3, 0.2, 0.4])
    assert set(rows["num_seeds"]) == {2}
    # A line must not jump where one seed ends.
    assert rows.loc["total"].index.max() == 190
    assert numbers.notes == ("no training curves of none: nothing is trained there",)


def test_cells_without_a_log_are_named(trained: Callable[..., Path]) -> None:
    numbers = collect(load_runs(trained(["sparse", "dense"], silent=("dense",))))
    assert numbers.cells == ("sparse",) and numbers.reference is None
    assert numbers.notes[1] == "no training curves of dense: no log is left"


def test_lines_and_bands_stand_at_the_numbers(trained: Callable[..., Path]) -> None:
    numbers = collect(load_runs(trained(["sparse", "dense"])))
    panels = Figure().subplots(1, 3)
    training_curves.draw(numbers, panels)
    assert [panel.get_title() for panel in panels] == ["total loss", "mask loss", "J, validation"]
    assert [line.get_label() for line in panels[0].lines] == ["sparse", "dense"]
    assert panels[2].lines[0].get_ydata() == pytest.approx([0.2, 0.3])
    assert panels[0].get_yscale() == "linear" and panels[1].get_yscale() == "log"
    assert len(panels[2].collections) == 2


def test_files(trained: Callable[..., Path], tmp_path: Path) -> None:
    results = load_runs(trained(["sparse"]))
    paths = training_curves.make(results, tmp_path / "figures")
    assert [path.name for path in paths] == [
        f"training_curves.{kind}" for kind in ("pdf", "png", "csv")
    ]
    assert matplotlib.image.imread(paths[1]).shape[1] == 1350
    assert len(pd.read_csv(paths[2])) == 19 + 19 + 2
    assert len(results.notes) == 1


def test_many_cells_have_panels_of_their_own_on_several_sheets(
    trained: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training_curves, "MOST_TOGETHER", 2)
    monkeypatch.setattr(training_curves, "MOST_ON_A_SHEET", 2)
    cells = ["TwoWayCrossAttentionFusion", "b", "c"]
    results = load_runs(trained(cells, seeds=(0,)))
    numbers = collect(results)
    panels = Figure().subplots(2, 2)
    training_curves.draw_cells(numbers, ["b", "c"], panels)
    assert [len(panel.lines) for panel in panels[:, 0]] == [2, 1], "the reference lies behind"
    assert panels[0, 1].get_ylim() == panels[1, 1].get_ylim()
    paths = training_curves.make(results, tmp_path / "figures")
    assert [path.name for path in paths[::3]] == ["training_curves.pdf", "training_curves_2.pdf"]
    assert set(pd.read_csv(paths[5])["cell"]) == {"c"}
    assert set(pd.read_csv(paths[2])["cell"]) == set(cells), "the reference lies behind the others"


def test_nothing_logged_nothing_drawn(grid_folder: Path, tmp_path: Path) -> None:
    results = load_runs(grid_folder)
    assert training_curves.make(results, tmp_path / "figures") == []
    assert not (tmp_path / "figures").exists()
    assert results.notes == [
        "no training curves of none, sparse, dense, sparse+dense: no log is left"
    ]


def test_one_epoch_is_counted_in_whole_epochs() -> None:
    panel = Figure().subplots()
    panel.plot([1], [0.5])
    finish(panel, SCORE)
    low, high = panel.get_xlim()
    assert [tick for tick in panel.get_xticks() if low < tick < high] == [1.0]
