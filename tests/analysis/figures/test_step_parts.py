"""Bars of a benchmark."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from analysis.figures import step_parts
from auralsam2.engine.benchmark.report import Part, Reading, Report, Spread


def report(**seconds: float) -> Report:
    parts = {n: Part(Spread(v, v, v), 0, 0.0, 0) for n, v in seconds.items()}
    total = Spread.of([sum(seconds.values())])
    shared = dict(
        parts=parts, total=total, plain=total, cpu=total, peak_operations=1.0, dtype="float32"
    )
    shared |= dict(steps=1, shape=(1, 5, 3, 64, 64), memory="")
    return Report(None, Reading(name="evaluated clip", **shared), {})


VALUES = {"1": report(a=1.0, tiny=0.01, b=1.0), "2": report(a=3.0, tiny=0.01, b=1.0)}
FOUND = [{"axis": "clips", "values": {value: each.to_json() for value, each in VALUES.items()}}]


def test_numbers_are_medians_and_shares() -> None:
    numbers = step_parts.collect(FOUND)
    assert list(numbers.columns) == list(step_parts.COLUMNS)
    row = numbers[(numbers["value"] == "2") & (numbers["part"] == "a")].iloc[0]
    assert row["seconds"] == 3.0 and row["share"] == pytest.approx(3 / 4.01)
    assert set(numbers["axis"]) == {"clips"} and set(numbers["step"]) == {"evaluated clip"}


def test_what_is_small_in_every_bar_comes_last_as_one() -> None:
    shown = step_parts.drawn(step_parts.collect(FOUND))
    assert list(dict.fromkeys(shown["part"])) == ["a", "b", step_parts.REST]
    rest = shown[shown["part"] == step_parts.REST]
    assert rest["seconds"].tolist() == [0.01, 0.01]


def test_files_hold_all_numbers(tmp_path: Path) -> None:
    alone = {"axis": "", "values": {"": VALUES["1"].to_json()}}
    paths = step_parts.make([*FOUND, alone], tmp_path, "bars")
    assert [path.name for path in paths] == ["bars.pdf", "bars.png", "bars.csv"]
    assert "tiny" in set(pd.read_csv(paths[2])["part"])


def test_bars_stand_behind_each_other() -> None:
    from matplotlib.figure import Figure

    panel = Figure().subplots()
    step_parts.draw(step_parts.drawn(step_parts.collect(FOUND)), [panel])
    bars = [(bar.get_x(), bar.get_width()) for bar in panel.patches]
    assert sorted(bars) == [
        *((0.0, 1000.0), (0.0, 3000.0), (1000.0, 1000.0)),
        *((2000.0, 10.0), (3000.0, 1000.0), (4000.0, 10.0)),
    ]
    assert [label.get_text() for label in panel.get_yticklabels()] == ["clips 1", "clips 2"]
