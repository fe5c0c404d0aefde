from __future__ import annotations

import json
from pathlib import Path

import pytest

from auralsam2.engine.grid_manifest import RunEntry, read_manifest

CELLS = [{"name": "a", "runs": [{"seed": 1, "folder": "runs/a-s1"}]}, {"name": "b", "runs": []}]


def test_entries_come_in_the_order_of_the_file(tmp_path: Path) -> None:
    assert read_manifest(tmp_path) is None
    (tmp_path / "grid.json").write_text(json.dumps(dict(title="T", reference="b", cells=CELLS)))
    manifest = read_manifest(tmp_path)
    assert manifest is not None and (manifest.title, manifest.reference) == ("T", "b")
    assert manifest.entries == [RunEntry("a", 1, tmp_path / "runs" / "a-s1")]
    assert str(manifest.entries[0]) == "a, seed 1"
    assert manifest.cells == CELLS


@pytest.mark.parametrize("text", ["{", "[]", '{"cells": [{}]}', '{"cells": [], "name": "x"}'])
def test_a_broken_file_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "grid.json").write_text(text)
    with pytest.raises(ValueError, match=r"grid\.json: no grid file .*run the grid again"):
        read_manifest(tmp_path)
