"""A metric that selects is a number on val, or that is said and the weights are kept."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch

from auralsam2 import config as configs
from auralsam2.engine.evaluate import evaluate
from auralsam2.engine.selection import check_selection
from auralsam2.engine.train import train
from auralsam2.metrics.f_score import FScoreMetric
from auralsam2.registry import METRICS


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
    tiny_config: Any, tmp_path: Path, no_number: str
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
