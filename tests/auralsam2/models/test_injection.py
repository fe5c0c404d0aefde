"""Sites, tokens and level order of the injection."""

import pytest
import torch

from auralsam2.models.injection import StepwiseInjection


@pytest.mark.parametrize(
    ("arguments", "num_levels", "expected"),
    [
        ({}, 3, (2, 1, 0)),
        ({"order": "fine_to_coarse"}, 3, (0, 1, 2)),
        ({}, 2, (1, 0, None)),
        ({}, 1, (0, None, None)),
        ({"repeat_last": True}, 1, (0, 0, 0)),
        ({"sites": ("final",)}, 3, (None, None, 0)),
        ({"sites": ()}, 3, (None, None, None)),
    ],
)
def test_level_of_site(arguments: dict, num_levels: int, expected: tuple) -> None:
    assert StepwiseInjection(**arguments).level_of_site(num_levels) == expected


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [(("mask",), [0, 0, 1, 1, 1, 1, 0]), (("object", "iou"), [1, 1, 0, 0, 0, 0, 0])],
)
def test_prompt_tokens_of_clicks_are_never_touched(tokens: tuple, expected: list) -> None:
    mask = StepwiseInjection(tokens=tokens).token_mask(7, torch.device("cpu"))
    assert mask.tolist() == expected


def test_all_problems_at_once() -> None:
    with pytest.raises(ValueError, match="'masks'.*'block3'.*'random'"):
        StepwiseInjection(tokens=("masks",), sites=("block3",), order="random")
