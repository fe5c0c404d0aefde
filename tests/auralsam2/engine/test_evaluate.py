"""Control splits are scored as they would be alone, at the cost of everything but the encoder."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from auralsam2.config import set_node
from auralsam2.data.datasets import clip_dataset
from auralsam2.data.synthetic.objects import CLASSES
from auralsam2.data.synthetic.writer import Plan, write_clips
from auralsam2.engine.embedding_points import draw_points
from auralsam2.engine.evaluate import evaluate_model, frames_encoded_once, trained_model
from auralsam2.engine.probing import decoder_readings
from auralsam2.engine.protocols import SIZES, evaluate_protocols
from auralsam2.engine.splits import asked_hearing, fingerprint
from auralsam2.engine.splits import test_datasets as build_tests
from auralsam2.engine.train import train
from auralsam2.models.feature_cache import LastAnswer
from auralsam2.models.methods.base import ClipBatch, ClipMethod
from auralsam2.models.one_mask import class_prediction
from auralsam2.structures import Prediction

KINDS = ["silence", "noise", "swapped"]
FRAMES = 3  # of a clip


@pytest.fixture
def config(tiny_config: Any) -> Any:
    set_node(tiny_config, "evaluation.counterfactuals", KINDS)
    tiny_config.model.feature_cache_mb = 0
    return tiny_config


def test_controls_share_the_data_they_wrap(config: Any) -> None:
    datasets = build_tests(config)
    assert list(datasets) == ["test", *(f"test_audio_{kind}" for kind in KINDS)]
    assert len({id(d.dataset.dataset) for name, d in datasets.items() if name != "test"}) == 1
    assert datasets["test_audio_swapped"].dataset.dataset is datasets["test"].dataset
    assert len({d.fingerprint() for d in datasets.values()}) == 4


def test_scores_side_by_side_and_alone_with_one_encoding(config: Any, encoded: list[int]) -> None:
    model, datasets = trained_model(config, None), build_tests(config)
    together = evaluate_model(model, config, datasets)
    assert sum(encoded) == len(datasets["test"]) == 3, "three clips under four sounds"
    assert model.feature_cache is None
    for split in ("test_audio_silence", "test_audio_swapped"):
        alone = evaluate_model(model, config, {split: datasets[split]}).splits[split]
        assert alone == together.splits[split]
    scores = {split: found.metrics for split, found in together.splits.items()}
    assert len({tuple(found[key] for key in "JF") for found in scores.values()}) == 4
    assert set(together.saved) == {
        f"{split}/{datasets['test'].clips[0]}/{key}"
        for split in datasets
        for key in ("frames", "truth", "prediction", "log_mel")
    }


def protocols(model: Any, cfg: Any, datasets: Any) -> None:
    assert evaluate_protocols(model, cfg, datasets, sizes=SIZES[1:2])


def points(model: Any, cfg: Any, datasets: Any) -> None:
    assert list(draw_points(model, cfg, datasets["test"]))


def readings(model: Any, cfg: Any, datasets: Any) -> None:
    sounds = {"true": datasets["test"], "silence": datasets["test_audio_silence"]}
    assert list(decoder_readings(model, cfg, sounds))


@pytest.mark.parametrize("run", [evaluate_model, protocols, readings, points])
def test_what_measures_encodes_and_decodes_each_clip_once(
    config: Any, encoded: list[int], monkeypatch: pytest.MonkeyPatch, run: Any
) -> None:
    """Under all sounds, decode modes, sizes and protocols."""
    config.data.test.test.cache = config.data.test.test_audio_swapped.dataset.cache = False
    decoded: list[Path] = []
    read = clip_dataset.read_image
    monkeypatch.setattr(clip_dataset, "read_image", lambda p: (decoded.append(p), read(p))[1])
    model, datasets = trained_model(config, None), build_tests(config)
    run(model, config, datasets)
    assert sum(encoded) == 3
    # Those of `readings` are read by loaders of their own, which go through the clips at one time.
    assert len(decoded) == 3 * FRAMES * (2 if run is readings else 1)


def test_a_training_encodes_each_clip_once_an_epoch_and_once_to_test(
    config: Any, encoded: list[int], tmp_path: Path
) -> None:
    config.optim.epochs = 1
    assert train(config, tmp_path / "run").status == "done"
    datasets = build_tests(config, {"train": config.data.train, "val": config.data.val})
    assert sum(encoded) == len(datasets["train"]) + len(datasets["val"]) + 3


@pytest.mark.parametrize("method", ["avsegformer", "tpavi"])
def test_pictures_of_networks_without_sam2_are_encoded_once(
    load_method: Any, encoded: list[int], method: str
) -> None:
    rival = load_method(method, evaluation__counterfactuals=KINDS)
    model, datasets = trained_model(rival, None), build_tests(rival)
    together = evaluate_model(model, rival, datasets)
    assert sum(encoded) == 3 and "forward" not in vars(model.image_encoder)
    alone = evaluate_model(model, rival, {"s": datasets["test_audio_swapped"]}).splits["s"]
    assert alone == together.splits["test_audio_swapped"]
    assert sum(encoded) == 6


def test_area_is_scored_where_nothing_in_view_sounds(config: Any) -> None:
    model, datasets = trained_model(config, None), build_tests(config)
    del datasets["test_audio_noise"]
    result = evaluate_model(model, config, datasets)
    splits = result.splits
    assert [split for split in splits if "A" in splits[split].metrics] == ["test_audio_silence"]
    assert {m: s.higher_is_better for m, s in result.scales.items()} == dict(
        J=True, F=True, A=False
    )
    areas = splits["test_audio_silence"].per_clip["A"]
    assert list(areas) == datasets["test"].clips
    mean = sum(areas.values()) / len(areas)
    assert splits["test_audio_silence"].metrics["A"] == pytest.approx(mean)

    config.evaluation.metrics.append(dict(type="AreaMetric", threshold=0.9))
    del datasets["test_audio_swapped"]
    stated = evaluate_model(model, config, datasets).splits
    assert all(set(found.metrics) == {"J", "F", "A"} for found in stated.values())


def test_a_cache_or_an_encoder_of_its_own_is_left_alone() -> None:
    model = nn.Linear(1, 1)
    with frames_encoded_once(model):
        assert not hasattr(model, "feature_cache")
    model.feature_cache = cache = object()
    with frames_encoded_once(model):
        assert model.feature_cache is cache
    model.feature_cache = None
    with pytest.raises(KeyError), frames_encoded_once(model):
        assert isinstance(model.feature_cache, LastAnswer)
        raise KeyError
    assert model.feature_cache is None


def test_different_clips_go_through_the_model_one_split_after_the_other(config: Any) -> None:
    datasets = build_tests(config)
    datasets = {"test": datasets["test"], "val": build_tests(config, {"v": config.data.val})["v"]}
    called: list[None] = []
    model = trained_model(config, None)
    model.register_forward_hook(lambda *_: called.append(None))
    result = evaluate_model(model, config, datasets)
    assert len(called) == 3 and list(result.splits) == ["test", "val"]
    assert list(result.splits["val"].per_clip["J"]) == datasets["val"].clips


def test_a_model_has_the_threads_that_its_config_states(config: Any) -> None:
    before = torch.get_num_threads()
    config.runtime.num_threads = before + 1
    try:
        trained_model(config, None)
        assert torch.get_num_threads() == before + 1
    finally:
        torch.set_num_threads(before)


def test_the_fingerprint_depends_on_the_order_of_the_splits() -> None:
    a, b = (SimpleNamespace(fingerprint=lambda name=name: name) for name in "ab")
    ab, ba = (fingerprint(dict(train=x, val=y, test={})) for x, y in ((a, b), (b, a)))
    assert ab != ba and len(ab) == 64


def test_data_sets_give_the_ears_that_the_encoder_asks_for(config: Any) -> None:
    for channels, num_ears in (("both", 2), ("mean", 1)):
        config.model.audio_encoder.channels = channels
        datasets = build_tests(config)
        for name in ("test", "test_audio_silence", "test_audio_noise", "test_audio_swapped"):
            assert datasets[name][0]["log_mel"].shape[1:] == (num_ears, 96, 64), name
        model = trained_model(config, None)
        scores = evaluate_model(model, config, datasets).splits
        assert all(0 <= scores[name].metrics["J"] <= 1 for name in datasets)


def test_an_encoder_of_samples_is_scored_with_its_controls_and_drawn(config: Any) -> None:
    pytest.importorskip("transformers", reason="needs the extra [text]")
    config.model.audio_encoder = dict(type="WavLMEncoder", random_weights=True, tokens=3)
    datasets = build_tests(config)
    for name in ("test", "test_audio_silence", "test_audio_noise", "test_audio_swapped"):
        assert datasets[name][0]["log_mel"].shape[1:] == (2, 16_000), name
    model = trained_model(config, None)
    scores = evaluate_model(model, config, datasets).splits
    assert all(0 <= scores[name].metrics["J"] <= 1 for name in datasets)
    heard = datasets["test"][0]["log_mel"][None]
    tokens = model.heard(heard)
    assert tokens.shape[1] == 4 * heard.shape[1], "the frames' and three finer ones of each"
    own, finer = tokens.split([heard.shape[1], 3 * heard.shape[1]], dim=1)
    torch.testing.assert_close(finer.unflatten(1, (-1, 3)).mean(dim=2), own)


def test_what_encoders_ask_for() -> None:
    encoder = {"type": "LogMelCNN"}
    assert asked_hearing({"type": "UnpromptedSAM2"}) == ("both", None)
    assert asked_hearing({"audio_encoder": encoder}) == ("both", None)
    clap = {"type": "CLAPEncoder", "channels": "mean"}
    assert asked_hearing({"audio_encoder": clap}) == ("mean", 48_000)
    assert asked_hearing({"audio_encoder": clap}).shape == (1, 48_000)
    mono = {**encoder, "channels": "mean"}
    wrong = {**encoder, "channels": "stereo"}
    with pytest.raises(
        ValueError, match=r"^got model\.audio_encoder\.channels='stereo'; known: both"
    ):
        asked_hearing({"audio_encoder": wrong})
    heard = {"sound_classifier": {"audio_encoder": mono}, "decode": "x"}
    assert asked_hearing(heard) == ("mean", None)
    with pytest.raises(ValueError) as caught:
        asked_hearing({"audio_encoder": encoder, "sound_classifier": {"audio_encoder": clap}})
    for part in (
        "model.audio_encoder.channels='both' (log-mels)",
        "sound_classifier.audio_encoder.channels='mean' (samples, 48000 a second)",
    ):
        assert part in str(caught.value)


class LightIs(ClipMethod):
    """Takes light pixels for one class and dark ones for the background."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number

    def predict_clip(self, batch: ClipBatch) -> Prediction:
        light = batch.frames.float().mean(dim=2)
        logits = torch.zeros(*light.shape[:2], NUM_CLASSES, *light.shape[-2:])
        logits[:, :, self.number] = light - 20
        return class_prediction(logits)


