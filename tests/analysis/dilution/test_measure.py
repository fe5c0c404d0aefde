from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from analysis.dilution import measure as measured_dilution
from analysis.dilution.capture import COLUMNS
from analysis.runs.results import load_runs
from auralsam2.models.decoder_rows import CannotProbeError

Calls = list[dict[str, Any]]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    """Every run reads the same; the call is noted."""
    noted: Calls = []

    def capture(run_dir: Path, **options: Any) -> pd.DataFrame:
        noted.append({"run": run_dir.name, **options})
        if run_dir.name.startswith("none"):
            raise CannotProbeError("cannot be looked into")
        listed = [
            (clip, 0, quantity, condition, swapped_at, site, head, "mask", 0.1 * site)
            for clip in ("a", "b")
            for quantity, condition, swapped_at in (
                ("gain", "true", 0),
                ("js", "swapped", 0),
                ("js", "swapped", 1),
                ("token_signal", "swapped", 0),
                ("js", "no prompts", 0),
            )
            for site in (1, 2, 3)
            for head in (-1, 0)
        ]
        return pd.DataFrame(listed, columns=list(COLUMNS))

    monkeypatch.setattr(measured_dilution, "capture_dilution", capture)
    return noted


def test_everything_of_all_cells(grid_folder: Path, calls: Calls, tmp_path: Path) -> None:
    out = tmp_path / "out"
    measured = measured_dilution.measure(load_runs(grid_folder), out, heads=True)

    stems = list(dict.fromkeys(path.stem for path in measured.paths))
    assert stems == [
        *("dilution_curves", "dilution_curves_no_prompts", "signal_retention", "site_matrix"),
        *("dilution_heads", "dilution_indices"),
    ]
    assert all(path.is_file() and path.parent == out for path in measured.paths)
    assert measured.problems == [f"none, seed {s}: cannot be looked into" for s in (0, 1)]
    assert measured.lost == []
    assert list(dict.fromkeys(measured.indices["arm"])) == ["sparse", "dense", "sparse+dense"]
    assert set(measured.indices["seed"]) == {"all", 0, 1}


def test_chosen_cells_in_their_order(grid_folder: Path, calls: Calls, tmp_path: Path) -> None:
    seen = []
    measured = measured_dilution.measure(
        load_runs(grid_folder),
        tmp_path,
        cells=["dense", "sparse"],
        sounds=("swapped",),
        overrides={"data.root": "x"},
        track=lambda runs: seen.extend(runs) or seen,
    )

    assert [call["run"][:6] for call in calls] == ["dense-", "dense-", "sparse", "sparse"]
    assert len(seen) == 4 and calls[0]["overrides"] == {"data.root": "x"}
    assert calls[0]["sounds"] == ("swapped",)
    assert not any(path.stem == "dilution_heads" for path in measured.paths)


def test_nothing_to_read_gives_no_files(grid_folder: Path, calls: Calls, tmp_path: Path) -> None:
    measured = measured_dilution.measure(load_runs(grid_folder), tmp_path, cells=["none"])
    assert measured.paths == [] and measured.indices.empty and len(measured.problems) == 2
    assert measured.lost == []


def test_broken_runs_do_not_take_the_others_along(
    grid_folder: Path, calls: Calls, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    planted = measured_dilution.capture_dilution
    errors = [RuntimeError("no memory"), KeyError("no such thing"), FileNotFoundError("no data")]

    def capture(run_dir: Path, **options: Any) -> pd.DataFrame:
        rows = planted(run_dir, **options)
        if errors:
            raise errors.pop(0)
        return rows

    monkeypatch.setattr(measured_dilution, "capture_dilution", capture)
    monkeypatch.setattr("analysis.figures.style.save", lambda *_: [])
    cells = ["none", "dense", "sparse"]
    measured = measured_dilution.measure(load_runs(grid_folder), tmp_path, cells=cells)

    assert list(dict.fromkeys(measured.indices["arm"])) == ["sparse"]
    assert set(measured.indices["seed"]) == {"all", 1}
    assert measured.lost == [
        "dense, seed 0: RuntimeError: no memory",
        "dense, seed 1: no such thing",
        "sparse, seed 0: no data",
    ]
    assert measured.problems[2:] == measured.lost and len(measured.problems) == 5
    errors += [OSError("gone"), OSError("gone")]
    with pytest.raises(ValueError, match="(?s)no run could be read:.*dense, seed 1: gone$"):
        measured_dilution.measure(load_runs(grid_folder), tmp_path, cells=["none", "dense"])


def test_frames_without_anything_to_measure(
    grid_folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def capture(run_dir: Path, **options: Any) -> pd.DataFrame:
        listed = [
            ("a", 0, quantity, "true", 0, site, head, "mask", value)
            for quantity, value in (("gain", float("nan")), ("entropy", 0.5))
            for site in (1, 2, 3)
            for head in (-1, 0)
        ]
        return pd.DataFrame(listed, columns=list(COLUMNS))

    monkeypatch.setattr(measured_dilution, "capture_dilution", capture)
    measured = measured_dilution.measure(load_runs(grid_folder), tmp_path, heads=True)

    assert measured.indices.empty and measured.problems == []
    assert {path.stem for path in measured.paths} == {"dilution_indices"}


def test_unknown_cells_are_named_with_the_known(
    grid_folder: Path, calls: Calls, tmp_path: Path
) -> None:
    results = load_runs(grid_folder)
    with pytest.raises(ValueError, match="did you mean 'dense'.*known: dense.*cell 'x'"):
        measured_dilution.measure(results, tmp_path, cells=["dens", "x"])
    with pytest.raises(ValueError, match="name one sound at least; known: .*swapped"):
        measured_dilution.measure(results, tmp_path, sounds=())
    with pytest.raises(ValueError) as told:
        measured_dilution.measure(
            results, tmp_path, cells="dense", sounds=["swaped", "silence"], max_clips=0
        )
    for part in (
        "cells must be a list of names, got the text 'dense'",
        "unknown sound 'swaped'; did you mean 'swapped'? known: noise, offscreen, silence",
        "max_clips must be at least 1, got 0",
    ):
        assert part in str(told.value)
    assert not calls
