from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from auralsam2_tools import make_tables

from auralsam2.engine import run_record


def write_runs(folder: Path, fingerprints: tuple[str, str] = ("d", "d")) -> Path:
    """Write a grid of two cells with one seed each."""
    cells = []
    for index, (cell, fingerprint) in enumerate(zip(("none", "both"), fingerprints, strict=True)):
        record = run_record.start(
            name=cell,
            axes={},
            seed=0,
            run_id=cell,
            config_hash=cell,
            data_fingerprint=fingerprint,
        )
        run_record.add_scores(
            record, "test", {"J": 0.25 + index / 2}, {"J": {"a": 0.25 + index / 2}}
        )
        run_record.write(run_record.finish(record, 1.0), folder / "runs" / cell)
        cells.append({"name": cell, "runs": [{"seed": 0, "run_id": "", "folder": f"runs/{cell}"}]})
    grid = {"title": "Prompts", "reference": "none", "cells": cells}
    (folder / "grid.json").write_text(json.dumps(grid))
    return folder


def test_tables_of_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert make_tables.main([str(write_runs(tmp_path)), "--difference"]) == 0
    shown = capsys.readouterr().out
    for name in ("results.csv", "table.md", "table.tex", "table.csv", "table.provenance.json"):
        assert (tmp_path / name).is_file()
        assert f"{tmp_path / name}\n" in shown
    assert "0.750" in shown and "+0.500" in shown and "one seed each" in shown
    assert pd.read_csv(tmp_path / "results.csv")["cell"].tolist() == ["none", "both"]
    assert "**0.750**" in (tmp_path / "table.md").read_text()


def test_mixed_data_must_be_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_runs(tmp_path, ("d", "e"))
    with pytest.raises(ValueError, match="--allow-mixed-data"):
        make_tables.main([str(tmp_path)])
    assert make_tables.main([str(tmp_path), "--allow-mixed-data"]) == 0
    assert "note: the runs are on different data" in capsys.readouterr().out


def test_mixed_label_sources_must_be_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_runs(tmp_path)
    for cell, source in (("none", "avsbench-semantic/v1m"), ("both", "avsbench-object/ms3")):
        record = run_record.read(tmp_path / "runs" / cell)
        record.label_source = source
        run_record.write(record, tmp_path / "runs" / cell)
    with pytest.raises(ValueError, match="--mix-label-sources"):
        make_tables.main([str(tmp_path), "--allow-mixed-data"])
    assert make_tables.main([str(tmp_path), "--mix-label-sources"]) == 0
    shown = capsys.readouterr().out
    assert "note: the labels come from different sources" in shown
    assert "labels of avsbench-object/ms3 | avsbench-semantic/v1m" in shown
