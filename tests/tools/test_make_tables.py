from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from auralsam2_tools import make_tables


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


def test_tables_of_a_folder(write_runs, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert make_tables.main([str(write_runs()), "--difference"]) == 0
    shown = capsys.readouterr().out
    for name in ("results.csv", "table.md", "table.tex", "table.csv", "table.provenance.json"):
        assert (tmp_path / name).is_file()
        assert f"{tmp_path / name}\n" in shown
    assert "0.750" in shown and "+0.500" in shown and "one seed each" in shown
    assert pd.read_csv(tmp_path / "results.csv")["cell"].tolist() == ["none", "both"]
    assert "**0.750**" in (tmp_path / "table.md").read_text()


def test_mixed_data_must_be_asked_for(
    write_runs, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_runs(data_fingerprint=("d", "e"))
    with pytest.raises(ValueError, match="--allow-mixed-data"):
        make_tables.main([str(tmp_path)])
    assert make_tables.main([str(tmp_path), "--allow-mixed-data"]) == 0
    assert "note: the runs are on different data" in capsys.readouterr().out


def test_mixed_label_sources_must_be_asked_for(
    write_runs, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_runs(label_source=("avsbench-semantic/v1m", "avsbench-object/ms3"))
    with pytest.raises(ValueError, match="--mix-label-sources"):
        make_tables.main([str(tmp_path), "--allow-mixed-data"])
    assert make_tables.main([str(tmp_path), "--mix-label-sources"]) == 0
    shown = capsys.readouterr().out
    assert "note: the labels come from different sources" in shown
    assert "labels of avsbench-object/ms3 | avsbench-semantic/v1m" in shown


def test_notes_of_the_tables_after_clicks_are_told(
    write_scored: Callable[..., None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    splits = ("test", "test_clicks_0", "test_clicks_1")
    write_scored(tmp_path / "runs" / "a", {split: {"J": {"x": 0.5}} for split in splits})
    assert make_tables.main([str(tmp_path)]) == 0
    told = "".join(capsys.readouterr())
    assert told.count("each click goes into the frame with the lowest J") == 1
    assert (tmp_path / "clicks" / "J" / "table.md").is_file()
