"""Tables of scores after clicks."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from analysis.runs.results import load_runs
from analysis.tables import click_tables, to_markdown, write_click_tables


def test_a_table_a_metric_with_intervals_and_tests(exact) -> None:
    clips = [f"c{number}" for number in range(6)]

    def scores(start: float) -> dict:
        held = {"test": {"J": dict.fromkeys(clips, 0.5), "F": dict.fromkeys(clips, 0.5)}}
        for number in range(2):
            for end, lower in (("", 0.0), ("_unheard", 0.3)):
                own = start + 0.1 * number - lower
                j = {clip: own + 0.01 * place for place, clip in enumerate(clips)}
                held[f"test_clicks_{number}{end}"] = {"J": j, "F": j, "unclicked/J": j}
        return held

    passes = {"encoder_passes": {"once": 1.0, "both": 2.0}}
    both = {("a", 0): scores(0.4), ("b", 0): scores(0.5)}
    tables = click_tables(load_runs(exact(both, environment=passes)))
    assert list(tables) == ["J", "F"]
    table = tables["J"]
    assert list(table.mean.index) == ["a", "a, no sound", "b", "b, no sound"]
    assert table.mean.loc["b", ("test_clicks_1", "J")] == pytest.approx(0.625)
    assert table.extras["passes"].tolist() == [2.0] * 4
    text = to_markdown(table)
    assert "after corrective clicks" in text and "6 clips of test)" in text
    for header in ("J, 0 clicks", "J, 1 click", "unclicked/J, 1 click", "encoder passes"):
        assert f" {header} " in text
    assert table.comparison is not None and table.intervals is not None
    compared = table.comparison.set_index(["cell", "split", "metric"])["difference"]
    assert compared["b, no sound", "test_clicks_1", "J"] == pytest.approx(-0.3)


def test_files(exact, tmp_path: Path) -> None:
    held = {"test": {"J": {"x": 0.5}}, "test_clicks_0": {"J": {"x": 0.5}}}
    paths = write_click_tables(click_tables(load_runs(exact({("b", 0): held}))), tmp_path / "out")
    assert {path.parent for path in paths} == {tmp_path / "out" / "clicks" / "J"}
    frame = pd.read_csv(tmp_path / "out" / "clicks" / "J" / "table.csv")
    assert frame["split"].tolist()[0] == "test_clicks_0"
    none = load_runs(exact({("b", 0): 0.5}))
    assert click_tables(none) == {} and write_click_tables({}, tmp_path) == []
