"""Settings of a valid config that do not go together, over all registered classes."""

from __future__ import annotations

from typing import Any

import pytest

from auralsam2 import config
from auralsam2.engine.preflight import check, setting_problems
from auralsam2.registry import BACKBONES


def test_all_problems_are_told_at_once(tiny_config: Any) -> None:
    assert setting_problems(tiny_config) == []
    tiny_config.evaluation.decode = "best"
    tiny_config.evaluation.select_by = "K"
    tiny_config.data.image_size = 150
    problems = setting_problems(tiny_config)
    assert [problem.split()[0] for problem in problems] == [
        "evaluation.decode",
        "evaluation.select_by",
        "data.image_size",
    ]
    assert problems[2].endswith("such as 160, got 150")
    with pytest.raises(ValueError) as caught:
        check(tiny_config)
    assert str(caught.value).splitlines() == problems


def test_a_metric_that_cannot_be_built_is_named(tiny_config: Any) -> None:
    tiny_config.evaluation.metrics[0].threshold = 2.0
    tiny_config.evaluation.metrics[0].type = "AreaMetric"
    (problem,) = setting_problems(tiny_config)
    assert problem.startswith("evaluation.metrics.0: threshold must be a probability")


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
        multiple = BACKBONES.lookup(name).size_multiple
        assert isinstance(multiple, int) and multiple > 0
        tiny_config.model.backbone.type = name
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
    for name in config.names("auralsam2") + config.names("methods"):
        assert setting_problems(config.load(name)) == [], name
