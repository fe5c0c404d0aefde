from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from analysis.robustness.scores import KEYS, RunRobustness, RunScores
from auralsam2.config import parse_overrides
from auralsam2.engine.metric_scales import MetricScale


@pytest.fixture
def folder(write_scored: Callable[..., None], tmp_path: Path) -> Path:
    for cell in ("a", "b"):
        write_scored(tmp_path / "runs" / cell, {"test": {"J": {"x": 0.5, "y": 0.7}}})
    return tmp_path


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What was asked of every run; each scores 0.5, and 0.4 under any corruption."""
    asked: list[Any] = []

    def of(self: RunRobustness, run_dir: Path, **options: Any) -> RunScores:
        asked.append((run_dir.name, self, options))
        scales = {name: MetricScale() for name in ("J", "area", "found")}
        rows = [("clean", 0.0, clip, 0.5, 0.1, 1.0) for clip in "xy"]
        for node, strengths in self.corruptions:
            rows += [(node["type"], s, clip, 0.4, 0.2, 0.0) for s in strengths for clip in "xy"]
        frame = pd.DataFrame(rows, columns=["corruption", *KEYS, *scales])
        return RunScores(frame, scales, run_dir.name == "a", {})

    monkeypatch.setattr(RunRobustness, "of", of)
    return asked


def test_table_figure_and_paths(folder: Path, seen: list[Any], run) -> None:
    said = "--corruptions WhiteNoise Babble --strengths 10 -3 --cells b a --max-clips 2 --again"
    shown = run("measure-robustness", folder, *said.split(), "--set", "data.root=x")
    assert "note: b: hear nothing" in shown and "white noise, 10 to −3 dB" in shown
    assert "−0.100" in shown and str(folder / "figures" / "robustness.pdf") in shown
    assert [name for name, _, _ in seen] == ["b", "a"]
    _, settings, options = seen[0]
    assert (settings.max_clips, settings.split) == (2, "test") and options["again"]
    assert [(n["type"], s) for n, s in settings.corruptions] == [
        ("WhiteNoise", (10.0, -3.0)), ("Babble", (10.0, -3.0)),
    ]  # fmt: skip
    assert options["overrides"] == parse_overrides(["data.root=x"])


def test_mistakes_say_what_to_do(folder: Path, run) -> None:
    def error(*options: str) -> str:
        return run("measure-robustness", folder, *options, status=2)

    assert "did you mean 'PinkNoise'?" in error("--corruptions", "PinkNose")
    several = error("--corruptions", "Delay", "Blur", "--strengths", "1")
    assert "cannot be those of all of Delay (s), Blur (%)" in several
    assert "no run could be read" in error() and "no config.py" in error()
