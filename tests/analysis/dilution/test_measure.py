from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from analysis.dilution.measure import measure
from analysis.dilution.readings import DilutionReadings
from analysis.runs.results import load_runs
from auralsam2.models.decoder_rows import CannotProbeError
from tests.analysis.planted import at_sites, frame_of

ALL = DilutionReadings()


@pytest.fixture
def planted_readings(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Every run reads the same, but that of ``none``; calls are listed."""
    calls: list[dict[str, Any]] = []

    def of(self: DilutionReadings, run_dir: Path, **options: Any) -> pd.DataFrame:
        calls.append({"run": run_dir.name, "settings": self, **options})
        if run_dir.name.startswith("none"):
            raise CannotProbeError("cannot be looked into")
        how: dict[str, Any] = {"value": lambda site, **_: 0.1 * site, "clips": ("a", "b")}
        return frame_of(at_sites("gain", **how) + at_sites("js", "swapped", **how))

    monkeypatch.setattr(DilutionReadings, "of", of)
    return calls


def test_everything_of_all_cells(grid_folder: Path, planted_readings: list) -> None:
    measured = measure(load_runs(grid_folder), ALL)

    assert measured.problems == ["none: left out: cannot be looked into"]
    assert measured.runs.lost_lines == [] and measured.sound == "swapped"
    assert list(dict.fromkeys(measured.indices["arm"])) == ["sparse", "dense", "sparse+dense"]
    assert set(measured.indices["seed"]) == {"all", 0, 1}
    assert set(measured.clips["clip"]) == {"a", "b"} and "seed" not in measured.clips


def test_nothing_to_read(grid_folder: Path, planted_readings: list) -> None:
    measured = measure(load_runs(grid_folder), ALL, cells=["none"])
    assert not measured.runs.found and measured.indices.empty and len(measured.problems) == 1
    assert measured.runs.lost_lines == []


def test_sounds_are_checked_with_the_rest(grid_folder: Path, planted_readings: list) -> None:
    results = load_runs(grid_folder)
    with pytest.raises(ValueError, match="name one sound at least; known: .*swapped"):
        measure(results, DilutionReadings(sounds=()))
    said = "cells must be.*unknown sound 'swaped'; did you mean 'swapped'.*max_clips must be at"
    with pytest.raises(ValueError, match=said):
        measure(results, DilutionReadings(sounds=["swaped"], max_clips=0), cells="dense")
    assert not planted_readings


def test_frames_without_anything_to_measure(
    grid_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heads = {"heads": (-1, 0)}
    rows = frame_of(
        at_sites("gain", value=float("nan"), **heads) + at_sites("entropy", value=0.5, **heads)
    )
    monkeypatch.setattr(DilutionReadings, "of", lambda *_, **how: rows)
    measured = measure(load_runs(grid_folder), ALL)

    assert measured.runs.found and measured.indices.empty and measured.problems == []
