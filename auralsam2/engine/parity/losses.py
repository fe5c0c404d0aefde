"""The contrastive loss as released, and SAM2's with the authors' weights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from auralsam2.engine.parity.compare import NOT_GIVEN, Row, compare, leaves
from auralsam2.engine.parity.fixtures import Expected
from auralsam2.losses.audio_con import audio_con_loss
from auralsam2.losses.released_audio_con import released_audio_con
from auralsam2.registry import MASK_LOSSES
from auralsam2.structures import Prediction

MASK_INPUTS = ("mask_logits", "ious", "object_score_logits")
REPAIRED = "loss_if_labels_were_correct"
"""The loss with pixels' own labels, where the fixture has it."""
DEVIATIONS = 4.0
"""A sampled loss may lie this many standard deviations from the mean over seeds."""


def check_contrastive(expected: Expected) -> Iterator[Row]:
    """Whole losses from projected features, and the InfoNCE part alone."""
    for case in expected.cases():
        if "anchors" in case.numbers:
            yield from _check_pairs(case)
        elif "predictions" in case.numbers:
            yield from _check_binary(case)
        else:
            yield from _check_whole(case)


def _check_pairs(expected: Expected) -> Iterator[Row]:
    own = expected.numbers
    inputs = leaves(own, ("anchors", "contrast"))
    loss = audio_con_loss(
        inputs["anchors"],
        own["anchor_labels"].flatten(),
        inputs["contrast"],
        own["contrast_labels"].flatten(),
        temperature=expected.facts["temperature"],
        repel_audio=True,
        reduction="all_anchors",
    )
    yield expected.row("loss", loss)
    yield from expected.gradients(loss, inputs)


def _check_binary(expected: Expected) -> Iterator[Row]:
    """Predictions in {0, 1}, which alone can agree with the mask and so be easy."""
    own = expected.numbers
    inputs = leaves(own, ("visual", "audio"))
    visual = inputs["visual"].flatten(3).transpose(2, 3).unbind(1)  # a level: (T, N, D)
    clip = (visual, inputs["audio"].unbind(1), own["predictions"].float(), own["masks"])
    loss = released_audio_con(*clip)
    yield expected.row("loss", loss)
    yield from expected.gradients(loss, inputs)
    yield expected.told(REPAIRED, released_audio_con(*clip, labels="own"))


def _check_whole(expected: Expected) -> Iterator[Row]:
    own, facts = expected.numbers, expected.facts
    inputs = leaves(own, (key for key in own if "_raw." in key and "grad" not in key))
    loss = _whole(facts, own, inputs)
    exact, gradients = expected.row("loss", loss), list(expected.gradients(loss, inputs))
    # A fixture without the loss shows by its gradients whether the same pixels were drawn.
    shown = gradients if exact is NOT_GIVEN else [exact]
    if facts["independent_of_sampling"] or all(row.passed for row in shown):
        yield from (exact, *gradients)
    elif "mean_over_20_seeds" in facts:
        # Another version of torch draws other permutations from the same seed.
        mean, deviation = facts["mean_over_20_seeds"], facts.get("std_over_20_seeds", 0.0)
        key = f"{expected.label}loss (mean over seeds)"
        yield compare(key, loss, mean, DEVIATIONS * deviation)
    yield expected.told(REPAIRED, _whole(facts, own, inputs, labels="own"))


def _whole(
    facts: Mapping[str, Any],
    own: Mapping[str, Tensor],
    inputs: Mapping[str, Tensor],
    **switches: Any,
) -> Tensor:
    def unit(key: str) -> Tensor:
        return F.normalize(inputs[key], dim=1)

    levels = range(sum(key.startswith("visual_raw.") for key in inputs))
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


def check_mask_loss(expected: Expected) -> Iterator[Row]:
    """Every term and its gradients."""
    for case in expected.cases():
        yield from _check_terms(case)


def _check_terms(expected: Expected) -> Iterator[Row]:
    inputs = leaves(expected.numbers, MASK_INPUTS)
    # The fixture is (T, B, ...): its objects are our clips.
    logits, ious, scores = (inputs[key].transpose(0, 1) for key in MASK_INPUTS)
    masks = expected.numbers["targets"].transpose(0, 1).float()
    weights = expected.facts["weights"]
    loss = MASK_LOSSES.build(
        {
            "type": "SAM2MaskLoss",
            "reduction": "sum_over_frames",
            "focal_weight": weights["loss_mask"],
            "dice_weight": weights["loss_dice"],
            "iou_weight": weights["loss_iou"],
            "object_weight": weights["loss_class"],
        }
    )
    supervised = torch.ones(masks.shape[:2], dtype=torch.bool)
    terms = loss(Prediction(logits, ious, scores, logits[:, :, 0]), masks, supervised)
    # Ours averages over objects; the release divides by its own count of them.
    scale = len(masks) / float(expected.facts["num_objects"])
    for key, term in terms.items():
        yield expected.row(key, term * scale / weights[key])
    total = sum(terms.values(), torch.zeros(())) * scale
    yield expected.row("core_loss", total)
    yield from expected.gradients(total, inputs)
