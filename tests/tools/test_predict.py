from __future__ import annotations

import json
from pathlib import Path

from auralsam2.data.synthetic.writer import Plan, write_clips


def test_a_split_is_predicted_once(tmp_path: Path, run) -> None:
    write_clips(tmp_path / "data", Plan("v1m", (1, 1, 2), 1, size=32, num_frames=2))
    backbone = "model.backbone=dict(type='SAM2Backbone', size='mini', random_weights=True)"
    command = ["predict", "auralsam2/mini_v1m", "--split", "test", "--out", str(tmp_path / "out")]
    command += ["--decode", "first", "--set", backbone, f"data.root={tmp_path / 'data'}"]
    command += ["data.image_size=64", "model.audio_encoder=dict(type='LogMelCNN', width=8)"]
    for now in (2, 0):
        said = run(*command)
        assert f"test: masks of 2 clips in {tmp_path / 'out'}, {now} of them predicted now" in said
        assert "no trained weights" in said
    record = json.loads((tmp_path / "out" / "predictions.json").read_text())
    assert record["decode"] == "first" and record["weights"] is None and record["masks"] == 4
    assert len(list((tmp_path / "out" / "v1m").rglob("*.png"))) == 4
