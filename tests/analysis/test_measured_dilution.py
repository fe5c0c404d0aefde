from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from analysis import measured_dilution
from analysis.capture import COLUMNS
from analysis.results import load_runs

Calls = list[dict[str, Any]]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    """Every run reads the same; the call is noted."""
    noted: Calls = []

    def capture(run_dir: Path, **options: Any) -> pd.DataFrame:
        noted.append({"run": run_dir.name, **options})
        if run_dir.name.startswith("none"):
            raise ValueError("cannot be looked into")
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
        *("dilution_curves", "dilution_curves_no_prompts", "site_matrix", "signal_retention"),
        *("dilution_heads", "dilution_indices"),
    ]
    assert all(path.is_file() and path.parent == out for path in measured.paths)
    assert measured.problems == [f"none, seed {s}: cannot be looked into" for s in (0, 1)]
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
        progress=lambda runs: seen.extend(runs) or seen,
    )

    assert [call["run"][:6] for call in calls] == ["dense-", "dense-", "sparse", "sparse"]
    assert len(seen) == 4 and calls[0]["overrides"] == {"data.root": "x"}
    assert calls[0]["sounds"] == ("swapped",)
    assert not any(path.stem == "dilution_heads" for path in measured.paths)


def test_nothing_to_read_gives_no_files(grid_folder: Path, calls: Calls, tmp_path: Path) -> None:
    measured = measured_dilution.measure(load_runs(grid_folder), tmp_path, cells=["none"])
    assert measured.paths == [] and measured.indices.empty and len(measured.problems) == 2


def test_unknown_cells_are_named_with_the_known(
    grid_folder: Path, calls: Calls, tmp_path: Path
) -> None:
    results = load_runs(grid_folder)
    with pytest.raises(ValueError, match="did you mean 'dense'.*known: dense.*cell 'x'"):
        measured_dilution.measure(results, tmp_path, cells=["dens", "x"])
    with pytest.raises(ValueError, match="sounds is empty"):
        measured_dilution.measure(results, tmp_path, sounds=())
    assert not calls
