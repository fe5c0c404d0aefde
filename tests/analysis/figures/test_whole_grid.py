from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from analysis.figures.whole_grid import make_all
from analysis.runs.results import Results


def test_figures_that_have_something_to_show(
    grid_of: Callable[..., Results], tmp_path: Path
) -> None:
    axes = {"size": ("s", "m"), "loss": ("off", "on")}
    results = grid_of(axes, lambda *_: 0.5)
    paths = make_all(results, tmp_path / "figures")
    assert [path.name for path in paths if path.suffix == ".png"] == [
        *("grid_points.png", "effects.png")
    ]
    assert any("no training curves" in note for note in results.notes)
