"""Where clicks are placed, and scores after them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from auralsam2.config import set_node
from auralsam2.engine.clicks import Asked, Click, ClickScores, corrective_click, rounds
from auralsam2.engine.efficiency import encoder_passes
from auralsam2.engine.evaluate import evaluate_model, trained_model
from auralsam2.engine.splits import test_datasets as build_tests
from auralsam2.engine.train import train
from auralsam2.models.backbones.promptable import Points
from auralsam2.structures import Prediction


def drawn(*rows: str) -> np.ndarray:
    return np.array([[letter == "#" for letter in row] for row in rows])


def test_the_click_lies_farthest_inside_of_the_largest_region() -> None:
    truth = drawn("#######..", "#######..", "#######..", "#######..", "#######..", ".......##")
    nothing = np.zeros_like(truth)
    assert corrective_click(nothing, truth) == Click(2.5, 2.5, True), "first of the thickest"
    assert corrective_click(truth, nothing) == Click(2.5, 2.5, False)
    assert corrective_click(truth, truth) is None
    missed_two = truth.copy()
    missed_two[5] = False
    missed_two[0, 0] = False
    assert corrective_click(missed_two, truth) == Click(7.5, 5.5, True), "two pixels, not one"
    extra_one = truth.copy()
    extra_one[3, 8] = True
    assert corrective_click(extra_one, truth) == Click(8.5, 3.5, False)
    both = extra_one.copy()
    both[0, 0] = False
    assert corrective_click(both, truth) == Click(0.5, 0.5, True), "of one size what was missed"


def test_pixels_that_touch_at_a_corner_are_one_region() -> None:
    truth = drawn("#.....", ".#....", "......", "....#.")
    click = corrective_click(np.zeros_like(truth), truth)
    assert click == Click(0.5, 0.5, True)


class Scripted:
    """A clip of 4 x 4 logits on which every click fills its frame."""

    def __init__(self, best: Tensor) -> None:
        self.best, self.given = best, []

    def answer(self) -> Prediction:
        logits = self.best[None, :, None].expand(-1, -1, 3, -1, -1)
        scores = torch.ones(1, len(self.best), 3)
        return Prediction(logits, scores, scores[..., :1], self.best[None])

    def click(self, frame: int, points: Points) -> None:
        self.given.append((frame, points.coords[0].tolist(), points.labels[0].tolist()))
        if len(self.given) != 2:  # the second one is of no use
            self.best = self.best.clone()
            self.best[frame] = 1.0


def test_the_worst_supervised_frame_is_clicked_on() -> None:
    best = -torch.ones(4, 4, 4)
    best[0, :2] = 1.0
    clip = Scripted(best)
    truth = torch.ones(4, 8, 8)
    supervised = torch.tensor([True, False, True, True])
    found = list(rounds(clip, Asked("a", truth, supervised), 4, "iou_select", side=64))
    assert [frame for _, frame in found] == [2, 3, 3, 0, None]
    middle = [28.0, 28.0]  # pixel 3 of 8, at the model's own size
    assert [frame for frame, *_ in clip.given] == [2, 3, 3, 0]
    assert clip.given[0] == (2, [middle], [1])
    assert clip.given[2] == (3, [middle, middle], [1, 1]), "all clicks of the frame"
    assert clip.given[3][0] == 0 and clip.given[3][2] == [1]
    first, *_, last = [result for result, _ in found]
    assert first["clip"] == "a" and first["mask_logits"].shape == (4, 8, 8)
    assert (last["mask_logits"][supervised] > 0).all() and (last["mask_logits"][1] < 0).all()


def test_nobody_clicks_where_nothing_is_wrong() -> None:
    clip = Scripted(torch.ones(2, 4, 4))
    asked = Asked("a", torch.ones(2, 8, 8), torch.ones(2, dtype=torch.bool))
    found = list(rounds(clip, asked, 2, "iou_select", 64))
    assert [frame for _, frame in found] == [None] * 3 and not clip.given


@pytest.fixture
def config(tiny_config: Any) -> Any:
    set_node(tiny_config, "evaluation.counterfactuals", ["silence"])
    tiny_config.evaluation.clicks = 2
    tiny_config.model.feature_cache_mb = 0
    return tiny_config


def test_scores_after_clicks_with_one_encoding(config: Any, encoded: list[int]) -> None:
    model, datasets = trained_model(config, None), build_tests(config)
    result = evaluate_model(model, config, datasets)
    assert sum(encoded) == 3, "three clips, with and without sound, silence besides"
    ends = [f"_clicks_{count}{end}" for end in ("", "_unheard") for count in range(3)]
    controls = ["test_audio_silence", "test_audio_swapped"]
    assert list(result.splits) == ["test", *(f"test{end}" for end in ends), *controls]
    scores = {split: found.metrics for split, found in result.splits.items()}
    names = {"J", "F", "unclicked/J", "unclicked/F"}
    assert all(set(scores[f"test{end}"]) == names for end in ends)
    assert scores["test_clicks_0"]["J"] == pytest.approx(scores["test"]["J"], abs=1e-4)
    assert scores["test_clicks_2"] != scores["test_clicks_0"]
    # Without a click SAM2 has no mask: what is empty is all that is right.
    truths = [datasets["test"][i]["native_masks"].flatten(1) > 0 for i in range(3)]
    empty = [float((~masks.any(1)).float().mean()) for masks in truths]
    assert scores["test_clicks_0_unheard"]["J"] == pytest.approx(sum(empty) / 3)
    per_clip = result.splits["test_clicks_1"].per_clip
    assert list(per_clip["J"]) == list(per_clip["unclicked/J"]) == datasets["test"].clips
    assert result.scales["unclicked/F"] == result.scales["F"] and not result.notes

    config.evaluation.clicks = 0
    assert list(evaluate_model(model, config, datasets).splits) == ["test", *controls]


def test_frames_that_never_get_a_click_are_the_same_after_any_number(
    config: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    config.data.batch_size = 1
    model, datasets = trained_model(config, None), build_tests(config)
    best = -torch.ones(3, 4, 4)
    best[2] = 1.0
    monkeypatch.setattr(
        type(model), "interactions", lambda self, batch, heard: [Scripted(best.clone())]
    )
    splits = evaluate_model(model, config, datasets).splits
    rest = [splits[f"test_clicks_{count}"].per_clip["unclicked/J"] for count in range(3)]
    assert rest[0] == rest[1] == rest[2], "a click that reaches no other frame changes nothing"
    whole = [splits[f"test_clicks_{count}"].per_clip["J"] for count in range(3)]
    assert whole[0] != whole[1] and rest[0] != whole[0]


def test_a_run_keeps_scores_after_clicks(config: Any, tmp_path: Path) -> None:
    config.optim.epochs = 1
    record = train(config, tmp_path / "run")
    assert record.environment["encoder_passes"] == {"once": 1.0, "both": 1.0}
    of_clips = {entry["split"] for entry in record.per_clip if entry["metric"] == "unclicked/J"}
    assert {"test_clicks_2", "test_clicks_2_unheard"} <= of_clips
    assert record.scales["unclicked/J"]["bounds"] == [0.0, 1.0]


def test_an_encoder_that_hears_runs_again_for_clicks_without_sound(load_method: Any) -> None:
    rival = load_method("sama_avs")
    clip = build_tests(rival)["test"][0]
    assert encoder_passes(trained_model(rival, None), clip) == {"once": 1.0, "both": 2.0}


def test_a_run_of_a_method_without_a_sam2_ends_well(load_method: Any, tmp_path: Path) -> None:
    other = load_method("tpavi", evaluation__clicks=1)
    record = train(other, tmp_path / "run")
    assert record.status == "done" and "encoder_passes" not in record.environment
    assert "no scores after clicks: TPAVINetwork does not say how clicks enter it" in record.notes


def test_metrics_of_classes_alone_are_not_of_clicks(config: Any) -> None:
    config.evaluation.metrics = []
    clicks = ClickScores(config, trained_model(config, None), build_tests(config))
    assert clicks.problem == "no scores after clicks: evaluation.metrics has none of masks alone"


def test_methods_that_hear_nothing_or_take_no_clicks(load_method: Any) -> None:
    deaf = load_method("unprompted", evaluation__clicks=1)
    del deaf.data.test["test_audio_swapped"]
    splits = evaluate_model(trained_model(deaf, None), deaf, build_tests(deaf)).splits
    assert list(splits) == ["test", "test_clicks_0_unheard", "test_clicks_1_unheard"]
    other = load_method("prompted", evaluation__clicks=1)
    result = evaluate_model(trained_model(other, None), other, build_tests(other))
    assert result.notes == ["no scores after clicks: PromptedSAM2 does not say how clicks enter it"]
    assert not any("clicks" in split for split in result.splits)
