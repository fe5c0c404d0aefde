"""Parts that read trained weights; what they write is tested with the measures and figures."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from analysis.dilution.readings import DilutionReadings
from analysis.embeddings.points import RunPoints
from analysis.figures import failures
from analysis.paper.part import PARTS, NothingToShow
from analysis.paper.source import find_sources
from analysis.report import clips
from analysis.robustness.scores import RunRobustness
from auralsam2.messages import UnfitModelError

MEASURED = [
    ("Dilution", DilutionReadings, {"sounds": ("silence",)}),
    ("Embeddings", RunPoints, {}),
    ("Robustness", RunRobustness, {"corruptions": ["Gain"]}),
]
MASKED = {"Failures": failures, "Report": clips}
"""Part -> the module that makes its masks."""
OF_DATA = {"Breakdown"}
"""Parts that read data, and no weights."""


@pytest.mark.parametrize("name", MASKED)
def test_masks_are_made_again_where_asked(
    name: str, tmp_path: Path, write_grid: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def planted(run_dir: Path, clips: list[str], **how: Any) -> None:
        asked.append((how["overrides"], how["again"]))
        raise FileNotFoundError("no data")

    asked: list[Any] = []
    monkeypatch.setattr(MASKED[name], "clip_masks", planted)
    moved = {"data.root": "/data"}
    (source,) = find_sources(write_grid(tmp_path / "arms"), overrides=moved, again=True)
    with suppress(NothingToShow):
        PARTS.build({"type": name}).make(source, tmp_path / "out")
    assert asked and all(how == (moved, True) for how in asked)


def test_every_part_that_reads_weights_is_among_those_that_are_asked_again() -> None:
    reading = {name for name in PARTS.names() if PARTS.lookup(name).reads_data}
    assert reading == {name for name, *_ in MEASURED} | {*MASKED} | OF_DATA


@pytest.mark.parametrize(("name", "of", "more"), MEASURED)
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
