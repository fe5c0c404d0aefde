from __future__ import annotations

import json
from pathlib import Path

import pytest

from analysis.runs.sweep_results import is_sweep, load_sweep_results


def test_types_of_the_columns(write_sweep_folder) -> None:
    results = load_sweep_results(write_sweep_folder())
    trials = results.trials
    assert results.directions == {"J": "maximize"} and results.title == "Toys"
    assert list(trials["number"]) == list(range(7))
    assert list(results.complete()["J"]) == [0.5, 0.4, 0.7, 0.6]
    assert trials["optim.optimizer.lr"].dtype == float and trials["num_trainable"].max() == 950
    assert list(trials["model.fusion.heads"].isna()) == [0, 1, 0, 1, 0, 1, 0]
    assert trials["model.fusion.heads"][4] == "4"
    assert list(trials["best"]) == [number == 4 for number in range(7)]
    assert results.parameters["optim.optimizer.lr"]["log"]
    assert results.is_number("optim.optimizer.lr") and not results.is_number("model.fusion")


def test_folders_that_are_no_sweep(write_sweep_folder, tmp_path: Path) -> None:
    assert not is_sweep(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"no sweep\.json .* auralsam2 run-sweep"):
        load_sweep_results(tmp_path)
    folder = write_sweep_folder()
    assert is_sweep(folder)
    (folder / "trials.csv").write_text("number,state\n")
    with pytest.raises(ValueError, match="lacks the columns J, optim.optimizer.lr"):
        load_sweep_results(folder)
    (folder / "sweep.json").write_text(json.dumps({"schema": 2}))
    with pytest.raises(ValueError, match="no manifest of a sweep .*schema 2, wanted 1"):
        load_sweep_results(folder)
    (folder / "trials.csv").unlink()
    with pytest.raises(FileNotFoundError, match=r"no trials\.csv"):
        load_sweep_results(folder)
