"""The published prompt heads."""

from typing import Any, NamedTuple

import pytest
import torch

from auralsam2.registry import DENSE_PROMPTS, SPARSE_PROMPTS, Registry

C = 8


class Head(NamedTuple):
    registry: Registry
    name: str
    shape: tuple[int, ...]
    tokens: str

    def build(self, **arguments: Any) -> Any:
        return self.registry.build(dict(type=self.name, **{"channels": C, **arguments}))


HEADS = (
    Head(SPARSE_PROMPTS, "AudioVectorPrompt", (2, 3, C), "fused audio"),
    Head(DENSE_PROMPTS, "AudioFeatureMapPrompt", (2, 3, 4, C), "fused visual tokens"),
)


@pytest.fixture(params=HEADS, ids=["sparse", "dense"])
def head(request: pytest.FixtureRequest) -> Any:
    return request.param


def test_published_prompt_is_what_was_fused(head: Head) -> None:
    prompt, fused = head.build(), torch.randn(head.shape)
    assert prompt(fused) is fused
    assert not list(prompt.parameters())


def test_scale_is_learned_from_its_start(head: Head) -> None:
    prompt, fused = head.build(scale_init=0.5), torch.randn(head.shape)
    out = prompt(fused)
    torch.testing.assert_close(out, 0.5 * fused)
    out.sum().backward()
    torch.testing.assert_close(prompt.scale.grad, fused.sum())


def test_other_widths_are_refused(head: Head) -> None:
    prompt = head.build(channels=2 * C)
    with pytest.raises(ValueError, match=f"{head.tokens} must have shape .* with C = 16"):
        prompt(torch.randn(head.shape))
