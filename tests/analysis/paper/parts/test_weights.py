"""Parts that read trained weights; what they write is tested with the measures and figures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from analysis.dilution.readings import DilutionReadings
from analysis.embeddings.points import RunPoints
from analysis.paper.part import PARTS, NothingToShow
from analysis.paper.source import find_sources
from analysis.robustness.scores import RunRobustness
from auralsam2.messages import UnfitModelError


@pytest.mark.parametrize(
    ("name", "of", "more"),
    [
        ("Dilution", DilutionReadings, {"sounds": ("silence",)}),
        ("Embeddings", RunPoints, {}),
        ("Robustness", RunRobustness, {"corruptions": ["Gain"]}),
    ],
)
def test_parts_measure_the_runs_of_their_cells(
    name: str,
    of: type,
    more: dict[str, Any],
    tmp_path: Path,
    write_grid: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def measured(self: Any, run_dir: Path, **how: Any) -> None:
        if run_dir.name.startswith("none"):
            raise UnfitModelError("it is deaf")
        calls.append((run_dir.name, asdict(self), how))
        raise OSError("no weights")

    calls: list[Any] = []
    monkeypatch.setattr(of, "of", measured)
    folder = write_grid(tmp_path / "arms")
    (source,) = find_sources(folder, overrides={"data.root": "/data"}, again=True)
    part = PARTS.build({"type": name, "cells": ["none", "dense"], "max_clips": 4, **more})
    with pytest.raises(
        ValueError, match="(?s)no run could be read.*dense, seed 1: left out: no weights"
    ):
        part.make(source, tmp_path / "out")
    assert [run for run, *_ in calls] == ["dense-s0-x", "dense-s1-x"]
    for _, settings, how in calls:
        asked = {"corruptions": (({"type": "Gain"}, (-40.0, -20.0, 20.0)),)}
        wanted = {"max_clips": 4, "split": "test", **(asked if "corruptions" in more else more)}
        assert settings == settings | wanted
        assert how == {"overrides": {"data.root": "/data"}, "again": True}
    part.cells = ["none"]
    with pytest.raises(NothingToShow, match="it is deaf"):
        part.make(source, tmp_path / "out")
