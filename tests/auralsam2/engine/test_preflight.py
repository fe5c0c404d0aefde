"""What would fail on day three fails before the first."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from auralsam2 import config as configs
from auralsam2.engine.preflight import (
    check,
    check_classes,
    check_selection,
    check_weights,
    first_step,
    setting_problems,
)
from auralsam2.registry import BACKBONES


def test_all_problems_are_told_at_once(tiny_config: Any) -> None:
    assert setting_problems(tiny_config) == []
    tiny_config.evaluation.decode = "best"
    tiny_config.evaluation.select_by = "K"
    tiny_config.data.image_size = 150
    tiny_config.model.audio_encoder.channels = "stereo"
    problems = setting_problems(tiny_config)
    assert [problem.split()[0] for problem in problems] == [
        "evaluation.decode",
        "got",
        "evaluation.select_by",
        "data.image_size",
    ]
    assert problems[1] == "got model.audio_encoder.channels='stereo'; known: both, mean"
    assert problems[3].endswith("such as 160, got 150")
    with pytest.raises(ValueError) as caught:
        check(tiny_config)
    assert str(caught.value).splitlines() == problems


def test_several_tokens_a_second_want_a_method_that_reads_them(tiny_config: Any) -> None:
    tiny_config.model.audio_encoder = dict(type="WavLMEncoder", random_weights=True, tokens=2)
    assert setting_problems(tiny_config) == []
    tiny_config.model.type = "AVSAM"
    (problem,) = setting_problems(tiny_config)
    assert problem.startswith("model.audio_encoder.tokens=2: AVSAM takes one vector a second")


def test_a_metric_that_cannot_be_built_is_named(tiny_config: Any) -> None:
    tiny_config.evaluation.metrics[0].threshold = 2.0
    tiny_config.evaluation.metrics[0].type = "AreaMetric"
    (problem,) = setting_problems(tiny_config)
    assert problem.startswith("evaluation.metrics.0: threshold must be a probability")


def test_metrics_of_classes_want_a_method_that_tells_them_apart(tiny_config: Any) -> None:
    tiny_config.evaluation.metrics.append(dict(type="MeanIoUMetric"))
    (problem,) = setting_problems(tiny_config)
    assert problem.startswith(
        "MeanIoUMetric of evaluation.metrics scores classes, and AuralSAM2 has no class head; "
    )
    for method in ("tpavi", "avsegformer"):
        cfg = configs.load(f"methods/{method}_mini_v1m")
        cfg.evaluation.metrics.append(dict(type="ClassFScoreMetric"))
        assert "no class head" in "".join(setting_problems(cfg))
        cfg.model.num_classes = 13
        assert setting_problems(cfg) == []


def test_a_hook_that_cannot_work_is_named_before_the_run_begins(tiny_config: Any) -> None:
    stopping = dict(type="EarlyStoppingHook", monitor="J")
    tiny_config.runtime.hooks = [dict(type="EMAHook"), dict(stopping, rule="up")]
    (problem,) = setting_problems(tiny_config)
    assert problem.startswith("runtime.hooks.1: `rule` should be")
    tiny_config.runtime.hooks = [dict(stopping, monitor="K")]
    (problem,) = setting_problems(tiny_config)
    assert problem.startswith("runtime.hooks, EarlyStoppingHook: monitor got 'K'; ")
    tiny_config.runtime.hooks = [stopping]
    assert setting_problems(tiny_config) == []


def test_every_backbone_is_built_at_its_own_multiple(tiny_config: Any) -> None:
    for name in BACKBONES.names():
        if name == "EdgeTAMBackbone" and find_spec("timm") is None:
            continue
        multiple = BACKBONES.lookup(name).size_multiple
        assert isinstance(multiple, int) and multiple > 0
        tiny_config.model.backbone = dict(type=name, size="mini", random_weights=True)
        if not getattr(BACKBONES.lookup(name), "has_memory", True):
            problems = "".join(setting_problems(tiny_config))
            assert "model.tracker.use_memory must be False" in problems
            assert "model.pyramid.num_levels must be 1" in problems
            tiny_config.model.tracker.use_memory = False
            tiny_config.model.pyramid.num_levels = 1
        for side, fits in ((2 * multiple, True), (2 * multiple + 1, multiple == 1)):
            tiny_config.data.image_size = side
            assert (setting_problems(tiny_config) == []) == fits
            node = tiny_config.model.backbone.to_dict()
            if fits:
                assert BACKBONES.build(node, image_size=side).image_size == side
            else:
                with pytest.raises(ValueError, match=f"multiple of {multiple}"):
                    BACKBONES.build(node, image_size=side)


def test_every_shipped_config_goes_together() -> None:
    for name in configs.names("auralsam2") + configs.names("methods"):
        assert setting_problems(configs.load(name)) == [], name


class Val(list):
    """Clips of two frames; counts how many were read."""

    def __init__(self, *masks: torch.Tensor) -> None:
        super().__init__(masks)
        self.read = 0

    def __getitem__(self, index: int) -> dict[str, Any]:
        self.read += 1
        masks = super().__getitem__(index)
        supervised = torch.ones(2, dtype=torch.bool)
        return dict(clip=str(index), native_masks=masks, supervised=supervised)


EMPTY, FULL = torch.zeros(2, 4, 4, dtype=torch.uint8), torch.ones(2, 4, 4, dtype=torch.uint8)


def selecting(tiny_config: Any, by: str) -> Any:
    tiny_config.evaluation.metrics = [
        dict(type="JaccardMetric"),
        dict(type="FScoreMetric", empty_clips="skip"),
    ]
    tiny_config.evaluation.select_by = by
    return tiny_config


def test_a_metric_in_which_no_clip_counts_is_refused(tiny_config: Any) -> None:
    cfg = selecting(tiny_config, "F")
    with pytest.raises(ValueError) as caught:
        check_selection(cfg, Val(EMPTY, EMPTY))
    assert str(caught.value) == (
        "evaluation.select_by='F' is not a number on data.val: none of its 2 clips counts in that "
        "metric; select by another one (J)"
    )
    check_selection(selecting(tiny_config, "J"), Val(EMPTY, EMPTY))
    with pytest.raises(ValueError, match="data.val holds no clip"):
        check_selection(cfg, Val())


def test_no_clip_is_read_behind_the_first_that_counts(tiny_config: Any) -> None:
    val = Val(EMPTY, FULL, FULL)
    check_selection(selecting(tiny_config, "F"), val)
    assert val.read == 2


def with_classes(count: int | None) -> Any:
    """A data set of one clip, with so many classes or none."""
    names = None if count is None else ("",) * count
    data = type("Data", (list,), {"class_map": names and SimpleNamespace(names=names)})
    return data([{} if count is None else {"semantic": EMPTY}])


def test_classes_are_refused_before_a_batch_shows_the_last_one(tiny_config: Any) -> None:
    check_classes(tiny_config, {"train": with_classes(None), "val": with_classes(None)})
    tiny_config.evaluation.metrics = [dict(type="MeanIoUMetric")]
    tiny_config.model.num_classes = 70
    # Of masks, names of sources may be counted, too, without the background.
    check_classes(tiny_config, {"train": with_classes(71), "val": with_classes(13)})
    tiny_config.model.mask_loss = dict(type="SemanticMaskLoss")
    check_classes(tiny_config, {"train": with_classes(70), "val": with_classes(13)})
    with pytest.raises(ValueError) as caught:
        check_classes(tiny_config, {"train": with_classes(71), "val": with_classes(None)})
    assert str(caught.value).splitlines() == [
        "MeanIoUMetric of evaluation.metrics scores classes, and data.val gives none; set "
        "semantic=True there and in data.test (AVSBench's semantic release has classes)",
        "model.num_classes=70 is too few for data.train, which has 71 classes, the background "
        "included",
    ]


def test_a_config_that_works(tiny_config: Any, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = first_step(tiny_config)
    assert found.seconds > 0 and found.gpu_bytes == 0
    assert list(tmp_path.iterdir()) == [], "nothing is written"


def test_nothing_to_train(deaf_config: Any) -> None:
    first_step(deaf_config)


def test_a_loss_that_is_no_number(tiny_config: Any) -> None:
    tiny_config.model.mask_loss.focal_weight = float("nan")
    with pytest.raises(FloatingPointError, match="first step is nan"):
        first_step(tiny_config)


@pytest.mark.parametrize(
    ("config", "part", "key"),
    [
        ("methods/tpavi_hiera_v1m", "image_encoder.backbone", "checkpoint"),
        ("methods/translated_v1m", "sound_classifier.audio_encoder", "weights"),
    ],
)
def test_missing_weights_of_a_part_inside_a_part_are_told_by_its_own_key(
    config: str, part: str, key: str
) -> None:
    cfg = configs.load(config, {f"model.{part}.{key}": "nowhere.pth"})
    with pytest.raises(FileNotFoundError) as caught:
        check_weights(cfg)
    (told,) = [line for line in str(caught.value).split("\n") if "nowhere.pth" in line]
    assert f"`model.{part}.{key}`" in told and f"`model.{part.rpartition('.')[2]}." not in told


def test_missing_data(tiny_config: Any, tmp_path: Path) -> None:
    tiny_config.data.root = str(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match="nowhere"):
        first_step(tiny_config)
