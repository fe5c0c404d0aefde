"""One map a frame in the form of SAM2's answers."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from auralsam2.class_maps import predicted_classes
from auralsam2.models.decode import DECODE_MODES
from auralsam2.models.methods.base import ClipBatch, ClipMethod
from auralsam2.models.one_mask import as_prediction, class_prediction
from auralsam2.structures import Prediction

B, T, K, S = 2, 3, 4, 8


class Classifier(ClipMethod):
    """Classes of a frame by its colours."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.head = nn.Conv2d(3, K, 1)

    def predict_clip(self, batch: ClipBatch) -> Prediction:
        """Classes at half the side of the frames."""
        logits = self.head(self.normalise(batch.frames.flatten(0, 1)))[..., ::2, ::2]
        return class_prediction(logits.unflatten(0, batch.frames.shape[:2]))


def batch(**changes: Any) -> dict[str, Any]:
    generator = torch.Generator().manual_seed(0)

    def numbers(highest: int, *shape: int) -> Tensor:
        return torch.randint(0, highest, shape, generator=generator, dtype=torch.uint8)

    semantic = numbers(K, B, T, S, S)
    items = dict(
        frames=numbers(255, B, T, 3, S, S),
        log_mel=torch.zeros(B, T, 2, 96, 64),
        masks=(semantic > 0).byte(),
        supervised=torch.ones(B, T, dtype=torch.bool),
        clip=["a", "b"],
        semantic=semantic,
        native_masks=[numbers(2, T, 5, 7), numbers(2, T, 6, 4)],
        native_semantic=[numbers(K, T, 5, 7), numbers(K, T, 6, 4)],
    )
    return {**items, **changes}


def test_what_is_said_besides_the_mask() -> None:
    logits = torch.full((1, 3, 2, 2), -8.0)
    logits[0, 0, 0] = 8  # sure of half of the frame
    logits[0, 1, 0] = 0.1  # hardly so
    out = as_prediction(logits.requires_grad_())
    assert out.mask_logits.shape == (1, 3, 3, 2, 2) and out.ious.shape == (1, 3, 3)
    assert out.ious[0, :, 0].tolist() == pytest.approx([0.999, 0.525, 0.0], abs=2e-3)
    assert (out.object_score_logits[0, :, 0] > 0).tolist() == [True, True, False]
    assert not out.ious.requires_grad and out.best.requires_grad
    for decode in DECODE_MODES.values():
        assert torch.equal(decode(out) > 0, logits > 0), "all modes agree on the mask"


def test_classes_reach_whoever_reads_masks_and_whoever_reads_classes() -> None:
    model, data = Classifier(mask_loss=dict(type="SemanticMaskLoss")), batch()
    prediction = model(**data, mode="tensor")
    assert torch.equal(prediction.best > 0, prediction.class_logits.argmax(dim=2) > 0)
    for i, result in enumerate(model(**data, mode="predict")):
        assert result["semantic"] is data["native_semantic"][i]
        size = data["native_masks"][i].shape[-2:]
        assert torch.equal(result["class_logits"], prediction.class_logits[i])
        assert torch.equal(
            result["predicted_classes"], predicted_classes(prediction.class_logits[i], size)
        )
        assert result["mask_logits"].shape == result["predicted_classes"].shape == (T, *size)
    del data["native_semantic"], data["native_masks"]
    assert torch.equal(model(**data, mode="predict")[1]["semantic"], data["semantic"][1])
    data["semantic"] = None
    assert "semantic" not in model(**data, mode="predict")[1]


def test_the_loss_of_classes_reads_classes() -> None:
    model, data = Classifier(mask_loss=dict(type="SemanticMaskLoss", loss_size=4)), batch()
    other = {**data, "masks": 1 - data["masks"]}
    assert torch.equal(model(**data)["loss_mask"], model(**other)["loss_mask"])
    model(**data)["loss_mask"].backward()
    assert model.head.weight.grad is not None and model.head.weight.grad.any()
    with pytest.raises(ValueError, match=r"compares classes.*data\.train\.semantic to True"):
        model(**{**data, "semantic": None})
    masks = Classifier(mask_loss=dict(type="BinaryMaskLoss"))
    assert not torch.equal(masks(**data)["loss_mask"], masks(**other)["loss_mask"])
