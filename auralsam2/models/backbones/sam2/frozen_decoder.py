"""The frozen mask decoder with its enlarging as two products and finer maps laid out once a clip.

The numbers are those of the official one up to rounding. Axes: R rows, K tokens, C channels, E side
of the image embedding, N = E * E.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from sam2.modeling.sam.mask_decoder import MaskDecoder
from sam2.modeling.sam.prompt_encoder import PromptEncoder
from torch import Tensor, nn
from torch.nn import functional as F

from auralsam2.models.linear import linear

NUM_MASKS = 3
"""Of the multimask output."""


class DecoderConstants(NamedTuple):
    """Made of the decoder's weights."""

    output_tokens: Tensor  # (6, C)
    # Of the transposed convolutions: weight (C', 4 C'') whose columns are (dy, dx, channel), bias.
    coarse_up: tuple[Tensor, Tensor]
    fine_up: tuple[Tensor, Tensor]


def decoder_constants(decoder: nn.Module) -> DecoderConstants:
    """Constants of an official decoder with object scores and fine features."""
    assert isinstance(decoder, MaskDecoder)
    tokens = (decoder.obj_score_token, decoder.iou_token, decoder.mask_tokens)
    convolutions = [part for part in decoder.output_upscaling if hasattr(part, "stride")]
    return DecoderConstants(
        torch.cat([token.weight for token in tokens]), *(_as_product(c) for c in convolutions)
    )


def _as_product(convolution: nn.ConvTranspose2d) -> tuple[Tensor, Tensor]:
    weight = convolution.weight.permute(0, 2, 3, 1).flatten(1).contiguous()
    return weight, convolution.bias.repeat(4)  # type: ignore[union-attr]


def can_decode(decoder: MaskDecoder) -> bool:
    """Whether a decoder's settings are those of the published ones, for which this is written."""
    return (
        decoder.pred_obj_scores
        and decoder.use_high_res_features
        and decoder.num_mask_tokens == NUM_MASKS + 1
    )


class FineFeatures(NamedTuple):
    """Finer maps of rows in the order in which the decoder enlarges, biases of it included."""

    coarse: Tensor  # (R, N, 4 C / 4), columns (dy, dx, channel)
    fine: Tensor  # (R, 4 N, 4 C / 8), rows (position, dy, dx), columns likewise


class FrozenDecoder:
    """The three multimask outputs of any rows.

    Args:
        decoder: the official one, untouched.
        constants: of it.
        encoder: the official prompt encoder, which is not asked for anything.
    """

    def __init__(
        self, decoder: MaskDecoder, constants: DecoderConstants, encoder: PromptEncoder
    ) -> None:
        self.decoder, self.constants = decoder, constants
        with torch.no_grad():
            self.position = encoder.get_dense_pe()  # (1, C, E, E)
        self.no_mask = encoder.no_mask_embed.weight

    @torch.no_grad()
    def features(self, fine: Tensor, middle: Tensor) -> FineFeatures:
        """From (R, C / 8, 4E, 4E) and (R, C / 4, 2E, 2E)."""
        e = middle.shape[-1] // 2
        coarse = middle.unflatten(3, (e, 2)).unflatten(2, (e, 2))  # (R, c, y, dy, x, dx)
        coarse = coarse.permute(0, 2, 4, 3, 5, 1).flatten(3).flatten(1, 2)
        # (R, c, y, dy, ddy, x, dx, ddx)
        last = fine.unflatten(3, (e, 2, 2)).unflatten(2, (e, 2, 2))
        last = last.permute(0, 2, 5, 3, 6, 4, 7, 1).flatten(5).flatten(1, 4)
        constants = self.constants
        return FineFeatures(coarse + constants.coarse_up[1], last + constants.fine_up[1])

    def __call__(
        self, image: Tensor, features: FineFeatures, extra_tokens: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Decode rows.

        Args:
            image: (R, N, C) conditioned on memory.
            features: of the same rows.
            extra_tokens: (R, K', C).

        Returns:
            Logits (R, 3, 4E, 4E), IoUs (R, 3), their tokens (R, 3, C), object score (R, 1).
        """
        decoder, constants = self.decoder, self.constants
        tokens = constants.output_tokens.expand(len(image), -1, -1)
        if extra_tokens is not None:
            tokens = torch.cat([tokens, extra_tokens.to(tokens.dtype)], dim=1)
        maps = (image + self.no_mask).transpose(1, 2).unflatten(2, self.position.shape[2:])
        tokens, image = decoder.transformer(maps, self.position, tokens)
        ious = decoder.iou_prediction_head(tokens[:, 1])[:, 1:]
        score = decoder.pred_obj_score_head(tokens[:, 0])
        chosen = tokens[:, 3:6]
        return _masks(decoder, constants, image, features, chosen), ious, chosen, score


def _masks(
    decoder: MaskDecoder,
    constants: DecoderConstants,
    image: Tensor,
    features: FineFeatures,
    tokens: Tensor,
) -> Tensor:
    """Enlarge the image twice, (R, N, C) to (R, 16 N, C / 8), and multiply by each mask's token."""
    rows, positions = image.shape[:2]
    _, norm, act, _, last_act = decoder.output_upscaling
    up = features.coarse + linear(image, constants.coarse_up[0].t())
    up = up.view(rows, 4 * positions, -1)
    up = act(F.layer_norm(up, up.shape[-1:], norm.weight, norm.bias, norm.eps))
    up = features.fine + linear(up, constants.fine_up[0].t())
    up = last_act(up).view(rows, 16 * positions, -1)
    mlps = decoder.output_hypernetworks_mlps[1:]  # the single mask is not asked for
    hyper = torch.stack([mlp(token) for mlp, token in zip(mlps, tokens.unbind(1), strict=True)], 1)
    masks = torch.bmm(hyper, up.transpose(1, 2))  # (R, 3, 16 N)
    e = round(positions**0.5)
    masks = masks.unflatten(2, (e, e, 2, 2, 2, 2)).permute(0, 1, 2, 4, 6, 3, 5, 7)
    return masks.reshape(rows, -1, 4 * e, 4 * e)
