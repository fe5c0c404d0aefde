from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import matplotlib.image
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from analysis.figures import grid_points
from analysis.runs.results import load_runs
from auralsam2.engine import run_record


def test_numbers(grid_folder: Path) -> None:
    numbers = grid_points.collect(load_runs(grid_folder))
    assert numbers.cells == ("none", "sparse", "dense", "sparse+dense")
    assert (numbers.splits, numbers.metrics) == (("test", "test_audio_swapped"), ("J", "F"))
    assert len(numbers.points) == 4 * 2 * 2 * 2 and len(numbers.means) == 4 * 2 * 2
    mean = numbers.means.set_index(["cell", "split", "metric"]).loc[("dense", "test", "J"), "value"]
    runs = [run_record.read(grid_folder / "runs" / f"dense-s{seed}-x") for seed in (0, 1)]
    assert mean == pytest.approx(sum(run.metrics["test"]["J"] for run in runs) / 2)


def test_bars_and_points_stand_at_the_numbers(grid_folder: Path) -> None:
    numbers = grid_points.collect(load_runs(grid_folder))
    panels = Figure().subplots(1, 2)
    grid_points.draw(numbers, panels)
    wanted = numbers.means[numbers.means["metric"] == "F"]["value"]
    heights = [bar.get_height() for bar in panels[1].patches]
    assert sorted(heights) == pytest.approx(sorted(wanted))
    drawn = [float(y) for line in panels[1].lines for y in line.get_ydata()]
    points = numbers.points[numbers.points["metric"] == "F"]["value"]
    assert sorted(drawn) == pytest.approx(sorted(points))
    assert [tick.get_text() for tick in panels[0].get_xticklabels()] == list(numbers.cells)
    # Hollow where the sound is another clip's.
    hollow = [line for line in panels[0].lines if line.get_markerfacecolor() == "white"]
    assert len(hollow) == 1 and len(hollow[0].get_xdata()) == 4 * 2
    (split,) = (line for line in panels[0].lines if line not in hollow)
    places = np.asarray(split.get_xdata()).reshape(4, 2)
    assert np.ptp(places, axis=1) == pytest.approx(2 * 0.22 * 0.76 / 2), "seeds side by side"
    assert panels[0].get_ylim()[0] == 0


def test_areas_have_a_scale_of_their_own(exact: Callable[..., Path]) -> None:
    held = {"test": {"J": {"x": 0.8}, "F": {"x": 0.4}}, "test_audio_silence": {"A": {"x": 0.1}}}
    numbers = grid_points.collect(load_runs(exact({("b", 0): held})))
    panels = Figure().subplots(1, 3)
    grid_points.draw(numbers, panels)
    assert [panel.get_ylim()[1] for panel in panels] == pytest.approx([0.864, 0.864, 0.108])


def test_files(grid_folder: Path, tmp_path: Path) -> None:
    paths = grid_points.make(load_runs(grid_folder), tmp_path / "figures")
    assert [path.name for path in paths] == [
        f"grid_points.{kind}" for kind in ("pdf", "png", "csv")
    ]
    assert paths[0].read_bytes().startswith(b"%PDF")
    assert matplotlib.image.imread(paths[1]).shape[1] == 650  # a column at 200 dpi
    assert len(pd.read_csv(paths[2])) == 32


def test_large_grids_get_the_width_of_a_page(
    write_grid: Callable[..., Path], tmp_path: Path
) -> None:
    cells = {f"LongFusionName{index}, num_levels=3": 0.1 * index for index in range(7)}
    folder = write_grid(tmp_path / "large", cells=cells, seeds=(0,), reference=None)
    paths = grid_points.make(load_runs(folder), tmp_path)
    assert matplotlib.image.imread(paths[1]).shape[1] == 1350
