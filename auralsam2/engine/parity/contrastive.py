"""Group e: the audio-visual contrastive loss as released."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from auralsam2.engine.parity.compare import GRADIENT, Row, compare
from auralsam2.engine.parity.fixtures import Fixtures, under
from auralsam2.losses.audio_con import audio_con_loss
from auralsam2.losses.released_audio_con import released_audio_con

NAME = "contrastive"
DEVIATIONS = 4.0
"""A sampled loss may lie this many standard deviations from the mean over seeds."""


def check_contrastive(fixtures: Fixtures) -> Iterator[Row]:
    """Whole losses from projected features, and the InfoNCE part alone."""
    facts, numbers = fixtures.facts(NAME), fixtures.tensors(NAME)
    for case in sorted({key.split(".")[0] for key in numbers}):
        own, about = under(numbers, case), facts[case]
        if "anchors" in own:
            yield from _check_pairs(case, about, own)
        elif "predictions" in own:
            yield from _check_binary(case, about, own)
        else:
            yield from _check_whole(case, about, own)


def _check_pairs(case: str, facts: Mapping[str, Any], own: dict[str, Tensor]) -> Iterator[Row]:
    leaves = {key: own[key].clone().requires_grad_() for key in ("anchors", "contrast")}
    loss = audio_con_loss(
        leaves["anchors"],
        own["anchor_labels"].flatten(),
        leaves["contrast"],
        own["contrast_labels"].flatten(),
        temperature=facts["temperature"],
        repel_audio=True,
        reduction="all_anchors",
    )
    yield compare(NAME, f"{case}.loss", loss, own["loss"])
    yield from _gradients(case, loss, leaves, own)


def _check_binary(case: str, facts: Mapping[str, Any], own: dict[str, Tensor]) -> Iterator[Row]:
    """Predictions in {0, 1}, which alone can agree with the mask and so be easy."""
    leaves = {key: own[key].clone().requires_grad_() for key in ("visual", "audio")}
    visual = leaves["visual"].flatten(3).transpose(2, 3).unbind(1)  # a level: (T, N, D)
    audio = leaves["audio"].unbind(1)
    loss = released_audio_con(visual, audio, own["predictions"].float(), own["masks"])
    yield compare(NAME, f"{case}.loss", loss, own["loss"])
    yield from _gradients(case, loss, leaves, own)
    repaired = released_audio_con(
        visual, audio, own["predictions"].float(), own["masks"], labels="own"
    )
    expected = facts.get("loss_if_labels_were_correct")
    if expected is not None:
        yield compare(NAME, f"{case}.loss_if_labels_were_correct", repaired, expected)


def _check_whole(case: str, facts: Mapping[str, Any], own: dict[str, Tensor]) -> Iterator[Row]:
    leaves = {
        k: v.clone().requires_grad_() for k, v in own.items() if "_raw." in k and "grad" not in k
    }
    loss = _whole(facts, own, leaves)
    exact = compare(NAME, f"{case}.loss", loss, own["loss"])
    if facts["independent_of_sampling"] or exact.passed:
        yield exact
        yield from _gradients(case, loss, leaves, own)
    else:
        # Another version of torch draws other permutations from the same seed.
        allowed = DEVIATIONS * float(facts["std_over_20_seeds"])
        expected = float(facts["mean_over_20_seeds"])
        yield compare(NAME, f"{case}.loss (mean over seeds)", loss, expected, allowed)
    correct = facts.get("loss_if_labels_were_correct")
    if correct is not None:
        repaired = _whole(facts, own, leaves, labels="own")
        yield compare(NAME, f"{case}.loss_if_labels_were_correct", repaired, correct)


def _whole(
    facts: Mapping[str, Any],
    own: Mapping[str, Tensor],
    leaves: Mapping[str, Tensor],
    **switches: Any,
) -> Tensor:
    def unit(key: str) -> Tensor:
        return F.normalize(leaves[key], dim=1)

    levels = range(sum(key.startswith("visual_raw.") for key in leaves))
    seed = facts.get("seed")
    return released_audio_con(
        [unit(f"visual_raw.{i}").flatten(2).transpose(1, 2) for i in levels],
        [unit(f"audio_raw.{i}")[..., 0] for i in levels],
        own["pred_logits"][:, 0],
        own["masks"],
        generator=None if seed is None else torch.Generator().manual_seed(int(seed)),
        temperature=facts["temperature"],
        max_samples=facts["sample_limits"],
        max_anchors=facts["total_limits"],
        **switches,
    )


def _gradients(
    case: str, loss: Tensor, leaves: Mapping[str, Tensor], own: Mapping[str, Tensor]
) -> Iterator[Row]:
    loss.backward()
    for key, leaf in leaves.items():
        if f"grad.{key}" in own:
            gradient = torch.zeros_like(leaf) if leaf.grad is None else leaf.grad
            yield compare(NAME, f"{case}.grad.{key}", gradient, own[f"grad.{key}"], *GRADIENT)
