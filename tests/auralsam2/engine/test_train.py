"""A run leaves everything that its numbers hang on, and a killed one goes on as if nothing was."""

import gc
import math
import os
import weakref
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from mmengine.logging import MessageHub, MMLogger
from mmengine.runner import runner as mmengine_runner
from mmengine.visualization import Visualizer

from auralsam2 import config as configs
from auralsam2.engine import run_record
from auralsam2.engine import train as train_module
from auralsam2.engine.progress import StopRun
from auralsam2.engine.run_folder import OtherRunError
from auralsam2.engine.runner import build_runner
from auralsam2.engine.splits import label_source
from auralsam2.engine.train import train
from auralsam2.metrics.f_score import FScoreMetric
from auralsam2.mmengine_fixes import DeviceRunner
from auralsam2.models.audio.log_mel_cnn import LogMelCNN
from auralsam2.registry import METRICS


def test_label_sources_are_told_once_in_the_order_of_the_splits() -> None:
    semantic, object_release = (
        SimpleNamespace(label_source=source) for source in ("semantic/v2", "object/s4")
    )
    tests = {"test": semantic, "own": SimpleNamespace(), "other": object_release}
    datasets = {"train": semantic, "val": semantic, "test": tests}
    assert label_source(datasets) == "semantic/v2, object/s4"


