from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from analysis.dilution.measure import measure
from analysis.dilution.readings import COLUMNS, DilutionReadings
from analysis.runs.results import load_runs
from auralsam2.models.decoder_rows import CannotProbeError

ALL = DilutionReadings()


@pytest.fixture
def planted_readings(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Every run reads the same, but that of ``none``; calls are listed."""
    calls: list[dict[str, Any]] = []

    def of(self: DilutionReadings, run_dir: Path, **options: Any) -> pd.DataFrame:
        calls.append({"run": run_dir.name, "settings": self, **options})
        if run_dir.name.startswith("none"):
            raise CannotProbeError("cannot be looked into")
        rows = [
            (clip, 0, quantity, condition, 0, site, -1, "mask", 0.1 * site)
            for clip in ("a", "b")
            for quantity, condition in (("gain", "true"), ("js", "swapped"))
            for site in (1, 2, 3)
        ]
        return pd.DataFrame(rows, columns=list(COLUMNS))

    monkeypatch.setattr(DilutionReadings, "of", of)
    return calls


def test_everything_of_all_cells(grid_folder: Path, planted_readings: list) -> None:
    measured = measure(load_runs(grid_folder), ALL)

    assert measured.problems == ["none: left out: cannot be looked into"]
    assert measured.runs.lost_lines == [] and measured.sound == "swapped"
    assert list(dict.fromkeys(measured.indices["arm"])) == ["sparse", "dense", "sparse+dense"]
    assert set(measured.indices["seed"]) == {"all", 0, 1}
    assert set(measured.clips["clip"]) == {"a", "b"} and "seed" not in measured.clips


def test_chosen_cells_in_their_order(grid_folder: Path, planted_readings: list) -> None:
    seen = []
    measure(
        load_runs(grid_folder),
        DilutionReadings(sounds=("swapped",)),
        cells=["dense", "sparse"],
        overrides={"data.root": "x"},
        track=lambda runs: seen.extend(runs) or seen,
    )

    calls = planted_readings
    assert [call["run"][:6] for call in calls] == ["dense-", "dense-", "sparse", "sparse"]
    assert len(seen) == 4 and calls[0]["overrides"] == {"data.root": "x"}
    assert calls[0]["settings"].sounds == ("swapped",)


def test_nothing_to_read(grid_folder: Path, planted_readings: list) -> None:
    measured = measure(load_runs(grid_folder), ALL, cells=["none"])
    assert not measured.runs.found and measured.indices.empty and len(measured.problems) == 1
    assert measured.runs.lost_lines == []


def test_broken_runs_do_not_take_the_others_along(
    grid_folder: Path, planted_readings: list, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted = DilutionReadings.of
    errors = [RuntimeError("no memory"), KeyError("no such thing"), FileNotFoundError("no data")]

    def of(self: DilutionReadings, run_dir: Path, **options: Any) -> pd.DataFrame:
        rows = planted(self, run_dir, **options)
        if errors:
            raise errors.pop(0)
        return rows

    monkeypatch.setattr(DilutionReadings, "of", of)
    measured = measure(load_runs(grid_folder), ALL, cells=["none", "dense", "sparse"])

    assert list(dict.fromkeys(measured.indices["arm"])) == ["sparse"]
    assert set(measured.indices["seed"]) == {"all", 1}
    assert measured.runs.lost_lines == [
        "dense, seed 0: left out: RuntimeError: no memory",
        "dense, seed 1: left out: no such thing",
        "sparse, seed 0: left out: no data",
    ]
    assert measured.problems[1:] == measured.runs.lost_lines and len(measured.problems) == 4
    errors += [OSError("gone"), OSError("gone")]
    with pytest.raises(
        ValueError, match="(?s)no run could be read:.*dense, seed 1: left out: gone$"
    ):
        measure(load_runs(grid_folder), ALL, cells=["none", "dense"])


def test_all_that_is_wrong_is_said_at_once(grid_folder: Path, planted_readings: list) -> None:
    results = load_runs(grid_folder)
    with pytest.raises(ValueError, match="did you mean 'dense'.*known: dense.*cell 'x'"):
        measure(results, ALL, cells=["dens", "x"])
    with pytest.raises(ValueError, match="name one sound at least; known: .*swapped"):
        measure(results, DilutionReadings(sounds=()))
    with pytest.raises(ValueError) as told:
        wrong = DilutionReadings(sounds=["swaped", "silence"], max_clips=0)
        measure(results, wrong, cells="dense")
    for part in (
        "cells must be a list of names, got the text 'dense'",
        "unknown sound 'swaped'; did you mean 'swapped'? known: noise, offscreen, silence",
        "max_clips must be at least 1, got 0",
    ):
        assert part in str(told.value)
    assert not planted_readings


def test_frames_without_anything_to_measure(
    grid_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = [
        ("a", 0, quantity, "true", 0, site, head, "mask", value)
        for quantity, value in (("gain", float("nan")), ("entropy", 0.5))
        for site in (1, 2, 3)
        for head in (-1, 0)
    ]
    rows = pd.DataFrame(listed, columns=list(COLUMNS))
    monkeypatch.setattr(DilutionReadings, "of", lambda *_, **how: rows)
    measured = measure(load_runs(grid_folder), ALL)

    assert measured.runs.found and measured.indices.empty and measured.problems == []
