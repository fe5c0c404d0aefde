"""A tiny data set in AVSBench's layout and a config that trains on it in seconds."""

import importlib.util
import json
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from auralsam2 import config as configs
from auralsam2.data.synthetic.writer import Plan, write_clips
from auralsam2.engine.evaluate import EvalResult, evaluate_model, trained_model
from auralsam2.engine.progress import Progress
from auralsam2.engine.run_record import WEIGHTS, RunRecord
from auralsam2.engine.splits import test_datasets
from auralsam2.models.backbones.sam2_backbone import SAM2Backbone
from auralsam2.models.image.resnet import ResNetStages
from auralsam2.models.weights import read_state

FRAMES = 3  # of a clip


@pytest.fixture(scope="session")
def tiny_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data") / "clips"
    write_clips(root, Plan("v1m", (4, 2, 3), seed=3, size=64, num_frames=FRAMES))
    return root


@pytest.fixture(scope="session")
def load_tiny(tiny_data: Path) -> Callable[[], Any]:
    """Return a function that loads the config anew."""
    return lambda: _load(tiny_data)


@pytest.fixture
def tiny_config(load_tiny: Callable[[], Any]) -> Any:
    return load_tiny()


def _load(root: Path) -> Any:
    return configs.load(
        "auralsam2/mini_v1m",
        {
            "data.root": str(root),
            "data.batch_size": 2,
            "optim.epochs": 2,
            "runtime.tensorboard": False,
            "runtime.num_threads": 1,
            "evaluation.num_saved_clips": 1,
            "evaluation.measure_speed": False,
            "model.backbone": dict(type="SAM2Backbone", size="mini", random_weights=True),
            "model.audio_encoder": dict(type="LogMelCNN", width=8),
            "model.visual_depths": (0, 0, 1),
            "model.mask_loss.loss_size": 32,
        },
    )


@pytest.fixture
def deaf_config(tiny_config: Any) -> Any:
    """Without all that listens, so that nothing is trained."""
    for part in ("sparse_prompt", "dense_prompt", "contrastive_loss", "projector"):
        configs.set_node(tiny_config, f"model.{part}", None)
    return tiny_config


@pytest.fixture(scope="session")
def logged() -> Callable[[Path, str], list[Any]]:
    """Return a function that reads values of a logged scalar over all sessions of a run."""

    def read(run_dir: Path, key: str) -> list[Any]:
        files = sorted(run_dir.glob("*/vis_data/scalars.json"))
        lines = [json.loads(line) for file in files for line in file.read_text().splitlines()]
        return [line[key] for line in lines if key in line]

    return read


@pytest.fixture
def load_method(tiny_data: Path) -> Callable[..., Any]:
    """Return a function that loads the small config of another method, one epoch on tiny data."""

    def load(name: str, **changes: Any) -> Any:
        small = {
            "data.root": str(tiny_data),
            "data.batch_size": 2,
            "data.image_size": 64,
            "optim.epochs": 1,
            "runtime.tensorboard": False,
            "runtime.num_threads": 1,
            "evaluation.num_saved_clips": 0,
            "evaluation.measure_speed": False,
        }
        changes = {key.replace("__", "."): value for key, value in changes.items()}
        return configs.load(f"methods/{name}_mini_v1m", {**small, **changes})

    return load


@pytest.fixture
def encoded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Clips of every call of an encoder of pictures."""
    calls: list[int] = []
    for kind in (SAM2Backbone, ResNetStages):

        def count(self: nn.Module, frames: torch.Tensor, whole: Any = kind.forward) -> Any:
            calls.append(len(frames) if frames.dim() == 5 else len(frames) // FRAMES)
            return whole(self, frames)

        monkeypatch.setattr(kind, "forward", count)
    return calls


@pytest.fixture
def evaluate() -> Callable[[Any, Path], EvalResult]:
    """Score weights on every test split of a config."""
    return lambda cfg, weights: evaluate_model(trained_model(cfg, weights), cfg, test_datasets(cfg))


@cache
def _toys() -> Any:
    path = Path(__file__).with_name("toy_training.py")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def toys(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module of the smallest things that can be trained, registered."""
    module = _toys()
    monkeypatch.setitem(sys.modules, module.__name__, module)
    module.register(monkeypatch)
    return module


@pytest.fixture(scope="session")
def watching() -> type[Progress]:
    """The class of a `Progress` that keeps what it is told, and can end a run."""
    kind: type[Progress] = _toys().Watching
    return kind


@pytest.fixture(scope="session")
def assert_same_run() -> Callable[[RunRecord, Path, RunRecord, Path], None]:
    """Return a function that compares the numbers of two runs, and the weights in their folders."""

    def compare(found: RunRecord, folder: Path, expected: RunRecord, other: Path) -> None:
        for key in ("status", "curve", "metrics", "per_clip", "epochs", "best_epoch", "selection"):
            assert getattr(found, key) == getattr(expected, key), key
        ours, theirs = (read_state(run_dir / WEIGHTS) for run_dir in (folder, other))
        assert ours.keys() == theirs.keys()
        assert all(torch.equal(value, theirs[key]) for key, value in ours.items())

    return compare
