from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from analysis.runs.comparable import MixedDataError, MixedLabelSourcesError
from analysis.runs.results import (
    COLUMNS,
    NoResultsError,
    load_runs,
    seed_means,
    write_csv,
)
from auralsam2.engine import run_record


def test_scores_are_tidy(grid_folder: Path) -> None:
    results = load_runs(grid_folder)
    assert tuple(results.scores.columns) == COLUMNS
    assert len(results.scores) == 4 * 2 * 2 * 6 * 2  # cells, seeds, splits, clips, metrics
    assert results.cells == ("none", "sparse", "dense", "sparse+dense")
    assert results.splits == ("test", "test_audio_swapped")
    assert results.metrics == ("J", "F")
    assert results.title == "Audio prompts of a frozen SAM2"
    assert results.reference == "sparse+dense" and results.notes == []


def test_every_run_has_its_provenance(grid_folder: Path) -> None:
    runs = load_runs(grid_folder).runs
    assert len(runs) == 8
    first = runs.iloc[0]
    assert (first["cell"], first["seed"], first["code_version"]) == ("none", 0, "0.1.0+abc")
    assert first["run_dir"] == (grid_folder / "runs" / "none-s0-x").as_posix()
    assert (first["num_parameters"], first["num_trainable"]) == (100, 10)
    assert set(runs["data_fingerprint"]) == {"d" * 64}


def test_means_over_clips_equal_the_records(grid_folder: Path) -> None:
    means = seed_means(load_runs(grid_folder).scores).set_index(["cell", "seed", "split", "metric"])
    record = run_record.read(grid_folder / "runs" / "dense-s1-x")
    for split, scores in record.metrics.items():
        for metric, value in scores.items():
            assert means.loc[("dense", 1, split, metric), "value"] == pytest.approx(value)


def test_csv_round_trip(grid_folder: Path, tmp_path: Path) -> None:
    results = load_runs(grid_folder)
    back = pd.read_csv(write_csv(results, tmp_path / "new" / "results.csv"))
    pd.testing.assert_frame_equal(back, results.scores, check_dtype=False)
    assert back.columns.tolist() == ["cell", "seed", "split", "clip", "metric", "value"]


def test_runs_that_are_missing_are_noted(grid_folder: Path, write_run) -> None:
    runs = grid_folder / "runs"
    write_run(runs / "none-s1-x", "none", 1, status="running")
    write_run(runs / "dense-s0-x", "dense", 0, status="failed", error="Traceback\nValueError: x\n")
    (runs / "sparse-s0-x" / "record.json").unlink()
    write_run(runs / "none-s0-old", "none", 0)
    results = load_runs(grid_folder)
    assert len(results.runs) == 5
    assert results.notes[:3] == [
        "none, seed 1: unfinished",
        "sparse, seed 0: not started",
        "dense, seed 0: failed: ValueError: x",
    ]
    assert results.notes[3].startswith("1 runs below") and "left out" in results.notes[3]


def test_two_cells_may_share_a_run(grid_folder: Path) -> None:
    grid = json.loads((grid_folder / "grid.json").read_text())
    grid["cells"].append({**grid["cells"][0], "name": "twin"})
    (grid_folder / "grid.json").write_text(json.dumps(grid))
    means = seed_means(load_runs(grid_folder).scores)
    twin, none = (means.loc[means["cell"] == c, "value"].tolist() for c in ("twin", "none"))
    assert twin == none


def test_a_folder_without_a_grid_is_walked(tmp_path: Path, write_run) -> None:
    write_run(tmp_path / "a" / "b", "one", 0)
    write_run(tmp_path / "c", "two", 0)
    results = load_runs(tmp_path)
    assert results.cells == ("one", "two") and results.reference is None
    assert results.title == tmp_path.name


def test_two_runs_of_one_cell_and_seed_are_refused(tmp_path: Path, write_run) -> None:
    write_run(tmp_path / "a", "one", 0)
    write_run(tmp_path / "b", "one", 0)
    with pytest.raises(ValueError, match="one, seed 0: '.*a', '.*b'"):
        load_runs(tmp_path)


