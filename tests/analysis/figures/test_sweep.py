from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from analysis.figures import sweep
from analysis.runs.sweep_results import load_sweep_results


def test_the_best_so_far_is_of_complete_trials(write_sweep_folder: Callable[..., Path]) -> None:
    numbers = sweep.collect_history(load_sweep_results(write_sweep_folder()))
    assert list(numbers["best_so_far"]) == [0.5, 0.5, 0.5, 0.5, 0.7, 0.7, 0.7]
    down = write_sweep_folder(directions=("minimize",))
    numbers = sweep.collect_history(load_sweep_results(down))
    assert list(numbers["best_so_far"]) == [0.5, *[0.4] * 6]


def test_points_stand_at_their_trials(write_sweep_folder: Callable[..., Path]) -> None:
    numbers = sweep.collect_history(load_sweep_results(write_sweep_folder()))
    panel = Figure().subplots()
    sweep.draw_history(numbers, [panel])
    lines = {line.get_label(): line for line in panel.lines}
    assert list(lines["complete"].get_xdata()) == [0, 1, 4, 5]
    assert list(lines["pruned, last score"].get_ydata()) == [0.2]
    assert lines["pruned, last score"].get_markerfacecolor() == "white"
    assert list(lines["failed"].get_xdata()) == [3]
    assert lines["base"].get_ydata()[0] == 0.5


def test_all_figures_of_a_sweep(write_sweep_folder: Callable[..., Path], tmp_path: Path) -> None:
    paths = sweep.make(write_sweep_folder(), tmp_path / "figures")
    assert [path.stem for path in paths[::3]] == [
        f"sweep_{name}" for name in ("history", "importance", "slice", "pareto")
    ]
    assert {path.suffix for path in paths} == {".pdf", ".png", ".csv"}
    assert all(path.stat().st_size for path in paths)


@pytest.mark.parametrize("rows", ["", "0,failed,,1e-3,1,SumFusion,2,,1.0,1,0,boom\n"])
def test_nothing_is_drawn_of_nothing(
    write_sweep_folder: Callable[..., Path], tmp_path: Path, rows: str
) -> None:
    assert sweep.make(write_sweep_folder(rows=rows), tmp_path / "figures") == []


def test_one_objective_is_traded_for_size(write_sweep_folder: Callable[..., Path]) -> None:
    numbers = sweep.collect_front(load_sweep_results(write_sweep_folder()))
    assert (numbers.vertical, numbers.horizontal) == ("J", ("num_trainable",))
    points = numbers.points.set_index("number")
    assert dict(points["front"]) == {0: False, 1: False, 4: True, 5: False}


def test_two_objectives(write_sweep_folder: Callable[..., Path]) -> None:
    folder = write_sweep_folder(
        objectives=("J", "num_trainable"), directions=("minimize", "maximize")
    )
    numbers = sweep.collect_front(load_sweep_results(folder))
    points = numbers.points.set_index("number")
    assert dict(points["front"]) == {0: True, 1: True, 4: False, 5: True}
    panel = Figure().subplots()
    sweep.draw_front(numbers, [panel])
    lines = {line.get_label(): line for line in panel.lines}
    assert sorted(lines["front"].get_xdata()) == [500, 900, 950]
    assert list(lines["base"].get_ydata()) == [0.5]


def test_equal_trials_are_both_on_the_front(write_sweep_folder: Callable[..., Path]) -> None:
    rows = "".join(f"{n},complete,0.5,1e-3,1,SumFusion,2,9,1,0,0,\n" for n in range(2))
    numbers = sweep.collect_front(load_sweep_results(write_sweep_folder(rows=rows)))
    assert list(numbers.points["front"]) == [True, True]
