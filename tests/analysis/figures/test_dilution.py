"""Which files are written of a grid's dilution; what they show is tested figure by figure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from analysis.dilution.indices import clip_means, dilution_indices, over_seeds
from analysis.dilution.measure import MeasuredDilution
from analysis.figures import dilution
from analysis.measured_runs import MeasuredRuns
from tests.analysis.planted import at_sites, frame_of

EVERYTHING = (
    ("gain", "true", 0),
    ("js", "swapped", 0),
    ("js", "swapped", 1),
    ("token_signal", "swapped", 0),
    ("js", "no prompts", 0),
)


def measured(*quantities: tuple[str, str, int], value: float = 0.1) -> MeasuredDilution:
    how: dict[str, Any] = {"value": lambda site, **_: value * site, "heads": (-1, 0)}
    found = [at_sites(q, c, at=[at], clips=("a", "b"), **how) for q, c, at in quantities]
    runs = {("dense", 0): frame_of(sum(found, []))}
    clips = clip_means(runs)
    return MeasuredDilution(
        MeasuredRuns(runs), over_seeds(clips), dilution_indices(clips), "swapped"
    )


def stems(paths: list[Path]) -> list[str]:
    return list(dict.fromkeys(path.stem for path in paths))


def test_all_figures_and_the_table(tmp_path: Path) -> None:
    paths = dilution.make(measured(*EVERYTHING), tmp_path / "out", heads=True)
    assert stems(paths) == [
        *("dilution_curves", "dilution_curves_no_prompts", "signal_retention", "site_matrix"),
        *("dilution_heads", "dilution_indices"),
    ]
    assert all(path.is_file() and path.parent == tmp_path / "out" for path in paths)


def test_no_heads_unless_asked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def save(figure: object, numbers: object, folder: Path, name: str) -> list[Path]:
        return [folder / name]

    monkeypatch.setattr("analysis.figures.style.save", save)
    shown = stems(dilution.make(measured(*EVERYTHING), tmp_path))
    assert "site_matrix" in shown and "dilution_heads" not in shown


def test_frames_without_anything_to_measure(tmp_path: Path) -> None:
    nothing = measured(("gain", "true", 0), value=float("nan"))
    assert stems(dilution.make(nothing, tmp_path, heads=True)) == ["dilution_indices"]


def test_no_files_where_no_run_could_be_probed(tmp_path: Path) -> None:
    none = MeasuredDilution(MeasuredRuns(), pd.DataFrame(), pd.DataFrame(), "swapped")
    assert dilution.make(none, tmp_path / "out") == [] and not (tmp_path / "out").exists()
