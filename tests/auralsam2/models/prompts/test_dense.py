"""The published dense prompt."""

import pytest
import torch

from auralsam2.registry import DENSE_PROMPTS

C = 8


def test_published_prompt_is_the_residual_itself() -> None:
    prompt = DENSE_PROMPTS.build(dict(type="AudioFeatureMapPrompt"), channels=C)
    residual = torch.randn(2, 3, 4, C)
    assert prompt(residual) is residual
    assert not list(prompt.parameters())


def test_scale_is_learned_from_its_start() -> None:
    prompt = DENSE_PROMPTS.build(dict(type="AudioFeatureMapPrompt", scale_init=0.5), channels=C)
    residual = torch.randn(2, 3, 4, C)
    out = prompt(residual)
    torch.testing.assert_close(out, 0.5 * residual)
    out.sum().backward()
    torch.testing.assert_close(prompt.scale.grad, residual.sum())


def test_other_widths_are_refused() -> None:
    prompt = DENSE_PROMPTS.build(dict(type="AudioFeatureMapPrompt"), channels=2 * C)
    with pytest.raises(ValueError, match="visual residual must have shape .* with C = 16"):
        prompt(torch.randn(2, 3, 4, C))
