from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from matplotlib.figure import Figure

from analysis.dilution.capture import COLUMNS
from analysis.dilution.indices import clip_means
from analysis.figures import signal_retention


@pytest.fixture
def clips() -> pd.DataFrame:
    gains = [("a", 0, "gain", "true", 0, site, -1, "mask", 0.1) for site in (1, 2, 3)]
    signals = [
        (clip, 0, quantity, "swapped", 0, site, -1, "mask", (number + 1) / site)
        for clip in ("a", "b")
        for number, quantity in enumerate(signal_retention.PANELS)
        for site in (1, 2, 3)
    ]
    arms = {("none", 0): gains, ("ours", 0): gains + signals}
    return clip_means({key: pd.DataFrame(r, columns=list(COLUMNS)) for key, r in arms.items()})


def test_a_panel_a_quantity(clips: pd.DataFrame) -> None:
    numbers = signal_retention.collect(clips)
    panels = Figure().subplots(1, 5)
    signal_retention.draw(numbers, panels)

    for number, panel in enumerate(panels, start=1):
        (line,) = [line for line in panel.lines if line.get_label() == "ours"]
        assert list(line.get_ydata()) == pytest.approx([number, number / 2, number / 3])
        assert not [line for line in panel.lines if line.get_label() == "none"]


def test_files(clips: pd.DataFrame, tmp_path: Path) -> None:
    paths = signal_retention.make(clips, tmp_path)
    assert [p.name for p in paths] == [f"signal_retention.{k}" for k in ("pdf", "png", "csv")]
    assert len(pd.read_csv(paths[2])) == 5 * 3
    assert signal_retention.make(clips, tmp_path, condition="silence") == []
