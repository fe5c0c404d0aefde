"""Group f: SAM2's loss with the authors' weights."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from auralsam2.engine.parity.compare import GRADIENT, Row, compare
from auralsam2.engine.parity.fixtures import Fixtures, under
from auralsam2.registry import MASK_LOSSES
from auralsam2.structures import Prediction

NAME = "training_loss"
INPUTS = ("mask_logits", "ious", "object_score_logits")


def check_mask_loss(fixtures: Fixtures) -> Iterator[Row]:
    """Every term and its gradients."""
    facts, numbers = fixtures.facts(NAME), fixtures.tensors(NAME)
    for case in sorted({key.split(".")[0] for key in numbers}):
        yield from _check_case(case, facts[case], under(numbers, case))


def _check_case(case: str, facts: dict[str, Any], own: dict[str, Tensor]) -> Iterator[Row]:
    leaves = {key: own[key].clone().requires_grad_() for key in INPUTS}
    # The fixture is (T, B, ...): its objects are our clips.
    logits, ious, scores = (leaves[key].transpose(0, 1) for key in INPUTS)
    masks = own["targets"].transpose(0, 1).float()
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
        yield compare(NAME, f"{case}.{key}", term * scale / weights[key], own[f"{key}"])
    total = sum(terms.values(), torch.zeros(())) * scale
    yield compare(NAME, f"{case}.core_loss", total, own["core_loss"])
    total.backward()
    for key, leaf in leaves.items():
        if f"grad.{key}" in own:
            assert leaf.grad is not None
            yield compare(NAME, f"{case}.grad.{key}", leaf.grad, own[f"grad.{key}"], *GRADIENT)
