from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from analysis.figures import sweep_slice
from analysis.runs.sweep_results import load_sweep_results


def test_every_scored_trial_stands_in_every_panel_that_applies(
    write_sweep_folder: Callable[..., Path],
) -> None:
    numbers = sweep_slice.collect(load_sweep_results(write_sweep_folder()))
    counts = numbers.points.groupby("parameter").size()
    assert counts.to_dict() == {
        "optim.optimizer.lr": 5,
        "model.pyramid.num_levels": 5,
        "model.fusion": 5,
        "model.fusion.heads": 3,
    }
    panels = Figure().subplots(1, 4)
    sweep_slice.draw(numbers, panels, Normalize(0, 6))
    assert panels[0].get_xscale() == "log" and panels[1].get_xscale() == "linear"
    complete, pruned = panels[2].collections
    assert np.allclose(complete.get_offsets(), [[0, 0.5], [1, 0.4], [0, 0.7], [1, 0.6]])
    assert np.allclose(pruned.get_offsets(), [[0, 0.2]])
    assert [label.get_text() for label in panels[2].get_xticklabels()] == ["Sum", "Gate"]
    low, high = panels[0].get_xlim()
    assert low < 1e-4 and high > 1e-2
