"""Group d: SAM2's mask decoder with prompts injected at its three sites."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from auralsam2.engine.parity.compare import GRADIENT, Row, compare, probe_loss
from auralsam2.engine.parity.fixtures import Fixtures, under
from auralsam2.models.injection import SITES, ReleasedInjection, SitePrompts, StepwiseInjection

NAME = "mask_decoder"
OUTPUTS = ("masks", "iou_pred", "mask_tokens_out", "object_score_logits")


def check_decoder(fixtures: Fixtures) -> Iterator[Row]:
    """Masks, scores, tokens and gradients, with and without the leak into the position code."""
    from auralsam2.models.backbones.sam2.build import build_mask_decoder

    numbers = fixtures.tensors(NAME)
    decoder = build_mask_decoder(fixtures.facts(NAME))
    decoder.load_state_dict(fixtures.tensors("mask_decoder_weights"), strict=True)
    decoder.eval().requires_grad_(False)
    leaves = {
        key: numbers[key].clone().requires_grad_()
        for i in range(len(SITES))
        for key in (f"visual_res.{i}", f"audio_res.{i}")
    }
    prompts = [
        SitePrompts(leaves[f"audio_res.{i}"][None], leaves[f"visual_res.{i}"][None])
        for i in range(len(SITES))
    ]
    released = ReleasedInjection(leak_into_position=True)
    with decoder.transformer.injecting(prompts, released):
        masks, ious, tokens, score = decoder.predict_masks(**_inputs(numbers))
    outputs = dict(zip(OUTPUTS, (masks, ious, tokens, score), strict=True))
    for key, value in outputs.items():
        yield compare(NAME, f"out.{key}", value, numbers[f"out.{key}"])
    loss = probe_loss(outputs.values())
    yield compare(NAME, "out.probe_loss", loss, numbers["out.probe_loss"])
    loss.backward()
    for key, leaf in leaves.items():
        if f"grad.{key}" in numbers:
            assert leaf.grad is not None
            yield compare(NAME, f"grad.{key}", leaf.grad, numbers[f"grad.{key}"], *GRADIENT)
    with torch.no_grad():
        yield from _multimask(decoder, prompts, released, numbers)
        yield from _transformer(decoder, prompts, numbers)


def _inputs(numbers: dict[str, Tensor]) -> dict[str, Any]:
    embeddings = numbers["image_embeddings"]
    batch, channels, height, width = embeddings.shape
    return {
        "image_embeddings": embeddings,
        "image_pe": numbers["image_pe"],
        "sparse_prompt_embeddings": embeddings.new_zeros(batch, 0, channels),
        "dense_prompt_embeddings": numbers["dense_prompt_embeddings"].expand(-1, -1, height, width),
        "repeat_image": False,
        "high_res_features": [numbers["high_res.0"], numbers["high_res.1"]],
    }


def _multimask(
    decoder: Any, prompts: Any, injection: StepwiseInjection, numbers: dict[str, Tensor]
) -> Iterator[Row]:
    with decoder.transformer.injecting(prompts, injection):
        out = decoder(**_inputs(numbers), multimask_output=True)
    names = ("masks", "iou_pred", "sam_tokens_out", "object_score_logits")
    for name, value in zip(names, out, strict=True):
        key = f"out_multimask.{name}"
        if key in numbers:
            yield compare(NAME, key, value, numbers[key])


def _transformer(decoder: Any, prompts: Any, numbers: dict[str, Tensor]) -> Iterator[Row]:
    """What the two-way transformer itself returns, as released and with the leak closed."""
    from auralsam2.models.backbones.sam2.build import output_tokens

    inputs = _inputs(numbers)
    image = inputs["image_embeddings"] + inputs["dense_prompt_embeddings"]
    tokens = output_tokens(decoder, len(image))
    for group, leak in (("transformer", True), ("transformer_without_pe_aliasing", False)):
        with decoder.transformer.injecting(prompts, ReleasedInjection(leak_into_position=leak)):
            queries, keys = decoder.transformer(image, inputs["image_pe"], tokens)
        expected = under(numbers, group)
        yield compare(NAME, f"{group}.queries", queries, expected["queries"])
        yield compare(NAME, f"{group}.keys", keys, expected["keys"])
