from __future__ import annotations

from math import inf
from pathlib import Path
from typing import Any

import pytest

from analysis.measured_runs import MeasuredRuns
from analysis.robustness.measure import CURVES, MEAN, measure
from analysis.robustness.scores import CLEAN, RunRobustness, RunScores
from analysis.runs.results import load_runs


def test_curves_of_planted_robustness(planted_robustness) -> None:
    found = planted_robustness({"a": 0.1, "b": 0.0}).curves
    assert list(found) == list(CURVES)
    rows = found[found["cell"] == "a"].set_index(["corruption", "strength", "metric"])
    clean = rows.loc[("WhiteNoise", inf, "J")]
    assert clean["mean"] == rows.loc[(CLEAN, MEAN, "J"), "mean"] == pytest.approx(0.58)
    for strength, lost in ((10.0, 0.1), (0.0, 0.2), (MEAN, 0.15)):
        row = rows.loc[("WhiteNoise", strength, "J")]
        assert row["mean"] == pytest.approx(0.58 - lost) and row["change"] == pytest.approx(-lost)
        assert row["low"] < row["mean"] < row["high"]
        assert (row["num_seeds"], row["num_clips"]) == (2, 6)
        assert row["varies"] == "clips and seeds"
        area = rows.loc[("WhiteNoise", strength, "area"), "mean"]
        assert area == pytest.approx(lost)
    detected = rows.loc[("WhiteNoise", 0.0, "found")]
    assert detected["num_clips"] == 5 and detected["mean"] == pytest.approx(0.8)


def test_what_was_left_out_is_said(
    planted_robustness, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    planted = planted_robustness({"a": 0.1, "b": 0.2}, deaf=("b",))
    why = {"Babble": "no waveform"}
    runs: MeasuredRuns[RunScores] = MeasuredRuns(
        {run: scores._replace(left_out=why) for run, scores in planted.runs.found.items()}
    )
    (said, left_out) = planted._replace(runs=runs).problems
    assert said.startswith("b: hear nothing") and "clean scores stand there" in said
    assert left_out == "Babble: left out of 4 runs, a, seed 0 first: no waveform"


def test_mistakes_are_told_at_once(exact) -> None:
    results = load_runs(exact({("a", 0): 0.5, ("b", 0): 0.4}))
    asked: Any = [({"type": "PartialSilence"}, (2.0,)), ({"type": "PartialSilence"}, (1.0,))]
    with pytest.raises(ValueError, match=r"unknown cell 'c'.*stands twice.*got strength 2"):
        measure(results, RunRobustness(corruptions=asked), cells=["c"])
