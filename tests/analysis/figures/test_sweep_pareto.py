from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from matplotlib.figure import Figure

from analysis.figures import sweep_pareto
from analysis.runs.sweep_results import load_sweep_results


def test_one_objective_is_traded_for_size(write_sweep_folder: Callable[..., Path]) -> None:
    numbers = sweep_pareto.collect(load_sweep_results(write_sweep_folder()))
    assert (numbers.vertical, numbers.horizontal) == ("J", ("num_trainable",))
    points = numbers.points.set_index("number")
    assert dict(points["front"]) == {0: False, 1: False, 4: True, 5: False}


def test_two_objectives(write_sweep_folder: Callable[..., Path]) -> None:
    folder = write_sweep_folder(
        objectives=("J", "num_trainable"), directions=("minimize", "maximize")
    )
    numbers = sweep_pareto.collect(load_sweep_results(folder))
    points = numbers.points.set_index("number")
    assert dict(points["front"]) == {0: True, 1: True, 4: False, 5: True}
    panel = Figure().subplots()
    sweep_pareto.draw(numbers, [panel])
    lines = {line.get_label(): line for line in panel.lines}
    assert sorted(lines["front"].get_xdata()) == [500, 900, 950]
    assert list(lines["base"].get_ydata()) == [0.5]


def test_equal_trials_are_both_on_the_front(write_sweep_folder: Callable[..., Path]) -> None:
    rows = "".join(f"{n},complete,0.5,1e-3,1,SumFusion,2,9,1,0,0,\n" for n in range(2))
    numbers = sweep_pareto.collect(load_sweep_results(write_sweep_folder(rows=rows)))
    assert list(numbers.points["front"]) == [True, True]
