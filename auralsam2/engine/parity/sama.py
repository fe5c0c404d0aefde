"""SAMA-AVS: the sound in front of every block of SAM's encoder, and the loss."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from auralsam2.engine.parity.compare import Row, leaves, watched
from auralsam2.engine.parity.fixtures import Expected
from auralsam2.engine.parity.sam_encoder import sam_encoder
from auralsam2.losses.binary_mask import BinaryMaskLoss
from auralsam2.models.methods.sama_avs import AudioAdapters
from auralsam2.structures import Prediction

GENERATOR, OWN, SHARED = "prompt_generator", "lightweight_mlp_{}.0", "shared_mlp"


def check_sama_encoder(expected: Expected) -> Iterator[Row]:
    """What is added, tokens around every block, features and gradients."""
    config = expected.facts["config"]
    encoder: Any = sam_encoder(config, expected.weights)
    blocks, width = list(encoder.layers), config["embed_dim"]
    given = leaves(expected.numbers, ("audio",))
    hidden, channels = expected.weights[f"{GENERATOR}.{OWN.format(0)}.weight"].shape
    adapters = AudioAdapters(blocks, [width] * len(blocks), channels, hidden)
    names = {f"own.{i}": OWN.format(i) for i in range(len(blocks))}
    names[f"shared.{width}"] = SHARED
    theirs = {
        name: f"{GENERATOR}.{names[name.rpartition('.')[0]]}.{name.rpartition('.')[2]}"
        for name in adapters.state_dict()
    }
    adapters.load_state_dict({ours: expected.weights[key] for ours, key in theirs.items()})
    entered, left = watched({str(index): block for index, block in enumerate(blocks)})
    with adapters.hearing(given["audio"]):
        features = encoder(expected.numbers["images"]).last_hidden_state
    for index in range(len(blocks)):
        yield expected.row(f"prompt.{index}", adapters(given["audio"], index))
        yield expected.row(f"block_in.{index}", entered[str(index)][0])
        yield expected.row(f"block_out.{index}", left[str(index)])
    yield from expected.probe({"features": features}, given)
    yield from expected.norms({theirs[key]: value for key, value in adapters.named_parameters()})


def check_sama_loss(expected: Expected) -> Iterator[Row]:
    """Both terms and the gradient; a fixture's frames as clips of one frame."""
    given = leaves(expected.numbers, ("logits",))
    best, targets = given["logits"], expected.numbers["targets"].float()
    nothing = best.detach()[:, :, 0, :1]
    prediction = Prediction(best[:, :, None], nothing, nothing, best)
    known = torch.ones(best.shape[:2], dtype=torch.bool)
    terms = BinaryMaskLoss(iou_weight=1.0)(prediction, targets, known)
    total = terms["loss_mask"] + terms["loss_iou"]
    yield from expected.all_told(
        {"bce": terms["loss_mask"], "iou": terms["loss_iou"], "total": total}
    )
    total.backward()
    assert best.grad is not None
    yield expected.row("grad_logits", best.grad)
