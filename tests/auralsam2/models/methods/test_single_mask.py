"""One mask of every frame, as the official decoder gives its first."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F

from auralsam2.models.methods.single_mask import SingleMaskSAM2
from auralsam2.structures import Prediction

MINI = dict(type="SAM2Backbone", checkpoint="builtin://sam2-mini")


class Asked(SingleMaskSAM2):
    """Answers for given tokens."""

    tokens: torch.Tensor | None = None

    def predict_clip(self, batch: Any) -> Prediction:
        return self.masks_of_frames(self.encode(batch.frames), self.tokens)


@pytest.fixture(scope="module")
def model() -> Asked:
    return Asked(
        backbone=MINI, image_size=64, mask_loss=dict(type="BinaryMaskLoss", loss_size="native")
    ).eval()


@torch.no_grad()
def test_it_is_the_first_mask_of_the_official_decoder(model: Asked, clips: dict[str, Any]) -> None:
    model.tokens = torch.randn(2, 2, 3, 128)
    out = model(**clips, mode="tensor")
    network = model.backbone.network
    frame = model.normalise(clips["frames"][1, :1])
    backbone = network.forward_image(frame)
    _, features, _, _ = network._prepare_backbone_features(backbone)
    features[-1] = features[-1] + network.no_mem_embed  # as the official image predictor does
    maps = [f.permute(1, 2, 0).reshape(1, -1, s, s) for f, s in zip(features, (16, 8, 4))]
    _, dense = network.sam_prompt_encoder(points=None, boxes=None, masks=None)
    masks, ious, _, score = network.sam_mask_decoder.predict_masks(
        maps[2],
        network.sam_prompt_encoder.get_dense_pe(),
        model.tokens[1, :1],
        dense,
        False,
        maps[:2],
    )
    torch.testing.assert_close(out.best[1, 0], masks[0, 0], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(out.ious[1, 0], ious[0, :1].expand(3))
    torch.testing.assert_close(out.object_score_logits[1, 0], score[0])
    assert torch.equal(out.mask_logits, out.best[:, :, None].expand(-1, -1, 3, -1, -1))


def test_without_tokens_there_is_no_padding_point(model: Asked, clips: dict[str, Any]) -> None:
    seen = []
    transformer = model.backbone.network.sam_mask_decoder.transformer
    handle = transformer.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[2].shape))
    model.tokens = None
    with handle, torch.no_grad():
        model(**clips, mode="tensor")
    assert seen == [(4, 6, 128)], "object score, IoU and four masks, all frames at once"
    rows = model.decoder_rows(clips["masks"])
    assert [(row.clip, row.frame) for row in rows[0]] == [(0, 0), (0, 1), (1, 0), (1, 1)]


def test_the_loss_reads_truth_of_its_own_size(model: Asked, clips: dict[str, Any]) -> None:
    model.tokens = None
    truth = [torch.ones(2, 20, 40, dtype=torch.uint8), torch.zeros(2, 16, 16, dtype=torch.uint8)]
    with torch.no_grad():
        out = model(**clips, native_masks=truth)["loss_mask"]
        best = model(**clips, mode="tensor").best
    wide = F.interpolate(best[:1], size=(20, 40), mode="bilinear", align_corners=False)[0]
    terms = F.softplus(-wide).mean() + F.softplus(best[1]).mean()
    torch.testing.assert_close(out, terms / 2)
