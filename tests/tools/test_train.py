"""Train and score again, from the command line."""

import json
from pathlib import Path

import pytest
from auralsam2_tools.eval_checkpoint import main as evaluate
from auralsam2_tools.train import main as train

from auralsam2 import config as configs
from auralsam2.data.synthetic.writer import Plan, write_clips

TINY = {
    "data.batch_size": 2,
    "optim.epochs": 1,
    "runtime.tensorboard": False,
    "runtime.num_threads": 1,
    "evaluation.num_saved_clips": 1,
    "model.backbone": dict(type="SAM2Backbone", size="mini", random_weights=True),
    "model.audio_encoder": dict(type="LogMelCNN", width=8),
    "model.visual_depths": (0, 0, 1),
    "model.mask_loss.loss_size": 32,
    "data.train.transforms": [dict(type="RandomClipFlip"), dict(type="RandomClipAffine")],
}


@pytest.fixture
def config(tmp_path: Path) -> Path:
    write_clips(tmp_path / "clips", Plan("v1m", (2, 2, 5), seed=3, size=48, num_frames=2))
    cfg = configs.load("auralsam2/mini_v1m", TINY | {"data.root": str(tmp_path / "clips")})
    configs.dump(cfg, tmp_path / "tiny.py")
    return tmp_path / "tiny.py"


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
