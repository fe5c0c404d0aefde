from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pandas as pd
import pytest

from analysis.dilution.readings import COLUMNS, DilutionReadings
from auralsam2.config import parse_overrides
from auralsam2.models.decoder_rows import CannotProbeError


@pytest.fixture
def folder(write_scored: Callable[..., None], tmp_path: Path) -> Path:
    for cell in ("a", "b"):
        scores = {"test": {"J": {"x": 0.5}}}
        write_scored(tmp_path / "runs" / cell, scores, data_fingerprint=cell)
    return tmp_path


def test_errors_say_what_to_do(folder: Path, run) -> None:
    def error(*options: str) -> str:
        return run("measure-dilution", folder, *options, status=2)

    assert "different data" in error() and "--allow-mixed-data" in error()
    mixed = "--allow-mixed-data"
    assert "unknown cell 'c'; known: a, b" in error(mixed, "--cells", "c")
    assert "unknown sound 'swaped'; did you mean 'swapped'?" in error(mixed, "--sounds", "swaped")
    assert "write KEY=VALUE" in error(mixed, "--set", "data.root")
    nothing = error(mixed)
    assert "no run could be read:" in nothing
    assert "a, seed 0:" in nothing and "b, seed 0:" in nothing and "no config.py" in nothing


def test_table_and_paths_are_shown(folder: Path, monkeypatch: pytest.MonkeyPatch, run) -> None:
    def of(self: DilutionReadings, run_dir: Path, **options: object) -> pd.DataFrame:
        assert self.max_clips == 3 and options["overrides"] == parse_overrides(["data.root=x"])
        if run_dir.name == "b":
            raise CannotProbeError("cannot be looked into")
        rows = [("c", 0, "gain", "true", 0, site, -1, "mask", 0.1 * site) for site in (1, 2, 3)]
        return pd.DataFrame(rows, columns=list(COLUMNS))

    monkeypatch.setattr(DilutionReadings, "of", of)
    options = ["--allow-mixed-data", "--max-clips", "3", "--set", "data.root=x"]
    shown = run("measure-dilution", folder, *options)
    assert "note: b: left out: cannot be looked into" in shown
    assert "| a " in shown and "0.300" in shown
    assert str(folder / "figures" / "dilution_indices.md") in shown


def test_all_options_together(folder: Path, monkeypatch: pytest.MonkeyPatch, run) -> None:
    seen = []

    def of(self: DilutionReadings, run_dir: Path, **options: object) -> pd.DataFrame:
        seen.append((run_dir.name, asdict(self) | options))
        raise CannotProbeError("cannot be looked into")

    monkeypatch.setattr(DilutionReadings, "of", of)
    said = "--heads --sounds noise silence --cells b a --max-clips 2 --split held --again"
    sets = ["--set", "data.root=/else where", "data.batch_size=2", "--out", str(folder / "new")]

    command = ["measure-dilution", folder, *said.split(), *sets, "--allow-mixed-data"]
    assert "no run has a decoder that can be probed" in run(*command, status=2)
    assert [name for name, _ in seen] == ["b", "a"]
    assert seen[0][1] == {
        "sounds": ["noise", "silence"],
        "max_clips": 2,
        "split": "held",
        "again": True,
        "overrides": parse_overrides(["data.root=/else where", "data.batch_size=2"]),
    }
