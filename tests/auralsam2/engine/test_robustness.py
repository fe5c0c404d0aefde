"""Clips under many conditions: scores of an evaluation, each clip's frames encoded once."""

from __future__ import annotations

from math import isnan
from typing import Any

import pytest
import torch
from torch import nn

from auralsam2.data.corruptions.base import CORRUPTIONS
from auralsam2.data.datasets.corrupted import CorruptedClips
from auralsam2.engine.clicks import hears
from auralsam2.engine.evaluate import evaluate_model, trained_model
from auralsam2.engine.robustness import condition_scores
from auralsam2.engine.splits import test_datasets as build_tests


def corrupted(dataset: Any, name: str, strength: float) -> CorruptedClips:
    return CorruptedClips(dataset.dataset, CORRUPTIONS.build(dict(type=name)), strength)


def test_frames_are_encoded_once_for_all_sounds_and_scores_are_those_of_an_evaluation(
    tiny_config: Any, encoded: list[int]
) -> None:
    tiny_config.model.feature_cache_mb = 0
    model, datasets = trained_model(tiny_config, None), build_tests(tiny_config)
    test = datasets["test"]
    evaluated = evaluate_model(model, tiny_config, {"test": test}).splits["test"].per_clip["J"]
    encoded.clear()
    conditions = {"clean": test, "loud": corrupted(test, "Gain", 20.0)}
    conditions |= {("noise", s): corrupted(test, "WhiteNoise", s) for s in (10.0, 0.0)}
    conditions["blur"] = corrupted(test, "Blur", 4.0)
    wanted = dict.fromkeys(conditions, test.clips)
    found = list(condition_scores(model, tiny_config, conditions, wanted))
    scores = {(one.condition, one.clip): one.scores for one in found}
    assert len(found) == len(scores) == 5 * 3
    assert {clip: scores["clean", clip]["J"] for clip in test.clips} == evaluated
    assert sum(encoded) == 2 * 3, "three clips as they are, and blurred"
    assert {*found[0].scores} == {"J", "false-positive area", "detection rate"}
    # Batches of one condition stand together: two clips, and one.
    assert [one.condition for one in found[:6:2]] == ["clean", "loud", ("noise", 10.0)]
    last = {"blur": [test.clips[2]]}
    (again,) = condition_scores(model, tiny_config, conditions, last)
    assert again.scores == scores["blur", test.clips[2]]


def test_a_clip_without_an_object_has_no_detection(tiny_config: Any) -> None:
    model, test = trained_model(tiny_config, None), build_tests(tiny_config)["test"]

    class Empty:
        clips = test.clips[:1]

        def __getitem__(self, index: int) -> dict[str, Any]:
            item = test[index]
            return item | {key: torch.zeros_like(item[key]) for key in ("masks", "native_masks")}

    (one,) = condition_scores(model, tiny_config, {"a": Empty()}, {"a": Empty.clips})
    assert isnan(one.scores["detection rate"])
    assert one.scores["false-positive area"] == pytest.approx(1 - one.scores["J"])


def test_what_does_not_say_whether_it_hears_may_hear(load_tiny: Any, deaf_config: Any) -> None:
    assert hears(nn.Identity()) and hears(trained_model(load_tiny(), None))
    assert not hears(trained_model(deaf_config, None))
