from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from auralsam2_tools import make_tables
from scipy.stats import ttest_1samp


@pytest.fixture
def write_runs(write_scored: Callable[..., None], tmp_path: Path) -> Callable[..., Path]:
    """Write a grid of two cells with one seed each."""

    def write(**fields: tuple[str, str]) -> Path:
        cells = []
        for index, (cell, score) in enumerate({"none": 0.25, "both": 0.75}.items()):
            own = {name: values[index] for name, values in fields.items()}
            write_scored(tmp_path / "runs" / cell, {"test": {"J": {"a": score}}}, **own)
            runs = [{"seed": 0, "run_id": "", "folder": f"runs/{cell}"}]
            cells.append({"name": cell, "runs": runs})
        grid = {"title": "Prompts", "reference": "none", "cells": cells}
        (tmp_path / "grid.json").write_text(json.dumps(grid))
        return tmp_path

    return write


def test_tables_of_a_folder(write_runs, tmp_path: Path, run) -> None:
    shown = run("make-tables", str(write_runs()), "--difference")
    for name in ("results.csv", "table.md", "table.tex", "table.csv", "table.provenance.json"):
        assert (tmp_path / name).is_file()
        assert f"{tmp_path / name}\n" in shown
    assert "0.750" in shown and "+0.500" in shown and "one seed each" in shown
    assert pd.read_csv(tmp_path / "results.csv")["cell"].tolist() == ["none", "both"]
    assert "**0.750**" in (tmp_path / "table.md").read_text()


def test_mixed_data_must_be_asked_for(write_runs, tmp_path: Path, run) -> None:
    write_runs(data_fingerprint=("d", "e"))
    assert "--allow-mixed-data" in run("make-tables", tmp_path, status=2)
    told = run("make-tables", tmp_path, "--allow-mixed-data")
    assert "note: the runs are on different data" in told


def test_mixed_label_sources_must_be_asked_for(write_runs, tmp_path: Path, run) -> None:
    write_runs(label_source=("avsbench-semantic/v1m", "avsbench-object/ms3"))
    assert "--mix-label-sources" in run("make-tables", tmp_path, "--allow-mixed-data", status=2)
    shown = run("make-tables", tmp_path, "--mix-label-sources")
    assert "note: the labels come from different sources" in shown
    assert "labels of avsbench-object/ms3 | avsbench-semantic/v1m" in shown


def test_notes_of_the_tables_after_clicks_are_told(
    write_scored: Callable[..., None], tmp_path: Path, run
) -> None:
    splits = ("test", "test_clicks_0", "test_clicks_1")
    write_scored(tmp_path / "runs" / "a", {split: {"J": {"x": 0.5}} for split in splits})
    told = run("make-tables", tmp_path)
    assert told.count("each click goes into the frame with the lowest J") == 1
    assert (tmp_path / "clicks" / "J" / "table.md").is_file()


@pytest.fixture
def folders(exact: Callable[..., Path], tmp_path: Path) -> tuple[Path, Path]:
    """Two grids of cells with one seed and eight clips each."""

    def write_grid(name: str, levels: dict[str, float], reference: str | None) -> Path:
        held = {}
        for cell, level in levels.items():
            shares = {f"clip{index}": level * (0.86 + index / 25) for index in range(8)}
            halves = {clip: 0.5 * share for clip, share in shares.items()}
            held[cell, 0] = {
                "test": {"J": shares, "A": shares},
                "test_audio_silence": {"J": halves, "A": halves},
            }
        sizes = {"total": 9_000_000, "trainable": 1_500_000}
        return exact(held, reference, name, tmp_path / name, num_parameters=sizes)

    first = write_grid("first", {"none": 0.2, "film": 0.6}, "none")
    return first, write_grid("second", {"none": 0.3, "both": 0.5}, None)


def test_what_is_significant_is_marked_by_default(folders, run) -> None:
    shown = run("make-tables", folders[0])
    assert "0.600†" in shown and "Fewer than 2 seeds in common are too few" in shown
    assert "muted J" in shown and "muted A" in shown
    comparison = pd.read_csv(folders[0] / "table.comparison.csv")
    differences = [0.4 * (0.86 + index / 25) for index in range(8)]
    expected = ttest_1samp(differences, 0).pvalue
    assert comparison["p_holm"].tolist() == pytest.approx([expected])
    assert set(comparison["split"]) == {"test"}
    assert "†" not in run("make-tables", folders[0], "--no-significance")


def test_without_a_reference_nothing_is_tested_and_said_so(folders, run) -> None:
    shown = run("make-tables", folders[1])
    assert "note: nothing is tested for significance: no reference cell" in shown
    assert not (folders[1] / "table.comparison.csv").exists()
    assert "Compared with 'none'" in run("make-tables", folders[1], "--reference", "none")


def test_several_folders_columns_scores_and_intervals(folders, tmp_path: Path, run) -> None:
    out = tmp_path / "out"
    command = [*map(str, folders), "--out", str(out), "--spread", "interval", "--difference"]
    command += ["--columns", "params,decoder_fps", "--scores", "test:J", "test_audio_silence:J"]
    shown = run("make-tables", *command, "--clips-alone")
    for part in ("first: none", "second: none", "trained (M)", "1.50", "0.200 [0.", "muted J"):
        assert part in shown
    assert "no run has recorded decoder FPS" in shown and "muted A" not in shown
    held = json.loads((out / "table.provenance.json").read_text())
    assert held["statistics"]["over"] == "clips"
    assert {entry["cell"] for entry in held["entries"]} == {
        "first: none",
        "film",
        "second: none",
        "both",
    }


def test_several_folders_need_a_place(folders, run) -> None:
    assert "--out DIR" in run("make-tables", *map(str, folders), status=2)


def test_reported_numbers_stand_beside_ours(folders, tmp_path: Path, run) -> None:
    row = {"method": "Other", "source": "A. Author, Venue 2024", "where": "Table 2"}
    row |= {"protocol": "V1M", "scores": {"test": {"J": 0.9}}}
    file = tmp_path / "reported.json"
    file.write_text(json.dumps({"schema": 1, "rows": [row]}))
    told = run("make-tables", folders[0], "--reported", file)
    assert "note: reported, not measured: Other: A. Author, Venue 2024, Table 2" in told
    assert "| Other (reported, not measured) |" in (folders[0] / "table.md").read_text()


def test_unknown_names_are_all_listed(folders) -> None:
    with pytest.raises(ValueError) as caught:
        make_tables.main([str(folders[0]), "--columns", "parms", "--scores", "tst:J"])
    assert "did you mean 'params'" in str(caught.value)
    assert "did you mean 'test:J'" in str(caught.value)
