from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from auralsam2 import config as configs
from auralsam2.data.synthetic.writer import Plan, write_clips
from auralsam2.engine import run_record
from auralsam2.engine.evaluate import evaluate_model, trained_model
from auralsam2.engine.pretraining.auralsam2_mini import CONFIG, pretrain_auralsam2
from auralsam2.engine.run_record import WEIGHTS
from auralsam2.engine.splits import test_datasets as splits_of
from auralsam2.models.weights import locate

QUICK = {
    "data.image_size": 64,
    "runtime.num_threads": 1,
    "runtime.tensorboard": False,
    "optim.epochs": 1,
    "model.mask_loss.loss_size": 16,
}


def test_what_is_exported_is_what_is_scored(tmp_path: Path) -> None:
    card = pretrain_auralsam2(tmp_path, counts=(2, 1, 2), overrides=QUICK)
    state = load_file(tmp_path / card["weights"])
    trained = load_file(tmp_path / "run" / WEIGHTS)
    assert {k for k in trained if k not in state} == {k for k in trained if "backbone." in k}
    assert all(torch.equal(tensor, trained[name]) for name, tensor in state.items())
    scores = run_record.read(tmp_path / "run").metrics["test"]
    assert card["metrics"]["real"] == {name: round(scores[name], 4) for name in ("J", "F")}
    assert card["parameters"] == sum(tensor.numel() for tensor in state.values())
    assert card["clips"] == {"train": 2, "val": 1, "test": 2}
    assert set(card["metrics"]) == {"real", "swapped", "silence"}
    assert set(card["guesses"]) >= {"nothing", "every object"}
    again = pretrain_auralsam2(tmp_path, counts=(2, 1, 2), overrides=QUICK)
    assert again == card
    with pytest.raises(FileExistsError, match="counts"):
        pretrain_auralsam2(tmp_path, counts=(3, 1, 2), overrides=QUICK)


def test_the_shipped_weights_hear(tmp_path: Path) -> None:
    """On clips that were never seen: far above every guess, and far below with another's sound."""
    write_clips(tmp_path, Plan("v1m", (1, 1, 8), 987, num_classes=8))
    cfg = configs.load(CONFIG, {"data.root": str(tmp_path), "runtime.num_threads": 1})
    result = evaluate_model(
        trained_model(cfg, locate("builtin://auralsam2-mini")), cfg, splits_of(cfg)
    )
    assert result.splits["test"].metrics["J"] > 0.8
    assert result.splits["test_audio_swapped"].metrics["J"] < 0.4


def test_the_card_tells_the_file() -> None:
    path = locate("builtin://auralsam2-mini")
    card = json.loads(path.with_suffix(".json").read_text())
    state = load_file(path)
    assert path.stat().st_size < 8_000_000
    assert card["parameters"] == sum(t.numel() for t in state.values())
    told = path.with_suffix(".md").read_text()
    for scores in card["metrics"].values():
        assert f"| {scores['J']:.3f} | {scores['F']:.3f} |" in told
    for name in ("every object", "nothing", "whole frame", "ever sounding"):
        assert f"{card['guesses'][name]:.3f}" in told
