from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from analysis.figures import effects
from analysis.runs.results import Results

AXES = {"size": ("s", "m"), "loss": ("off", "on", "both")}


def planted(size: str, loss: str) -> float:
    return 0.4 + 0.1 * (size == "m") + 0.05 * (loss == "on") - 0.2 * (size + loss == "mboth")


def test_means_and_changes_by_hand(grid_of: Callable[..., Results]) -> None:
    numbers = effects.collect(grid_of(AXES, planted, spread=(0.0, 0.0, 0.001)))
    assert numbers is not None
    (maps,) = numbers.maps
    # The longer axis runs down.
    assert maps.axes == ("loss", "size") and maps.means.shape == (3, 2)
    base = maps.means.loc["off", "s"]
    np.testing.assert_allclose(maps.means - base, [[0, 0.1], [0.05, 0.15], [0, -0.1]], atol=2e-3)
    found = {key: entry and round(entry["difference"], 2) for key, entry in maps.changes.items()}
    alone = effects._ALONE
    assert found == {
        (alone, alone): None,
        (alone, "m"): pytest.approx(0.03),
        ("on", alone): 0.05,
        ("both", alone): -0.1,
        ("on", "m"): 0.0,
        ("both", "m"): -0.2,
    }


def test_what_is_drawn(grid_of) -> None:
    numbers = effects.collect(grid_of(AXES, planted))
    assert numbers is not None
    panels = Figure().subplots(1, 2, squeeze=False)
    effects.draw(numbers, panels)
    left, right = panels[0]
    assert len(left.texts) == 6 and len(right.texts) == 5
    entry = numbers.maps[0].changes["both", "m"]
    assert entry is not None and entry["significant"]
    shown = [f"{entry[n]:+.3f}".replace("-", "−") for n in ("difference", "low", "high")]
    assert f"{shown[0]}*\n[{shown[1]}, {shown[2]}]" in [text.get_text() for text in right.texts]
    assert [label.get_text() for label in right.get_yticklabels()] == [
        "mean over\nloss",
        "on",
        "both",
    ]
    assert right.get_xlabel() == "size, against s"


def test_a_grid_that_is_not_full_has_dashes(grid_of) -> None:
    numbers = effects.collect(grid_of(AXES, planted, left_out=["m, both"]))
    assert numbers is not None and numbers.maps[0].changes["both", "m"] is None
    panels = Figure().subplots(1, 2, squeeze=False)
    effects.draw(numbers, panels)
    assert [[t.get_text() for t in panel.texts].count("–") for panel in panels[0]] == [1, 1]


def test_every_pair_of_axes_is_a_row_but_those_without_room(grid_of, tmp_path: Path) -> None:
    axes = {**AXES, "text": ("no", "yes"), "width": tuple("12345678")}
    results = grid_of(axes, lambda *at: planted(*at[:2]), num_seeds=1, num_clips=2)
    paths = effects.make(results, tmp_path)
    assert [path.name for path in paths] == ["effects.pdf", "effects.png", "effects.csv"]
    assert results.notes == ["axis width: 8 levels have no room on a map"]
    numbers = effects.collect(results)
    assert numbers is not None and len(numbers.maps) == 3
    frame = pd.read_csv(paths[2])
    assert (frame["kind"] == "mean").sum() == 6 + 4 + 6
    # Those of the width are in the numbers all the same.
    assert set(frame["axes"]) >= {"size", "width", "size × loss", "loss × width"}


def test_nothing_of_one_axis(grid_of, tmp_path: Path) -> None:
    assert effects.make(grid_of({"size": ("s", "m")}, lambda *_: 0.5), tmp_path) == []