def test_different_data_are_refused_unless_asked_for(tmp_path: Path, write_run) -> None:
    write_run(tmp_path / "a", "one", 0)
    write_run(tmp_path / "b", "two", 0, data_fingerprint="e" * 64)
    with pytest.raises(MixedDataError, match=r"dddddddddd: one, seed 0; eeeeeeeeee: two, seed 0"):
        load_runs(tmp_path)
    (note,) = load_runs(tmp_path, allow_mixed_data=True).notes
    assert "different data" in note


def test_different_code_is_noted(tmp_path: Path, write_run) -> None:
    write_run(tmp_path / "a", "one", 0)
    write_run(tmp_path / "b", "two", 0, code_version="0.1.0+def")
    (note,) = load_runs(tmp_path).notes
    assert "0.1.0+abc, 0.1.0+def" in note


def test_nothing_to_show(tmp_path: Path, write_run) -> None:
    with pytest.raises(FileNotFoundError, match="auralsam2 run-grid"):
        load_runs(tmp_path)
    write_run(tmp_path / "a", "one", 0, status="failed", error="KeyError: 'x'")
    with pytest.raises(NoResultsError, match="one, seed 0: failed: KeyError: 'x'"):
        load_runs(tmp_path)


def test_a_finished_run_without_scores_is_noted(tmp_path: Path, write_run) -> None:
    write_run(tmp_path / "a", "one", 0, per_clip=[], metrics={})
    with pytest.raises(NoResultsError, match="has a score of a clip"):
        load_runs(tmp_path)
    write_run(tmp_path / "b", "two", 0)
    results = load_runs(tmp_path)
    assert results.cells == ("two",)
    assert results.notes == ["one, seed 0: finished, and has no score of a clip"]


def test_scores_that_are_no_numbers_are_noted(tmp_path: Path, write_run) -> None:
    record = write_run(tmp_path / "a", "one", 0)
    record.per_clip[0]["value"] = float("nan")
    run_record.write(record, tmp_path / "a")
    results = load_runs(tmp_path)
    assert results.notes == ["1 scores of single clips are no numbers: left out of the means"]
    assert seed_means(results.scores)["value"].notna().all()


@pytest.mark.parametrize("text", ["{", "[]", '{"cells": 3}', '{"cells": [{"name": "a"}]}'])
def test_a_broken_grid_file_is_named(grid_folder: Path, text: str) -> None:
    (grid_folder / "grid.json").write_text(text)
    with pytest.raises(ValueError, match=r"grid\.json: no grid file"):
        load_runs(grid_folder)


def test_no_torch_and_nothing_heavy_before_it_is_needed() -> None:
    program = (
        "import sys, analysis.tables\n"
        "print(sorted({'torch', 'statsmodels', 'scipy.stats'} & set(sys.modules)))\n"
        "import analysis.figures.grid_points\n"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.split() == ["[]", "False"], done.stdout + done.stderr


def test_different_label_sources_are_refused_unless_asked_for(tmp_path: Path, write_run) -> None:
    write_run(tmp_path / "a", "one", 0, label_source="avsbench-semantic/v1m")
    write_run(tmp_path / "b", "two", 0, label_source="avsbench-object/ms3")
    with pytest.raises(MixedLabelSourcesError) as caught:
        load_runs(tmp_path, allow_mixed_data=True)
    assert "avsbench-semantic/v1m: one, seed 0; avsbench-object/ms3: two" in str(caught.value)
    assert "--mix-label-sources" in str(caught.value)
    results = load_runs(tmp_path, mix_label_sources=True)
    assert "different sources" in results.notes[0] and len(results.notes) == 1
    assert results.runs["label_source"].tolist() == ["avsbench-semantic/v1m", "avsbench-object/ms3"]


def test_a_source_that_was_not_recorded_is_noted(tmp_path: Path, write_run) -> None:
    write_run(tmp_path / "a", "one", 0, label_source="ref-avs")
    write_run(tmp_path / "b", "two", 0)
    (note,) = load_runs(tmp_path).notes
    assert note == "no source of the labels is recorded for two, seed 0"
