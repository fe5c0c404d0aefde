"""The curve of scores against clicks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from matplotlib.figure import Figure

from analysis.figures import clicks
from analysis.runs.results import load_runs


@pytest.fixture
def folder(exact: Callable[..., Path]) -> Path:
    held = {}
    for seed in (0, 1):
        splits = {"test": {"J": {"x": 0.5, "y": 0.7}, "F": {"x": 0.5, "y": 0.7}}}
        for number in range(3):
            for end, lower in (("", 0.0), ("_unheard", 0.3)):
                j = 0.5 + 0.1 * number - lower + 0.01 * seed
                for metric in ("J", "F", "unclicked/J"):
                    own = splits.setdefault(f"test_clicks_{number}{end}", {})
                    own[metric] = {"x": j, "y": j + 0.05}
        held["b", seed] = splits
    return exact(held)


def test_a_line_with_sound_and_one_without(folder: Path) -> None:
    numbers = clicks.collect(load_runs(folder))
    assert numbers is not None
    assert numbers.cells == ("b", "b, no sound")
    assert numbers.panels == (("test", "J"), ("test", "unclicked/J"))
    panels = list(Figure().subplots(1, 2))
    clicks.draw(numbers, panels)
    heard, unheard = panels[0].containers
    assert heard[0].get_linestyle() == "-" and unheard[0].get_linestyle() == "--"
    assert heard[0].get_color() == unheard[0].get_color()
    assert list(heard[0].get_ydata()) == pytest.approx([0.53, 0.63, 0.73])
    assert list(unheard[0].get_ydata()) == pytest.approx([0.23, 0.33, 0.43])
    of_b = numbers.points[(numbers.points["cell"] == "b") & (numbers.points["metric"] == "J")]
    ends = [segment[:, 1] for segment in heard[2][0].get_segments()]
    assert [low for low, _ in ends] == pytest.approx(of_b["low"].tolist())
    assert [panel.get_title() for panel in panels] == ["whole clips", "frames without a click"]
    assert {"F", "J", "unclicked/J"} == set(numbers.points["metric"])
    last = of_b[of_b["clicks"] == 2].set_index("cell").loc["b"]
    assert last["gain"] == pytest.approx(0.2)
    assert pd.isna(last["gain_low"]), "every clip gains the same: how it varies is not known"


def test_files(folder: Path, tmp_path: Path) -> None:
    paths = clicks.make(load_runs(folder), tmp_path)
    assert [path.name for path in paths] == [f"clicks.{kind}" for kind in ("pdf", "png", "csv")]


def test_nothing_without_clicks(exact: Callable[..., Path], tmp_path: Path) -> None:
    assert clicks.make(load_runs(exact({("b", 0): 0.5})), tmp_path / "out") == []
    assert not (tmp_path / "out").exists()
