from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from analysis.figures import robustness
from analysis.robustness.measure import CURVES, MeasuredRobustness


def test_lines_are_the_means_in_the_order_of_the_axis(
    planted_robustness: Callable[..., MeasuredRobustness],
) -> None:
    measured = planted_robustness({"a": 0.1, "b": 0.0})
    panels = list(Figure().subplots(3, 1))
    robustness.draw(measured, measured.axes[0], panels)
    line = next(line for line in panels[0].lines if line.get_label() == "a")
    assert list(line.get_xdata()) == [0, 1, 2]
    assert [round(y, 6) for y in line.get_ydata()] == [0.58, 0.48, 0.38]
    assert len(panels[0].collections) == 2, "a band for each of the two"
    assert panels[0].get_title() == "white noise" and panels[2].get_xlabel() == "SNR (dB)"
    assert [tick.get_text() for tick in panels[2].get_xticklabels()] == ["off", "10", "0"]


def test_files(planted_robustness: Callable[..., MeasuredRobustness], tmp_path: Path) -> None:
    measured = planted_robustness({"a": 0.1})
    names = [path.name for path in robustness.make(measured, tmp_path)]
    assert names == [f"robustness.{kind}" for kind in ("pdf", "png", "csv", "md", "tex")]
    assert list(pd.read_csv(tmp_path / "robustness.csv")) == list(CURVES)
    assert robustness.make(measured._replace(axes=()), tmp_path) == []
