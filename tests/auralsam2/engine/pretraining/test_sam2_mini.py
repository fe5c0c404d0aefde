"""Pretraining runs, resumes, exports, and its weights load strictly."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from auralsam2.engine.pretraining.sam2_mini import Recipe, pretrain, score_exported
from auralsam2.engine.run_folder import OtherRunError
from auralsam2.models.backbones.sam2.build import build_sam2
from auralsam2.models.weights import locate, read_state
from auralsam2.models.weights.loading import load_weights

SETTINGS = dict(steps_per_epoch=1, items=1, workers=0, threads=1)


def test_train_resume_export(tmp_path: Path, logged: Any) -> None:
    pretrain(tmp_path, Recipe(epochs=2, **SETTINGS))
    (tmp_path / "last_checkpoint").write_text(str(tmp_path / "epoch_1.pth"))  # as if cut off
    second = pretrain(tmp_path, Recipe(epochs=2, **SETTINGS))
    assert logged(tmp_path, "epoch") == [1, 2, 2], "epoch 1 is not repeated"
    before, held = read_state(second), second.read_bytes()
    with pytest.raises(OtherRunError, match="epochs: 2 there, 3 now") as caught:
        pretrain(tmp_path, Recipe(epochs=3, **SETTINGS))
    assert "--init WEIGHTS" in str(caught.value) and second.read_bytes() == held
    (tmp_path / "settings.json").unlink()
    with pytest.raises(OtherRunError, match="settings.json: missing there"):
        pretrain(tmp_path, Recipe(epochs=2, **SETTINGS))
    fresh = build_sam2("mini").state_dict()
    assert any(not torch.equal(before[key].float(), fresh[key]) for key in before)
    network = build_sam2("mini")
    assert load_weights(network, second).complete
    scores = score_exported(second, num_clips=2)
    assert set(scores) == {"box", "click", "click_single", "propagated_mask"}
    assert all(0 <= value <= 1 for value in scores.values())


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (dict(device="banana"), "got 'banana'"),
        (dict(device="cpu", amp=True), "needs a GPU"),
        (dict(image_size=65), "multiple of 32, got 65"),
        (dict(init=locate("builtin://log-mel-cnn")), "nothing in .* fits"),
    ],
)
def test_what_cannot_be_trained_is_refused_before_anything_is_written(
    tmp_path: Path, wrong: dict, said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        pretrain(tmp_path / "out", Recipe(epochs=1, **wrong, **SETTINGS))
    assert not (tmp_path / "out").exists()


def test_shipped_weights_are_complete_small_and_good() -> None:
    path = locate("builtin://sam2-mini")
    assert path.stat().st_size <= 12_000_000
    card = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    scores = score_exported(path, card["image_size"], num_clips=40)
    # A coarse guard on few clips; the card holds what was measured on many.
    for kind, stated in card["mean_iou"].items():
        assert scores[kind] == pytest.approx(stated, abs=0.12), kind
