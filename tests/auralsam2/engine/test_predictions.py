from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from mmengine.config import Config
from PIL import Image

from auralsam2 import config as configs
from auralsam2.data.labels import read_colours
from auralsam2.data.problems import DataError
from auralsam2.data.synthetic.writer import Plan, write_clips
from auralsam2.engine.evaluate import evaluate_model, trained_model
from auralsam2.engine.predictions import (
    RECORD,
    claim,
    dataset_to_predict,
    pictures_of,
    predict_split,
)
from auralsam2.engine.run_folder import OtherRunError
from auralsam2.engine.splits import split_dataset
from auralsam2.metrics.jaccard import jaccard

RIVAL = {"data.image_size": 64, "data.batch_size": 2, "runtime.num_threads": 1}
SMALL = {
    **RIVAL,
    "model.backbone": dict(type="SAM2Backbone", size="mini", random_weights=True),
    "model.audio_encoder": dict(type="LogMelCNN", width=8),
    "model.mask_loss.loss_size": 16,
}


def loaded(config: str, root: Path, **more: Any) -> Config:
    settings = SMALL if config.startswith("auralsam2/") else RIVAL
    return configs.load(config, {**settings, "data.root": str(root), **more})


def predicted(cfg: Config, split: str, out: Path) -> tuple[torch.nn.Module, int]:
    torch.manual_seed(0)
    model = trained_model(cfg, None)
    dataset = dataset_to_predict(cfg, split)
    claim(out, cfg, split, dataset, None)
    return model, predict_split(model, cfg, dataset, out)


def pictures(out: Path) -> dict[str, bytes]:
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*.png")}


def without_labels(root: Path, copy: Path, *names: str) -> Path:
    shutil.copytree(root, copy)
    for name in names:
        for folder in list(copy.rglob(name)):
            shutil.rmtree(folder)
    return copy