@pytest.mark.parametrize("stop_at", [None, 2])
def test_an_ended_run_leaves_nothing_in_the_process(
    stop_at: int | None, toys: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cfg = toys.toy_config(tmp_path)
    models: list[weakref.ref[Any]] = []

    def built(*arguments: Any) -> Any:
        runner = build_runner(*arguments)
        models.append(weakref.ref(runner.model))
        return runner

    monkeypatch.setattr(train_module, "build_runner", built)

    def open_files() -> list[str]:
        if not os.path.isdir("/proc/self/fd"):  # only Linux tells
            return []
        links = (os.path.join("/proc/self/fd", name) for name in os.listdir("/proc/self/fd"))
        return [os.readlink(link) for link in links if os.path.exists(link)]

    with pytest.raises(KeyboardInterrupt) if stop_at else nullcontext():
        train(cfg, tmp_path / "run", progress=toys.Watching(stop_at))
    gc.collect()
    assert len(models) == 1 and models[0]() is None
    assert not [file for file in open_files() if str(tmp_path) in file]
    kept = (MMLogger, MessageHub, Visualizer)
    assert not [name for kind in kept for name in kind._instance_dict if name.startswith("run-")]


class Whole(NamedTuple):
    """An undisturbed run of the tiny config, with its speed."""

    run_dir: Path
    record: run_record.RunRecord
    steps: Any


@pytest.fixture(scope="module")
def whole(
    load_tiny: Callable[[], Any], tmp_path_factory: pytest.TempPathFactory, watching: Any
) -> Whole:
    """What other runs are compared with; read only."""
    run_dir, steps, cfg = tmp_path_factory.mktemp("whole") / "run", watching(), load_tiny()
    cfg.evaluation.measure_speed = True
    record = train(cfg, run_dir, name="cell", axes={"a": "b"}, progress=steps)
    return Whole(run_dir, record, steps)


def test_run_folder_is_complete_and_reproducible(
    evaluate: Any, tiny_config: Any, whole: Whole
) -> None:
    run_dir, record, steps = whole
    tiny_config.evaluation.measure_speed = True
    assert (steps.steps, steps.total, steps.finished) == (4, 4, True)
    assert record == run_record.read(run_dir)
    assert record.status == "done" and record.name == "cell" and record.axes == {"a": "b"}
    assert set(record.speed) == {"fps", "decoder_fps"}
    assert record.config_hash == configs.config_hash(tiny_config)
    assert set(record.metrics) == {"test", "test_audio_swapped"}
    scale = {"higher_is_better": True, "bounds": [0.0, 1.0], "subject": "object"}
    assert record.scales == {"J": scale, "F": scale}
    assert 0 < record.num_parameters["trainable"] < record.num_parameters["total"]
    assert record.selection["split"] == "val" and record.best_epoch in (1, 2)
    values = [s["value"] for s in record.per_clip if (s["split"], s["metric"]) == ("test", "J")]
    assert len(values) == 3
    assert record.metrics["test"]["J"] == pytest.approx(np.mean(values))

    saved = np.load(run_dir / "predictions.npz")
    assert {key.split("/")[-1] for key in saved} == {"frames", "truth", "prediction", "log_mel"}
    again = evaluate(configs.load(run_dir / "config.py"), run_dir / "best.safetensors")
    # The backbone's weights are random here, so only the shape of the result is comparable.
    assert set(again.splits["test"].per_clip["J"]) == {
        s["clip"] for s in record.per_clip if s["split"] == "test"
    }


def test_same_config_and_seed_give_the_same_scores(
    tiny_config: Any, tmp_path: Path, whole: Whole
) -> None:
    torch.rand(7)  # the state of the global generator must not matter
    second = train(tiny_config, tmp_path / "second")
    assert whole.record.metrics == second.metrics
    assert whole.record.per_clip == second.per_clip


def test_interrupted_run_continues_the_same_curve(
    tiny_config: Any,
    tmp_path: Path,
    whole: Whole,
    watching: Any,
    assert_same_run: Any,
    logged: Any,
) -> None:
    broken = tmp_path / "broken"
    with pytest.raises(KeyboardInterrupt):
        train(tiny_config, broken, progress=watching(step=3))  # the first step of epoch 2
    assert run_record.read(broken).status == "running"
    resumed = watching()
    record = train(tiny_config, broken, progress=resumed)
    assert resumed.total == 2, "only the second epoch is trained again"
    assert_same_run(record, broken, whole.record, whole.run_dir)
    assert logged(broken, "J") == logged(whole.run_dir, "J")


def test_loss_that_is_no_number_stops_the_run(tiny_config: Any, tmp_path: Path) -> None:
    tiny_config.optim.optimizer.lr = 1e30
    tiny_config.optim.clip_grad = None
    with pytest.raises(FloatingPointError, match=r"is (nan|inf) at step \d: .*loss_.*before: \d"):
        train(tiny_config, tmp_path / "run")


def test_missing_weights_are_all_named_before_anything_is_built(tmp_path: Path) -> None:
    cfg = configs.load("auralsam2/hiera_tiny_v1m", {"data.root": str(tmp_path)})
    with pytest.raises(FileNotFoundError) as caught:
        train(cfg, tmp_path / "run")
    for part in (
        "weights/sam2_hiera_tiny.pt",
        "model.backbone.checkpoint",
        "github.com/facebookresearch/sam2",
        "vggish-10086976.pth",
        "model.audio_encoder.weights",
        "harritaylor/torchvggish",
    ):
        assert part in str(caught.value)
    assert not (tmp_path / "run").exists()


def test_a_listener_can_stop_a_run_which_can_go_on_later(
    tiny_config: Any, tmp_path: Path, watching: Any
) -> None:
    listener = watching(validation=1, error=StopRun("pruned at epoch 1"))
    record = train(tiny_config, tmp_path / "run", progress=listener)
    assert record == run_record.read(tmp_path / "run")
    assert (record.status, record.stopped_because) == ("stopped", "pruned at epoch 1")
    assert record.metrics == {} and listener.finished and list(listener.validations) == [1]
    assert (tmp_path / "run" / "epoch_1.pth").is_file()

    listener = watching()
    record = train(tiny_config, tmp_path / "run", progress=listener)
    assert (record.status, record.stopped_because) == ("done", None)
    assert list(listener.validations) == [2] and listener.total == 2
    assert set(listener.validations[2]) == {"J", "F"}
    assert [entry["epoch"] for entry in record.curve] == [1, 2]
    scores = {entry["epoch"]: entry["scores"]["J"] for entry in record.curve}
    assert record.selection["value"] == max(scores.values()) == scores[record.best_epoch]


def test_a_validation_that_was_cut_off_is_made_up_for(
    tiny_config: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole: Whole
) -> None:
    def unplugged(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("auralsam2.metrics.jaccard.JaccardMetric.process", unplugged)
        train(tiny_config, tmp_path / "broken")
    assert (tmp_path / "broken" / "epoch_1.pth").is_file()
    assert run_record.read(tmp_path / "broken").curve == []
    record = train(tiny_config, tmp_path / "broken")
    expected = whole.record
    assert (record.curve, record.best_epoch) == (expected.curve, expected.best_epoch)
    assert (record.selection, record.metrics) == (expected.selection, expected.metrics)


def test_a_folder_of_another_run_is_refused_and_a_done_one_is_left(
    deaf_config: Any, load_tiny: Any, tmp_path: Path
) -> None:
    record = train(deaf_config, tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    deaf_config.runtime.log_every = 3
    assert train(deaf_config, tmp_path) == record
    other = load_tiny()  # whose model does not fit the weights there
    other.seed = 9
    with pytest.raises(OtherRunError, match="seed: 0 there, 9 now"):
        train(other, tmp_path)
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before


def test_the_record_says_what_of_a_weight_file_fits(tiny_config: Any, tmp_path: Path) -> None:
    encoder = LogMelCNN(width=8)
    torch.save(encoder.state_dict(), tmp_path / "cnn.pt")
    tiny_config.model.audio_encoder.weights = str(tmp_path / "cnn.pt")
    tiny_config.optim.epochs = 1
    (loaded,) = train(tiny_config, tmp_path / "run").weights
    assert (loaded["part"], loaded["file"]) == ("audio_encoder", "cnn.pt")
    assert loaded["matched"] == len(encoder.state_dict()) and loaded["missing"] == 0


def test_the_gpu_of_a_machine_is_left_alone(
    tiny_config: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden() -> str:
        raise AssertionError("mmengine has chosen the device")

    monkeypatch.setattr(mmengine_runner, "get_device", forbidden)
    tiny_config.runtime.device = "cpu"
    tiny_config.optim.epochs = 1
    assert train(tiny_config, tmp_path / "run").status == "done"


def test_the_model_goes_where_the_config_says(
    tiny_config: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No machine of the tests has a GPU: torch's device without memory stands in for one."""
    seen: list[torch.device] = []
    meta = torch.device("meta")
    monkeypatch.setattr("auralsam2.engine.train.set_up_device", lambda runtime: meta)

    def trained(self: DeviceRunner) -> None:
        seen.extend({p.device for p in self.model.parameters()})
        raise KeyboardInterrupt

    monkeypatch.setattr(DeviceRunner, "train", trained)
    with pytest.raises(KeyboardInterrupt):
        train(tiny_config, tmp_path / "run")
    assert seen == [meta]


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("runtime.device", "cuda:7", "runtime.device got 'cuda:7', but torch sees"),
        ("optim.amp", "bfloat16", "optim.amp='bfloat16' needs a GPU"),
        ("evaluation.select_by", "K", "evaluation.select_by got 'K'; evaluation.metrics give: J"),
        ("evaluation.decode", "best", "evaluation.decode got 'best'; known: first"),
        ("data.image_size", 100, "data.image_size must be a multiple of 32 for SAM2Backbone"),
    ],
)
def test_what_cannot_work_is_told_before_anything_is_written(
    tiny_config: Any, tmp_path: Path, key: str, value: Any, message: str
) -> None:
    if torch.cuda.is_available():
        tiny_config.runtime.device = "cpu"
    section, name = key.split(".")
    tiny_config[section][name] = value
    with pytest.raises(ValueError, match=message.replace("[", r"\[")):
        train(tiny_config, tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.fixture
def no_number(monkeypatch: pytest.MonkeyPatch) -> str:
    """Name of a metric that only turns out to be no number when a model is scored."""

    class Undefined(FScoreMetric):
        key = "U"

        def process(self, data_batch: Any, data_samples: Any) -> None:
            super().process(data_batch, data_samples)

        def average(self, outcomes: Any) -> float:
            return math.nan

    monkeypatch.setitem(METRICS.module_dict, "Undefined", Undefined)
    return "Undefined"


def test_weights_are_kept_where_nothing_can_be_selected(
    evaluate: Any, tiny_config: Any, tmp_path: Path, no_number: str
) -> None:
    tiny_config.evaluation.metrics = [dict(type="JaccardMetric"), dict(type=no_number)]
    tiny_config.evaluation.select_by = "U"
    tiny_config.optim.epochs = 1
    run = tmp_path / "run"
    with pytest.raises(ValueError, match="'U' was not a number in any validation") as caught:
        train(tiny_config, run)
    assert "last.safetensors" in str(caught.value)
    cfg = configs.load(run / "config.py", {"evaluation.metrics": [dict(type="JaccardMetric")]})
    cfg.evaluation.select_by = "J"
    assert 0 <= evaluate(cfg, run / "last.safetensors").splits["test"].metrics["J"] <= 1
