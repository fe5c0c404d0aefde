from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from analysis.paper.part import PARTS, NothingToShow
from analysis.paper.source import Source
from analysis.runs.results import Results


@pytest.fixture
def source(grid_of: Callable[..., Results], tmp_path: Path) -> Source:
    axes = {"size": ("s", "m"), "loss": ("off", "on")}
    found = Source(tmp_path, "arms", "grid")
    found.__dict__["_results"] = grid_of(axes, lambda *_: 0.5)
    return found


def test_table_and_maps_are_written(source: Source, tmp_path: Path) -> None:
    made = PARTS.build(dict(type="EffectTable", reference="m, on")).make(source, tmp_path / "out")
    assert [path.name for path in made.paths] == ["effects.md", "effects.tex", "effects.csv"]
    assert "s − m" in made.paths[0].read_text()
    made = PARTS.build(dict(type="EffectMaps")).make(source, tmp_path / "out")
    assert made.paths[0].name == "effects.pdf"


@pytest.mark.parametrize("name", ["EffectTable", "EffectMaps"])
def test_one_axis_has_nothing_to_show(name: str, source: Source, tmp_path: Path) -> None:
    held = source.results
    source.__dict__["_results"] = replace(held, axes={c: {"size": c} for c in held.cells})
    with pytest.raises(NothingToShow, match="no two axes whose levels meet"):
        PARTS.build(dict(type=name)).make(source, tmp_path / "out")


def test_a_breakdown_without_data_says_so(source: Source, tmp_path: Path) -> None:
    part = PARTS.build(dict(type="Breakdown", reference="m, on", other="s, on"))
    with pytest.raises(NothingToShow, match="nothing is known of the clips of test: "):
        part.make(source, tmp_path / "out")
    said = part.arguments(source, tmp_path / "out")
    assert said[-5:] == ["--reference", "m, on", "--against", "s, on", "--breakdown"]


def test_a_breakdown_needs_a_reference(source: Source, tmp_path: Path) -> None:
    source.__dict__["_results"] = replace(source.results, reference=None)
    with pytest.raises(NothingToShow, match="no reference cell is named"):
        PARTS.build(dict(type="Breakdown")).make(source, tmp_path / "out")
