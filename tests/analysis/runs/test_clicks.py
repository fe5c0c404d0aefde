"""Scores after clicks stand beside the others, and make results of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd
import pytest

from analysis.runs.clicks import NOTE, after_clicks, columns_of, gains, shown_metrics
from analysis.runs.results import load_runs, write_csv

Exact = Callable[..., Path]


def scored(start: float, gain: float, heard: bool = True) -> dict[str, Mapping]:
    """J and F of two clips after 0 to 2 clicks; unclicked frames gain half as much."""
    splits = {"test": {"J": {"x": start, "y": start}, "F": {"x": 0.5, "y": 0.5}}}
    for number in range(3):
        for end in ("", "_unheard") if heard else ("_unheard",):
            j = start * (not end) + gain * number
            splits[f"test_clicks_{number}{end}"] = {
                "J": {"x": j, "y": j + 0.1},
                "F": {"x": 0.5, "y": 0.6},
                "unclicked/J": {"x": start / 2 + gain * number / 2},
                "unclicked/F": {"x": 0.1},
            }
    return splits


@pytest.fixture
def folder(exact: Exact) -> Path:
    held = {("a", 0): scored(0.2, 0.1, heard=False), ("b", 0): scored(0.4, 0.05)}
    return exact(held, environment={"encoder_passes": {"once": 1.0, "both": 2.0}})


def test_they_are_no_splits_of_the_runs(folder: Path, tmp_path: Path) -> None:
    results = load_runs(folder)
    assert (results.splits, results.metrics) == (("test",), ("J", "F"))
    assert set(results.scores["split"]) == {"test"}
    assert len(results.clicked) == 3 * 6 * 3
    written = pd.read_csv(write_csv(results, tmp_path / "results.csv"))
    assert len(written) == len(results.scores) + len(results.clicked)
    assert {"test_clicks_2", "test_clicks_2_unheard"} <= set(written["split"])


def test_cells_with_their_sound_and_without(folder: Path) -> None:
    clicked = after_clicks(load_runs(folder))
    assert clicked.cells == ("a", "b", "b, no sound"), "a hears nothing"
    assert clicked.splits == ("test_clicks_0", "test_clicks_1", "test_clicks_2")
    assert clicked.reference == "b" and len(clicked.runs) == 3
    assert clicked.runs["encoder_passes"].tolist() == [2.0] * 3
    means = clicked.scores.groupby(["cell", "split", "metric"])["value"].mean()
    assert means["b", "test_clicks_2", "J"] == pytest.approx(0.55)
    assert means["b, no sound", "test_clicks_2", "J"] == pytest.approx(0.15)
    assert means["a", "test_clicks_1", "J"] == pytest.approx(0.15)


def test_cells_that_nobody_clicked_on_are_named(exact, folder: Path) -> None:
    clicked = after_clicks(load_runs(folder))
    assert clicked.notes == [NOTE]
    held = {("a", 0): scored(0.2, 0.1), ("c", 0): {"test": {"J": {"x": 0.1, "y": 0.1}}}}
    clicked = after_clicks(load_runs(exact(held)))
    assert clicked.notes == [NOTE, "not clicked on: c"]


def test_gains_are_paired_by_clip(folder: Path) -> None:
    clicked = after_clicks(load_runs(folder))
    gained = gains(clicked)
    own = gained.scores[(gained.scores["cell"] == "b") & (gained.scores["metric"] == "J")]
    found = own.set_index(["split", "clip"])["value"]
    for number in range(3):
        for clip in "xy":
            assert found[f"test_clicks_{number}", clip] == pytest.approx(0.05 * number)
    assert gained.scale("J").bounds is None and clicked.scale("J").bounds == (0.0, 1.0)


def test_columns_of_a_metric(folder: Path) -> None:
    clicked = after_clicks(load_runs(folder))
    assert shown_metrics(clicked) == ["J", "F"]
    splits = [f"test_clicks_{number}" for number in range(3)]
    assert columns_of(clicked, "J") == [
        *((split, "J") for split in splits),
        *((split, "unclicked/J") for split in splits),
    ]


def test_runs_without_clicks_have_none(exact) -> None:
    assert after_clicks(load_runs(exact({("b", 0): 0.5}))) is None


def test_null_splits_show_what_is_asked_there(exact) -> None:
    held: dict[str, Mapping] = {}
    for split in ("test_s", "test_u", "test_n"):
        for end in ("", "_clicks_0", "_clicks_1"):
            held[f"{split}{end}"] = {"J": {"x": 0.5, "y": 0.5}, "S": {"x": 0.1, "y": 0.1}}
    clicked = after_clicks(load_runs(exact({("b", 0): held})))
    counts = ("clicks_0", "clicks_1")
    shown = columns_of(clicked, "J")
    assert shown == [(f"{s}_{c}", "J") for s in ("test_s", "test_u", "mix") for c in counts]
    assert columns_of(clicked, "S") == [(f"test_n_{count}", "S") for count in counts]
