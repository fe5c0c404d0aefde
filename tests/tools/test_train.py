"""Train and score again, from the command line."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from auralsam2_tools.eval_checkpoint import main as evaluate
from auralsam2_tools.train import main as train

TRAINING = {
    "optim.epochs": 1,
    "runtime.tensorboard": False,
    "evaluation.num_saved_clips": 1,
    "model.mask_loss.loss_size": 32,
    "data.train.transforms": [dict(type="RandomClipFlip"), dict(type="RandomClipAffine")],
}


@pytest.fixture
def config(write_tiny: Callable[..., Path], tmp_path: Path) -> Path:
    return write_tiny(tmp_path, (2, 2, 5), seed=3, **TRAINING)


def test_a_run_and_its_scores_again(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    assert train([str(config), "--out", str(run), "--set", "seed=4"]) == 0
    record = json.loads((run / "record.json").read_text())
    shown = capsys.readouterr().out
    assert f"test: J {record['metrics']['test']['J']:.4f}" in shown and record["seed"] == 4

    # The same network again: its random backbone is the seed's, not the checkpoint's.
    scores = tmp_path / "scores.json"
    assert evaluate([str(run), "--json", str(scores)]) == 0
    assert set(json.loads(scores.read_text())) == {"test", "test_audio_swapped"}
    assert "test: J" in capsys.readouterr().out


def test_weights_under_a_config(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert evaluate([str(config)]) == 0
    assert "taken as built" in capsys.readouterr().out
    with pytest.raises(FileNotFoundError, match="no checkpoint at"):
        evaluate([str(config), "--checkpoint", str(tmp_path / "nothing.safetensors")])
