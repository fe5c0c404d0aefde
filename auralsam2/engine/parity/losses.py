"""Groups e and f: the contrastive loss as released, and SAM2's with the authors' weights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from auralsam2.engine.parity.compare import NOT_GIVEN, Row, leaves
from auralsam2.engine.parity.fixtures import Expected, Fixtures
from auralsam2.losses.audio_con import audio_con_loss
from auralsam2.losses.released_audio_con import released_audio_con
from auralsam2.registry import MASK_LOSSES
from auralsam2.structures import Prediction

MASK_INPUTS = ("mask_logits", "ious", "object_score_logits")
DEVIATIONS = 4.0
"""A sampled loss may lie this many standard deviations from the mean over seeds."""


def check_contrastive(fixtures: Fixtures) -> Iterator[Row]:
    """Whole losses from projected features, and the InfoNCE part alone."""
    facts = fixtures.facts("contrastive")
    for case, expected in fixtures.expected("contrastive").cases():
        if "anchors" in expected.numbers:
            yield from _check_pairs(facts[case], expected)
        elif "predictions" in expected.numbers:
            yield from _check_binary(facts[case], expected)
        else:
            yield from _check_whole(facts[case], expected)


def _check_pairs(facts: Mapping[str, Any], expected: Expected) -> Iterator[Row]:
    own = expected.numbers
    inputs = leaves(own, ("anchors", "contrast"))
    loss = audio_con_loss(
        inputs["anchors"],
        own["anchor_labels"].flatten(),
        inputs["contrast"],
        own["contrast_labels"].flatten(),
        temperature=facts["temperature"],
        repel_audio=True,
        reduction="all_anchors",
    )
    yield expected.row("loss", loss)
    yield from expected.gradients(loss, inputs)


def _check_binary(facts: Mapping[str, Any], expected: Expected) -> Iterator[Row]:
    """Predictions in {0, 1}, which alone can agree with the mask and so be easy."""
    own = expected.numbers
    inputs = leaves(own, ("visual", "audio"))
    visual = inputs["visual"].flatten(3).transpose(2, 3).unbind(1)  # a level: (T, N, D)
    clip = (visual, inputs["audio"].unbind(1), own["predictions"].float(), own["masks"])
    loss = released_audio_con(*clip)
    yield expected.row("loss", loss)
    yield from expected.gradients(loss, inputs)
    yield from _repaired(facts, expected, released_audio_con(*clip, labels="own"))


def _check_whole(facts: Mapping[str, Any], expected: Expected) -> Iterator[Row]:
    own = expected.numbers
    inputs = leaves(own, (key for key in own if "_raw." in key and "grad" not in key))
    loss = _whole(facts, own, inputs)
    exact, gradients = expected.row("loss", loss), list(expected.gradients(loss, inputs))
    # A fixture without the loss shows by its gradients whether the same pixels were drawn.
    shown = gradients if exact is NOT_GIVEN else [exact]
    if facts["independent_of_sampling"] or all(row.passed for row in shown):
        yield from (exact, *gradients)
    else:
        # Another version of torch draws other permutations from the same seed.
        mean, deviation = facts.get("mean_over_20_seeds"), facts.get("std_over_20_seeds", 0.0)
        yield expected.told("loss (mean over seeds)", loss, mean, DEVIATIONS * deviation)
    yield from _repaired(facts, expected, _whole(facts, own, inputs, labels="own"))


def _repaired(facts: Mapping[str, Any], expected: Expected, loss: Tensor) -> Iterator[Row]:
    """The loss with pixels' own labels, where the fixture has it."""
    key = "loss_if_labels_were_correct"
    yield expected.told(key, loss, facts.get(key))


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


def check_mask_loss(fixtures: Fixtures) -> Iterator[Row]:
    """Every term and its gradients."""
    facts = fixtures.facts("training_loss")
    for case, expected in fixtures.expected("training_loss").cases():
        yield from _check_terms(facts[case], expected)


def _check_terms(facts: Mapping[str, Any], expected: Expected) -> Iterator[Row]:
    inputs = leaves(expected.numbers, MASK_INPUTS)
    # The fixture is (T, B, ...): its objects are our clips.
    logits, ious, scores = (inputs[key].transpose(0, 1) for key in MASK_INPUTS)
    masks = expected.numbers["targets"].transpose(0, 1).float()
    weights = facts["weights"]
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
    scale = len(masks) / float(facts["num_objects"])
    for key, term in terms.items():
        yield expected.row(key, term * scale / weights[key])
    total = sum(terms.values(), torch.zeros(())) * scale
    yield expected.row("core_loss", total)
    yield from expected.gradients(total, inputs)
