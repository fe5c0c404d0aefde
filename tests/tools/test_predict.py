from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path


def test_a_split_is_predicted_once(write_tiny: Callable[..., Path], tmp_path: Path, run) -> None:
    config = write_tiny(tmp_path / "tiny", (1, 1, 2), seed=1)
    how = ["--split", "test", "--out", tmp_path / "out", "--decode", "first"]
    for now in (2, 0):
        said = run("predict", config, *how, "--set", "data.image_size=64")
        assert f"test: masks of 2 clips in {tmp_path / 'out'}, {now} of them predicted now" in said
        assert "no trained weights" in said
    record = json.loads((tmp_path / "out" / "predictions.json").read_text())
    assert record["decode"] == "first" and record["weights"] is None and record["masks"] == 4
    assert len(list((tmp_path / "out" / "v1m").rglob("*.png"))) == 4
