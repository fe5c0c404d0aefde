"""From planted points of a grid's runs to numbers, and what is said about the rest."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from analysis.embeddings.companions import COMPANIONS, companions
from analysis.embeddings.measure import first_seeds, measure
from analysis.embeddings.points import SPACES, Points, RunPoints
from analysis.runs.results import Results, load_runs
from auralsam2.engine.embedding_points import NoAudioVisualSpaceError
from tests.analysis.planted import points_of

CELLS = {"SAM2": 0.2, "none": 0.4, "weightless": 0.5, "AudioCon": 0.6}
TRAINED = "model = dict(contrastive_loss=dict(type='AudioConLoss', weight=0.1))\n"
CONFIGS = {
    "none": "model = dict(contrastive_loss=None)\n",
    "weightless": "model = dict(contrastive_loss=dict(type='AudioConLoss', weight=0.0))\n",
}
ALL = RunPoints()


@pytest.fixture
def results(write_grid: Callable[..., Path], tmp_path: Path) -> Results:
    folder = write_grid(tmp_path / "grid", cells=CELLS)
    for run_dir in (folder / "runs").iterdir():
        (run_dir / "config.py").write_text(CONFIGS.get(run_dir.name.split("-")[0], TRAINED))
    return load_runs(folder)


@pytest.fixture
def drawn(
    monkeypatch: pytest.MonkeyPatch,
) -> list[tuple[str, RunPoints, dict]]:
    """Plant the points of runs; the calls are listed."""
    calls = []

    def of(self: RunPoints, run_dir: Path, **how: object) -> Points:
        calls.append((run_dir.name, self, how))
        cell, seed = run_dir.name.split("-")[0], int(run_dir.name.split("-s")[1][0])
        if cell == "SAM2":
            raise NoAudioVisualSpaceError("SAM2 has no audio-visual space")
        return points_of(seed=seed, spaces=("fused",) if cell == "none" else SPACES)

    monkeypatch.setattr(RunPoints, "of", of)
    return calls


def test_what_was_left_out_and_what_to_know(results, drawn) -> None:
    measured = measure(results, ALL)

    assert measured.problems == [
        "SAM2: left out: SAM2 has no audio-visual space",
        "weightless: untrained projector: its projected space is a random projection",
    ]
    assert measured.runs.lost_lines == []
    assert [name.split("-")[0] for name, *_ in drawn].count("SAM2") == 1
    assert first_seeds(measured.runs) == {"none": 0, "weightless": 0, "AudioCon": 0}
    assert measured.untrained == ("weightless",)
    assert set(measured.companions["space"]) == {"fused", "projected"}


def test_numbers_are_those_of_the_points(results, drawn) -> None:
    measured = measure(results, ALL, cells=["AudioCon", "none", "weightless"])

    own = companions(*points_of(spaces=SPACES).select("projected", 1))
    table = measured.companions.query("cell == 'AudioCon' and seed == 0 and space == 'projected'")
    for key in COMPANIONS:
        assert table[table["coarsest"]][key].item() == pytest.approx(own[key])
    assert len(measured.companions) == 2 * 2 * (2 + 1 + 2), "seeds, levels, spaces of the cells"
    assert list(first_seeds(measured.runs)) == ["AudioCon", "none", "weightless"]


def test_a_level_that_no_run_has(results, drawn) -> None:
    assert measure(results, ALL, level=-2).level == -2
    for level in (2, -3):
        with pytest.raises(ValueError, match=f"no run has a level {level}; pyramids have up to 2"):
            measure(results, ALL, level=level)


def test_runs_without_data_or_diverged(results, drawn, monkeypatch) -> None:
    planted = RunPoints.of

    def of(self: RunPoints, run_dir: Path, **how: object) -> Points:
        points = planted(self, run_dir, **how)
        if run_dir.name.startswith("AudioCon-s0"):
            raise KeyError("no data")
        if run_dir.name.startswith("weightless-s0"):
            points.vectors["fused"][0] = np.nan
        return points

    monkeypatch.setattr(RunPoints, "of", of)
    measured = measure(results, ALL, cells=["weightless", "AudioCon"])

    assert measured.runs.lost_lines == [
        "weightless, seed 0: left out: its vectors are not finite",
        "AudioCon, seed 0: left out: no data",
    ]
    assert measured.problems[:2] == measured.runs.lost_lines and len(measured.problems) == 3
    assert first_seeds(measured.runs) == {"weightless": 1, "AudioCon": 1}


def test_nothing_to_show(results, drawn) -> None:
    measured = measure(results, ALL, cells=["SAM2"])
    assert not measured.runs.found and measured.companions.empty and len(measured.problems) == 1
