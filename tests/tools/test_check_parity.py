"""The command, on a folder of one small fixture."""

import gzip
import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save

from auralsam2.metrics.f_score import sum_of_curves
from auralsam2.metrics.jaccard import jaccard


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Group g: one clip."""
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 6, 6, generator=generator)
    masks = (torch.rand(2, 6, 6, generator=generator) > 0.5).to(torch.uint8)
    frames, best = jaccard(logits, masks), float(sum_of_curves(logits, masks).mean.max())
    clip = {
        "frame_iou": frames.tolist(),
        "clip_iou": float(frames.mean()),
        "clip_fscore": best,
        "running_mean_iou": float(frames.mean()),
        "running_mean_fscore": best,
    }
    tensors = save({"one.logits": logits, "one.gt": masks})
    (tmp_path / "metrics.safetensors.gz").write_bytes(gzip.compress(tensors))
    (tmp_path / "metrics.json").write_text(json.dumps({"order": ["one"], "one": clip}))
    return tmp_path


def test_all_pass(folder: Path, run) -> None:
    told = run("check-parity", folder, "--all", "--csv", folder / "rows.csv")
    assert "5 of 5 comparisons passed" in told
    rows = (folder / "rows.csv").read_text().splitlines()
    assert len(rows) == 6 and rows[0].startswith("fixture,tensor,absolute")


def test_a_wrong_number_is_named_and_fails(folder: Path, run) -> None:
    facts = json.loads((folder / "metrics.json").read_text())
    facts["one"]["clip_iou"] += 0.01
    (folder / "metrics.json").write_text(json.dumps(facts))
    out = run("check-parity", folder, status=1)
    assert "FAILED metrics one.clip_iou: off by 1.00e-02" in out
    assert "4 of 5 comparisons passed" in out


def test_an_empty_folder_fails(run, tmp_path: Path) -> None:
    assert "nothing to check" in run("check-parity", tmp_path, status=2)
