"""Parts that read trained weights; what they write is tested with the measures and figures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from analysis.paper.part import PARTS
from analysis.paper.source import find_sources


def test_parts_measure_the_runs_of_their_cells(
    tmp_path: Path, write_grid: Callable[..., Path]
) -> None:
    folder = write_grid(tmp_path / "arms")
    (source,) = find_sources(folder, overrides={"data.root": "/data"}, again=True)
    node = {"cells": ["none", "dense"], "max_clips": 4}
    for name, more in (("Dilution", {"sounds": ("silence",)}), ("Embeddings", {})):
        calls = PARTS.build({"type": name, **node, **more}).jobs(source)
        assert {call.args[0].name for call in calls} == {
            f"{cell}-s{seed}-x" for cell in ("none", "dense") for seed in (0, 1)
        }
        how = {"overrides": {"data.root": "/data"}, "again": True}
        assert all(call.keywords == how for call in calls)
        own = {"max_clips": 4, "split": "test", **more}
        settings = [asdict(call.func.__self__) for call in calls]
        assert all(own.items() <= held.items() for held in settings)