NUM_CLASSES = len(CLASSES) + 1


def test_classes_of_v2_clips_are_scored_beside_masks(config: Any, tmp_path: Path) -> None:
    write_clips(tmp_path, Plan("v2", (1, 1, 2), seed=3, size=32))
    set_node(config, "data.root", str(tmp_path))
    node = dict(type="AVSBenchDataset", subset="v2", split="test", semantic=True)
    set_node(config, "evaluation.counterfactuals", ["silence"])
    set_node(config, "data.test", dict(test=node))
    names = ("MeanIoUMetric", "ClassFScoreMetric", "JaccardMetric")
    set_node(config, "evaluation.metrics", [dict(type=name) for name in names])
    datasets = build_tests(config)
    truths = torch.cat([datasets["test"][i]["native_semantic"] for i in range(2)])
    seen = int(truths[truths > 0].mode().values)
    results = evaluate_model(LightIs(seen), config, datasets)
    found = results.splits["test"].metrics
    assert set(found) == {"mIoU", "mF", "J"} and results.scales["mIoU"].bounds == (0.0, 1.0)
    total, num_frames = torch.zeros(NUM_CLASSES), torch.zeros(NUM_CLASSES)
    for item in (datasets["test"][i] for i in range(2)):
        predicted = F.interpolate(
            item["frames"].float().mean(dim=1)[None], size=(32, 32), mode="bilinear"
        )[0] > 20  # fmt: skip
        for own, truth in zip(seen * predicted.int(), item["native_semantic"], strict=True):
            for number in range(NUM_CLASSES):
                ours, theirs = own == number, truth == number
                if (ours | theirs).any():
                    total[number] += (ours & theirs).sum() / (ours | theirs).sum()
                    num_frames[number] += 1
    mean = float((total / num_frames.clamp(min=1)).mean())
    assert found["mIoU"] == pytest.approx(mean, abs=1e-6)
    assert total[seen] > 0.01, "the class is hit somewhere"


def test_a_run_over_random_frozen_weights_has_its_scores_when_it_is_opened_again(
    tiny_config: Any, tmp_path: Path
) -> None:
    assert tiny_config.model.backbone.random_weights
    record = train(tiny_config, tmp_path / "run")
    torch.rand(7)  # what was drawn since does not matter
    model = trained_model(tiny_config, tmp_path / "run" / "best.safetensors")
    found = evaluate_model(model, tiny_config, build_tests(tiny_config)).splits["test"].metrics
    assert found == {name: record.metrics["test"][name] for name in found}
