from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.runs.reported import ReportedRow
from analysis.runs.results import load_runs
from analysis.tables import make_table, provenance, to_frame, write_tables

SCORES = {("a", 0): 0.2, ("a", 1): 0.4, ("b", 0): 0.5, ("b", 1): 0.8}
PAPER = ReportedRow("Other", "A. Author", "Table 2", "V1M", {("test", "J"): 0.9})


def test_csv_holds_the_numbers(exact) -> None:
    frame = to_frame(make_table(load_runs(exact(SCORES)), difference=True))
    assert frame.columns.tolist() == ["cell", "split", "metric", "mean", "std", "num_seeds"] + [
        "difference"
    ]
    row = frame[(frame["cell"] == "a") & (frame["split"] == "test")].iloc[0]
    assert row["mean"] == pytest.approx(0.3) and row["num_seeds"] == 2


def test_csv_of_everything(planted) -> None:
    table = make_table(
        load_runs(planted({"up": 0.05})),
        spread="interval",
        columns=["params"],
        reported=[PAPER],
    )
    frame = to_frame(table).set_index(["cell", "metric"])
    assert frame.loc[("up", "J"), "low"] < frame.loc[("up", "J"), "mean"]
    assert np.isnan(frame.loc[("up", "params"), "mean"])
    other = frame.loc[("Other", "J")]
    assert other["mean"] == 0.9 and other["source"].startswith("reported, not measured: Other: A.")
    assert frame.loc[("up", "J"), "source"] != frame.loc[("up", "J"), "source"]  # NaN: ours


def test_every_entry_names_its_runs(exact, tmp_path: Path) -> None:
    content = provenance(make_table(load_runs(exact(SCORES))), tmp_path)
    assert len(content["entries"]) == 4 and content["statistics"] is None
    entry = content["entries"][0]
    assert (entry["cell"], entry["split"], entry["metric"]) == ("a", "test", "J")
    assert [run["run_dir"] for run in entry["runs"]] == ["runs/0", "runs/1"]
    assert np.mean([run["value"] for run in entry["runs"]]) == pytest.approx(0.3)
    assert entry["runs"][0].keys() == {
        "seed",
        "value",
        "run_id",
        "config_hash",
        "data_fingerprint",
        "label_source",
        "code_version",
        "run_dir",
    }


def test_how_it_was_computed_is_written_down(planted, tmp_path: Path) -> None:
    results = load_runs(planted({"up": 0.05}))
    table = make_table(results, significance=True, reported=[PAPER])
    content = json.loads(json.dumps(provenance(table, tmp_path), allow_nan=False))
    held = content["statistics"]
    assert (held["over"], held["confidence"], held["reference"]) == ("clips and seeds", 0.95, "b")
    assert held["libraries"].keys() == {"numpy", "pandas", "scipy"}
    assert content["reported"][0]["scores"] == {"test": {"J": 0.9}}
    assert content["shown"] == ["test:J"]


def test_write_tables(exact, tmp_path: Path) -> None:
    results = load_runs(exact(SCORES))
    paths = write_tables(make_table(results), tmp_path / "out")
    names = ["table.md", "table.tex", "table.csv", "table.provenance.json"]
    assert [path.name for path in paths] == names
    assert json.loads(paths[3].read_text())["title"] == "A & B_c"
    assert len(pd.read_csv(paths[2])) == 4
    tested = make_table(results, significance=True)
    *_, comparison = write_tables(tested, tmp_path / "out")
    assert comparison.name == "table.comparison.csv"
    assert pd.read_csv(comparison)["cell"].tolist() == ["a"]
    write_tables(make_table(results), tmp_path / "out")
    assert not comparison.exists()


def test_a_mean_that_is_no_number_is_null(exact, tmp_path: Path) -> None:
    nan = {"x": float("nan")}
    folder = exact({("a", 0): nan, ("b", 0): {"x": 0.5}})
    paths = write_tables(make_table(load_runs(folder)), tmp_path / "out")
    assert json.loads(paths[3].read_text())["entries"][0]["runs"][0]["value"] is None
