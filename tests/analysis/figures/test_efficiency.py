from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib.image
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from analysis.figures import efficiency
from analysis.figures.efficiency import PARAMETERS, collect
from analysis.runs.measures import SPEED
from analysis.runs.results import Results, load_runs
from auralsam2.engine import run_record

CPU, GPU = {"device": "cpu", "repeats": {"fps": 3}}, {"device": "gpu", "repeats": {"fps": 9}}


@pytest.fixture
def timed(exact: Callable[..., Path]) -> Callable[..., Results]:
    """Read runs: (cell, seed) -> (J, fps, conditions, trained parameters)."""

    def read(runs: dict, **keys) -> Results:
        folder = exact({key: run[0] for key, run in runs.items()}, **keys)
        for number, (_, fps, conditions, trained) in enumerate(runs.values()):
            run_dir = folder / "runs" / str(number)
            record = run_record.read(run_dir)
            record.speed = {} if fps is None else {"fps": fps, "decoder_fps": 2 * fps}
            record.environment["speed"] = conditions
            record.num_parameters = {"total": 100, "trainable": trained}
            run_record.write(record, run_dir)
        return load_runs(folder)

    return read


def test_means_deviations_and_fronts(timed: Callable[..., Results]) -> None:
    runs = {
        ("b", 0): (0.5, 10.0, CPU, 100),
        ("b", 1): (0.7, 14.0, CPU, 100),
        ("fast", 0): (0.4, 50.0, CPU, 0),
        ("bad", 0): (0.3, 5.0, CPU, 1000),
    }
    numbers = collect(timed(runs))
    assert numbers is not None and (numbers.split, numbers.metric) == ("test", "J")
    rows = numbers.points.set_index(["measure", "cell"])
    b = rows.loc[(f"{SPEED}fps", "b")]
    assert (b["cost"], b["score"], b["num_seeds"]) == (12, pytest.approx(0.6), 2)
    assert b["cost_std"] == pytest.approx(8**0.5) and b["score_std"] == pytest.approx(0.02**0.5)
    assert b["conditions"] == "device cpu"
    assert np.isnan(rows.loc[(f"{SPEED}fps", "fast"), "score_std"])
    assert rows.loc[(f"{SPEED}decoder_fps", "fast"), "cost"] == 100
    for measure in (f"{SPEED}fps", f"{SPEED}decoder_fps", PARAMETERS):
        front = rows.loc[measure, "front"]
        assert front.to_dict() == {"b": True, "fast": True, "bad": False}
    assert rows.loc[(PARAMETERS, "b"), "conditions"] == ""


def test_other_conditions_and_none_are_left_out_and_said(timed: Callable[..., Results]) -> None:
    runs = {
        ("b", 0): (0.5, 10.0, CPU, 1),
        ("b", 1): (0.5, 99.0, GPU, 1),
        ("c", 0): (0.4, 20.0, CPU, 1),
        ("gpu", 0): (0.4, 99.0, GPU, 1),
        ("never", 0): (0.4, None, {}, 1),
    }
    numbers = collect(timed(runs))
    assert numbers is not None
    fps = numbers.points[numbers.points["measure"] == f"{SPEED}fps"].set_index("cell")
    assert fps["cost"].to_dict() == {"b": 10, "c": 20}
    assert numbers.notes == (
        "speeds are those measured under: device cpu",
        "no speed of gpu: timed under other conditions (device gpu)",
        "no speed of never: not timed",
    )
    assert len(numbers.points[numbers.points["measure"] == PARAMETERS]) == 4


def test_points_stand_at_the_numbers(timed: Callable[..., Results]) -> None:
    numbers = collect(timed({("b", 0): (0.5, 10.0, CPU, 0), ("c", 0): (0.8, 5.0, CPU, 10**6)}))
    assert numbers is not None
    panels = Figure(figsize=(7, 3)).subplots(1, 3)
    efficiency.draw(numbers, panels)
    dots = [line for line in panels[1].lines if line.get_marker() in ("o", "s")]
    assert [(*line.get_xdata(), *line.get_ydata()) for line in dots] == [(10, 0.5), (5, 0.8)]
    assert panels[2].get_xscale() == "symlog", "zero has its place"
    assert panels[2].get_xticks().tolist() == [0, 10**6]
    assert panels[2].get_xlabel() == "trained parameters"


def test_files_of_few_and_of_crowded_cells(timed: Callable[..., Results], tmp_path: Path) -> None:
    few = timed({("b", 0): (0.5, 10.0, CPU, 10), ("c", 0): (0.8, 5.0, CPU, 20)})
    paths = efficiency.make(few, tmp_path / "few")
    assert [path.name for path in paths] == [f"efficiency.{kind}" for kind in ("pdf", "png", "csv")]
    assert matplotlib.image.imread(paths[1]).shape[:2] == (460, 1350)
    assert len(pd.read_csv(paths[2])) == 6
    names = [f"TwoWayCrossAttentionFusion{number}" for number in "abcdefghi"]
    many = timed({(n, 0): (0.5 + i / 100, 10.0 + i / 50, CPU, 10) for i, n in enumerate(names)})
    tall = matplotlib.image.imread(efficiency.make(many, tmp_path / "many")[1])
    assert tall.shape[0] > 460, "the legend has room of its own"


def test_the_legend_names_every_cell_as_it_is_drawn(
    timed: Callable[..., Results], tmp_path: Path, drawn: Any
) -> None:
    runs = {(f"cell{index}", 0): (0.5 + index / 100, None, {}, 10) for index in range(12)}
    efficiency.make(timed({**runs, ("cell0", 0): (0.5, 9.0, CPU, 10)}), tmp_path)
    (figure,) = drawn.figures
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == [cell for cell, _ in runs]
    keys = [(line.get_color(), line.get_marker()) for line in legend.get_lines()]
    shown = [(line.get_color(), line.get_marker()) for line in figure.axes[-1].lines]
    assert len({*keys}) == 12 and keys == [key for key in shown if key in keys]


def test_without_speeds_the_sizes_are_left(grid_folder: Path, tmp_path: Path) -> None:
    results = load_runs(grid_folder)
    paths = efficiency.make(results, tmp_path / "figures")
    assert set(pd.read_csv(paths[2])["measure"]) == {PARAMETERS}
    assert results.notes == ["no speeds: no run was timed"]


def test_nothing_measured_nothing_drawn(exact: Callable[..., Path], tmp_path: Path) -> None:
    folder = exact({("b", 0): {"test_audio_swapped": {"J": {"x": 0.5}}}})
    assert efficiency.make(load_runs(folder), tmp_path / "figures") == []
    assert not (tmp_path / "figures").exists()
