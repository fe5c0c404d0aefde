from pathlib import Path

import pytest
import torch

from auralsam2 import config
from auralsam2.data.images import Resizing
from auralsam2.engine.checkpoint import save_state
from auralsam2.engine.evaluate import build_model
from auralsam2.engine.hooks.checkpoint_hooks import trainable_state
from auralsam2.engine.run_record import WEIGHTS
from auralsam2.models.methods.prompted import UnpromptedSAM2
from auralsam2.predictor import AuralSAM2ImagePredictor, AuralSAM2VideoPredictor
from auralsam2.predictor.sound import Listening
from auralsam2.predictor.trained import check_model

NAME, SETTINGS = "auralsam2/mini_v2", {"model.feature_cache_mb": 0}


@pytest.fixture(scope="module")
def run(model, tmp_path_factory) -> Path:
    """A folder as a training leaves it, of weights that no other model has."""
    folder = tmp_path_factory.mktemp("run")
    released = {"data.test.test.frame_interpolation": "bicubic"}
    config.dump(config.load(NAME, SETTINGS | released), folder / "config.py")
    save_state(trainable_state(model), folder / WEIGHTS)
    return folder


def same_weights(one: torch.nn.Module, other: torch.nn.Module) -> bool:
    other_state = other.state_dict()
    return all(torch.equal(value, other_state[key]) for key, value in one.state_dict().items())


def test_a_run_comes_with_its_weights_and_its_way_of_seeing_and_hearing(model, run) -> None:
    predictor = AuralSAM2VideoPredictor.from_run(run, device="cpu")
    assert same_weights(predictor.trained.model, model)
    assert predictor.trained.resizing == Resizing(128, "bicubic")
    assert predictor.trained.listening == Listening("published", "both")
    assert predictor.trained.num_frames == 10
    assert not predictor.training and not predictor.trained.model.training


def test_a_checkpoint_is_read_under_the_config_beside_it_or_a_stated_one(model, run) -> None:
    beside = AuralSAM2ImagePredictor.from_checkpoint(run / WEIGHTS, device="cpu")
    assert same_weights(beside.trained.model, model) and beside.trained.num_frames == 10
    changes = ["evaluation.decode=first", "model.feature_cache_mb=0"]
    stated = AuralSAM2VideoPredictor.from_checkpoint(
        run / WEIGHTS, config="auralsam2/mini_v1s", overrides=changes
    )
    assert stated.trained.num_frames == 5 and stated.trained.model.decode.__name__ == "first"


def test_what_cannot_hear_and_be_clicked_is_refused_by_its_name(tmp_path) -> None:
    with pytest.raises(ValueError, match=r"UnpromptedSAM2 cannot.*auralsam2 predict RUN"):
        check_model(UnpromptedSAM2)
    rival = config.load("methods/gavs_mini_v1m")
    config.dump(rival, tmp_path / "config.py")
    (tmp_path / WEIGHTS).touch()  # refused before it is opened
    with pytest.raises(ValueError, match=r"GAVS cannot.*auralsam2 predict RUN"):
        AuralSAM2VideoPredictor.from_run(tmp_path)


def test_what_is_not_there_is_named(tmp_path, run) -> None:
    with pytest.raises(FileNotFoundError, match="no run folder at"):
        AuralSAM2VideoPredictor.from_run(tmp_path / "nothing")
    with pytest.raises(FileNotFoundError, match="no checkpoint at"):
        AuralSAM2VideoPredictor.from_checkpoint(tmp_path / "nothing.safetensors")
    (tmp_path / "alone.safetensors").write_bytes((run / WEIGHTS).read_bytes())
    with pytest.raises(FileNotFoundError, match="lies in no run folder: state the config"):
        AuralSAM2VideoPredictor.from_checkpoint(tmp_path / "alone.safetensors")
    (tmp_path / "config.py").write_text((run / "config.py").read_text())
    with pytest.raises(FileNotFoundError, match="has no trained weights yet"):
        AuralSAM2VideoPredictor.from_run(tmp_path)


def test_a_backbone_of_somebody_else_has_no_official_predictor() -> None:
    pytest.importorskip("transformers", reason="needs the extra `backbones`: transformers")
    node = dict(type="SAMBackbone", random_weights=True)
    cfg = config.load("auralsam2/mini_v1m", {"model.backbone": node, "data.image_size": 64})
    with pytest.raises(ValueError, match="not around a SAMBackbone; .*auralsam2 predict RUN"):
        check_model(build_model(cfg))
