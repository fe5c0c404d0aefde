from __future__ import annotations

from pathlib import Path

import matplotlib.image
import pandas as pd
import pytest
import torch
from matplotlib.figure import Figure


@pytest.fixture
def trials() -> pd.DataFrame:
    rows = [
        {"labels": labels, "area": area, "kept": kept, "labelled": kept / 2}
        for area in (0.01, 0.5)
        for labels, shares in {"own": (1.0, 1.0, 1.0), "looked_up": (0.0, area, 0.8)}.items()
        for kept in shares
    ]
    return pd.DataFrame(rows)


def test_numbers(script, trials: pd.DataFrame) -> None:
    summary = script.summarise(trials).set_index(["labels", "area", "quantity"])
    assert len(summary) == 2 * 2 * 2 and set(summary["num_trials"]) == {3}
    row = summary.loc[("looked_up", 0.5, "kept")]
    assert row["mean"] == pytest.approx((0 + 0.5 + 0.8) / 3)
    assert (row["low"], row["high"]) == pytest.approx((0.1, 0.74))
    assert summary.loc[("own", 0.01, "labelled"), "mean"] == 0.5


def test_lines_stand_at_the_means(script, trials: pd.DataFrame) -> None:
    panels = Figure().subplots(1, 2)
    summary = script.summarise(trials)
    script.draw(summary, panels)
    for panel, quantity in zip(panels, script.QUANTITIES):
        lines = {line.get_label(): line for line in panel.lines}
        assert set(lines) == {*script.RULES.values(), script.CHANCE}
        for labels, name in script.RULES.items():
            own = summary[(summary["labels"] == labels) & (summary["quantity"] == quantity)]
            assert list(lines[name].get_xdata()) == [0.01, 0.5]
            assert list(lines[name].get_ydata()) == pytest.approx(list(own["mean"]))
        chance = lines[script.CHANCE]
        assert list(chance.get_xdata()) == list(chance.get_ydata())


def test_files(script, trials: pd.DataFrame, tmp_path: Path) -> None:
    paths = script.make(trials, tmp_path)
    assert [path.name for path in paths] == [
        f"label_lookup.{kind}" for kind in ("pdf", "png", "csv")
    ]
    assert matplotlib.image.imread(paths[1]).shape[1] == 1350  # a page at 200 dpi
    assert len(pd.read_csv(paths[2])) == 8


@pytest.mark.parametrize("area", [0.001, 0.05, 0.6])
def test_objects_have_the_area_asked_for(script, area: float) -> None:
    generator = torch.Generator().manual_seed(0)
    masks = [script.random_object(area, 32, generator) for _ in range(5)]
    assert [int(mask.sum()) for mask in masks] == [max(1, round(area * 32 * 32))] * 5
    rows = {int(mask.view(32, 32).any(dim=1).nonzero()[0]) for mask in masks}
    assert len(rows) > 1  # not all in one place


def test_the_top_of_the_frame_decides(script) -> None:
    mask = torch.zeros(16, 16, dtype=torch.long)
    mask[8:10, 4:8] = 1
    low = script.measure(mask.flatten(), 128, "looked_up", 0)
    assert low["kept"] == 0 and low["truly"] == 8 / 256
    high = script.measure(mask.flip(0).roll(-6, 0).flatten(), 128, "looked_up", 0)
    assert high["kept"] == 4 / 8  # columns 4 to 7 of the first row are among its first 8 pixels
    assert script.measure(mask.flatten(), 128, "own", 0)["wrong"] == 0


def test_both_rules_see_the_same_objects(script) -> None:
    trials = script.run_trials((0.02, 0.4), 3, 16, 8, 0)
    assert len(trials) == 2 * 3 * 2
    pairs = trials.pivot(index=["area", "placement"], columns="labels")
    assert (pairs["truly", "own"] == pairs["truly", "looked_up"]).all()
    assert (pairs["kept", "own"] == 1).all() and (pairs["kept", "looked_up"] < 1).any()