@pytest.fixture(scope="module")
def v1m(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("v1m") / "data"
    write_clips(root, Plan("v1m", (1, 1, 3), seed=2, size=48, num_frames=2))
    return root


@pytest.fixture(scope="module")
def masks(v1m: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, torch.nn.Module]:
    out = tmp_path_factory.mktemp("masks") / "own"
    model, count = predicted(loaded("auralsam2/mini_v1m", v1m), "test", out)
    assert count == 3
    return out, model


def test_the_masks_score_what_the_evaluation_scores(
    v1m: Path, masks: tuple[Path, torch.nn.Module]
) -> None:
    out, model = masks
    cfg = loaded("auralsam2/mini_v1m", v1m)
    dataset = split_dataset(cfg, "test", labelled=True)
    wanted = evaluate_model(model, cfg, {"test": dataset}).splits["test"].per_clip["J"]
    for index, (clip, paths) in enumerate(pictures_of(dataset)):
        assert paths == tuple(Path("v1m", clip, "labels_rgb", f"{t}.png") for t in range(2))
        read = np.stack([read_colours(out / path).any(axis=2) for path in paths])
        assert read.shape == (2, 48, 48)
        found = jaccard(torch.from_numpy(read * 2.0 - 1), dataset[index]["native_masks"]).mean()
        assert float(found) == pytest.approx(wanted[clip], abs=1e-12)
    assert len(set(wanted.values())) == 3  # clips are not taken for one another


def test_no_label_is_needed(v1m: Path, masks: tuple[Path, torch.nn.Module], tmp_path: Path) -> None:
    bare = without_labels(v1m, tmp_path / "bare", "labels_rgb")
    cfg = loaded("auralsam2/mini_v1m", bare)
    with pytest.raises(DataError, match="labels_rgb"):
        split_dataset(cfg, "test", labelled=True)
    predicted(cfg, "test", tmp_path / "out")
    assert pictures(tmp_path / "out") == pictures(masks[0])
    record = json.loads((tmp_path / "out" / RECORD).read_text())
    assert record["clips"] == 3 and record["masks"] == 6 and record["left_out"] == {}
    assert record["split"] == "test" and record["decode"] == "iou_select"


def test_what_is_missing_is_predicted_and_nothing_else(
    v1m: Path, masks: tuple[Path, torch.nn.Module], tmp_path: Path
) -> None:
    out = tmp_path / "half"
    shutil.copytree(masks[0], out)
    lost = sorted(out.rglob("*.png"))[3]
    lost.unlink()
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*.png")}
    _, count = predicted(loaded("auralsam2/mini_v1m", v1m), "test", out)
    assert count == 1 and pictures(out) == pictures(masks[0])
    others = [path for path in before if path.parent != lost.parent]
    assert len(others) == 4 and all(path.stat().st_mtime_ns == before[path] for path in others)


def test_a_folder_of_other_predictions_is_refused(
    v1m: Path, masks: tuple[Path, torch.nn.Module]
) -> None:
    cfg = loaded("auralsam2/mini_v1m", v1m)
    with pytest.raises(OtherRunError, match="split"):
        claim(masks[0], cfg, "val", dataset_to_predict(cfg, "val"), None)
    other = loaded("auralsam2/mini_v1m", v1m, **{"evaluation.decode": "first"})
    with pytest.raises(OtherRunError, match=r"iou_select.*first"):
        claim(masks[0], other, "test", dataset_to_predict(other, "test"), None)


def test_an_unknown_split_is_named(v1m: Path) -> None:
    with pytest.raises(ValueError, match="'tset'; did you mean 'test'"):
        dataset_to_predict(loaded("auralsam2/mini_v1m", v1m), "tset")


def test_training_clips_are_shown_as_they_are(v1m: Path) -> None:
    turned = [dict(type="RandomClipFlip", prob=1.0)]
    cfg = loaded("auralsam2/mini_v1m", v1m, **{"data.train.transforms": turned})
    plain = split_dataset(loaded("auralsam2/mini_v1m", v1m), "train", labelled=False)
    item = dataset_to_predict(cfg, "train")[0]
    torch.testing.assert_close(item["frames"], plain[0]["frames"])
    assert not item["masks"].any()


def test_expressions_of_one_object_have_masks_of_their_own(tmp_path: Path) -> None:
    root = tmp_path / "ref"
    write_clips(root, Plan("ref_avs", (1,) * 5, 3, size=48, num_frames=3, unseen=3))
    bare = without_labels(root, tmp_path / "bare", "gt_mask")
    cfg = loaded("auralsam2/mini_ref_avs", bare, **{"model.text_encoder": None})
    predicted(cfg, "test_u", tmp_path / "out")
    dataset = split_dataset(loaded("auralsam2/mini_ref_avs", root), "test_u", labelled=True)
    wanted = {
        f"gt_mask/{e.video}/fid_{e.fid}/{e.uid}/{t}.png"
        for e in dataset.expressions
        for t in range(3)
    }
    assert set(pictures(tmp_path / "out")) == wanted and len(wanted) >= 6


def test_classes_are_written_in_their_palette(tmp_path: Path) -> None:
    root = tmp_path / "v2"
    write_clips(root, Plan("v2", (1, 1, 1), 5, size=48, num_frames=2))
    cfg = loaded("methods/tpavi_mini_v2", root)
    model, _ = predicted(cfg, "test", tmp_path / "out")
    dataset = split_dataset(cfg, "test", labelled=True)
    (result,) = evaluate_results(model, dataset)
    (clip,) = pictures_of(dataset)
    for path, classes in zip(clip.paths, result["predicted_classes"], strict=True):
        assert Image.open(tmp_path / "out" / path).mode == "P"
        np.testing.assert_array_equal(dataset.class_map.read(tmp_path / "out" / path), classes)
    assert len(result["predicted_classes"].unique()) > 1


def evaluate_results(model: torch.nn.Module, dataset: Any) -> list[dict[str, Any]]:
    from auralsam2.data.collate import collate_clips

    with torch.no_grad():
        return model.val_step(collate_clips([dataset[0]]))


def test_prompts_drawn_from_the_truth_need_labels(v1m: Path, tmp_path: Path) -> None:
    bare = without_labels(v1m, tmp_path / "bare", "labels_rgb")
    model = dict(type="PromptedSAM2", backbone=SMALL["model.backbone"])
    cfg = loaded("auralsam2/mini_v1m", bare)
    cfg.model = Config(model)
    with pytest.raises(DataError, match="labels_rgb"):
        dataset_to_predict(cfg, "test")
