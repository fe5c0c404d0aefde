"""The frozen mask decoder as a few large products: the numbers of the official one up to rounding.

Axes: R rows, K tokens, C channels, E side of the image embedding, N = E * E.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from sam2.modeling.sam.mask_decoder import MaskDecoder
from sam2.modeling.sam.prompt_encoder import PromptEncoder
from sam2.modeling.sam.transformer import Attention, TwoWayAttentionBlock
from torch import Tensor, nn
from torch.nn import functional as F

from auralsam2.models.backbones.sam2.few_tokens import head_masks, read_image, write_image
from auralsam2.models.backbones.sam2.injection import InjectableTwoWayTransformer
from auralsam2.models.linear import linear

NUM_MASKS = 3
"""Of the multimask output."""


class DecoderConstants(NamedTuple):
    """Made of the decoder's weights."""

    output_tokens: Tensor  # (6, C)
    masks: Tensor  # (H, c) of the attentions between tokens and image
    qkv: list[tuple[Tensor, Tensor]]  # weight (3 C, C) and bias of the tokens' self-attentions
    # Of the transposed convolutions: weight (C', 4 C'') whose columns are (dy, dx, channel), bias.
    coarse_up: tuple[Tensor, Tensor]
    fine_up: tuple[Tensor, Tensor]
    hyper: list[tuple[Tensor, Tensor]]  # weights (3, C, C'), biases (3, 1, C') of a layer


def decoder_constants(decoder: nn.Module) -> DecoderConstants:
    """Constants of an official decoder with object scores and fine features."""
    assert isinstance(decoder, MaskDecoder)
    transformer = decoder.transformer
    tokens = (decoder.obj_score_token, decoder.iou_token, decoder.mask_tokens)
    convolutions = [part for part in decoder.output_upscaling if hasattr(part, "stride")]
    mlps = decoder.output_hypernetworks_mlps[1:]  # the single mask is not asked for
    layers = zip(*(mlp.layers for mlp in mlps), strict=True)
    return DecoderConstants(
        output_tokens=torch.cat([t.weight for t in tokens]),
        masks=head_masks(transformer.final_attn_token_to_image, decoder.iou_token.weight),
        qkv=[_joined(block.self_attn) for block in transformer.layers],
        coarse_up=_as_product(convolutions[0]),
        fine_up=_as_product(convolutions[1]),
        hyper=[
            (
                torch.stack([one.weight.t() for one in layer]),
                torch.stack([one.bias[None] for one in layer]),
            )
            for layer in layers
        ],
    )


def _joined(attention: Attention) -> tuple[Tensor, Tensor]:
    parts = (attention.q_proj, attention.k_proj, attention.v_proj)
    return torch.cat([p.weight for p in parts]), torch.cat([p.bias for p in parts])


def _as_product(convolution: nn.ConvTranspose2d) -> tuple[Tensor, Tensor]:
    weight = convolution.weight.permute(0, 2, 3, 1).flatten(1).contiguous()
    return weight, convolution.bias.repeat(4)  # type: ignore[union-attr]


def can_decode(decoder: MaskDecoder) -> bool:
    """Whether a decoder's settings are those of the published ones, for which this is written."""
    return (
        isinstance(decoder.transformer, InjectableTwoWayTransformer)
        and decoder.pred_obj_scores
        and decoder.use_high_res_features
        and decoder.num_mask_tokens == NUM_MASKS + 1
    )


class FineFeatures(NamedTuple):
    """Finer maps of rows in the order in which the decoder enlarges, biases of it included."""

    coarse: Tensor  # (R, N, 4 C / 4), columns (dy, dx, channel)
    fine: Tensor  # (R, 4 N, 4 C / 8), rows (position, dy, dx), columns likewise


def _fine_features(constants: DecoderConstants, fine: Tensor, middle: Tensor) -> FineFeatures:
    e = middle.shape[-1] // 2
    coarse = middle.unflatten(3, (e, 2)).unflatten(2, (e, 2))  # (R, c, y, dy, x, dx)
    coarse = coarse.permute(0, 2, 4, 3, 5, 1).flatten(3).flatten(1, 2)
    last = fine.unflatten(3, (e, 2, 2)).unflatten(2, (e, 2, 2))  # (R, c, y, dy, ddy, x, dx, ddx)
    last = last.permute(0, 2, 5, 3, 6, 4, 7, 1).flatten(5).flatten(1, 4)
    return FineFeatures(coarse + constants.coarse_up[1], last + constants.fine_up[1])


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
            self.position = encoder.get_dense_pe()[0].flatten(1).t().contiguous()  # (N, C)
        self.no_mask = encoder.no_mask_embed.weight

    @torch.no_grad()
    def features(self, fine: Tensor, middle: Tensor) -> FineFeatures:
        """From (R, C / 8, 4E, 4E) and (R, C / 4, 2E, 2E)."""
        return _fine_features(self.constants, fine, middle)

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
        image = image + self.no_mask
        tokens, image = _two_ways(decoder.transformer, constants, image, self.position, tokens)
        ious = decoder.iou_prediction_head(tokens[:, 1])[:, 1:]
        score = decoder.pred_obj_score_head(tokens[:, 0])
        chosen = tokens[:, 3:6]
        return _masks(decoder, constants, image, features, chosen), ious, chosen, score


def _two_ways(
    transformer: InjectableTwoWayTransformer,
    constants: DecoderConstants,
    image: Tensor,
    position: Tensor,
    tokens: Tensor,
) -> tuple[Tensor, Tensor]:
    """As ``InjectableTwoWayTransformer.forward`` with what it injects."""
    code, queries, sites = tokens, tokens, len(transformer.layers)
    for site, block in enumerate(transformer.layers):
        queries, image = transformer._inject(site, queries, image)
        if site == 0 and transformer.injection is not None:
            code = transformer.injection.token_position(tokens, queries)
        queries, image = _block(
            block, constants, constants.qkv[site], queries, image, code, position
        )
    queries, image = transformer._inject(sites, queries, image)
    final = transformer.final_attn_token_to_image
    read = read_image(final, constants.masks, queries + code, image + position, image)
    return _norm(transformer.norm_final_attn, queries + read), image


def _block(
    block: TwoWayAttentionBlock,
    constants: DecoderConstants,
    qkv: tuple[Tensor, Tensor],
    queries: Tensor,
    image: Tensor,
    code: Tensor,
    position: Tensor,
) -> tuple[Tensor, Tensor]:
    own = _self_attention(block, qkv, queries, code)
    queries = _norm(block.norm1, own if block.skip_first_layer_pe else queries + own)
    placed, masks = image + position, constants.masks
    attention = block.cross_attn_token_to_image
    queries = _norm(
        block.norm2, queries + read_image(attention, masks, queries + code, placed, image)
    )
    inward, outward = block.mlp.layers
    hidden = block.mlp.act(linear(queries, inward.weight, inward.bias))
    queries = _norm(block.norm3, queries + linear(hidden, outward.weight, outward.bias))
    attention = block.cross_attn_image_to_token
    image = write_image(attention, masks, image, placed, queries + code, queries)
    return queries, _norm(block.norm4, image)


def _self_attention(
    block: TwoWayAttentionBlock, qkv: tuple[Tensor, Tensor], queries: Tensor, code: Tensor
) -> Tensor:
    weight, bias = qkv
    heads = block.self_attn.num_heads
    if block.skip_first_layer_pe:
        parts = F.linear(queries, weight, bias)
    else:
        cut = len(weight) // 3 * 2
        placed = F.linear(queries + code, weight[:cut], bias[:cut])
        parts = torch.cat([placed, F.linear(queries, weight[cut:], bias[cut:])], dim=-1)
    q, k, v = parts.unflatten(-1, (3, heads, -1)).permute(2, 0, 3, 1, 4)
    read = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
    out = block.self_attn.out_proj
    return F.linear(read, out.weight, out.bias)


def _norm(layer: nn.LayerNorm, x: Tensor) -> Tensor:
    return F.layer_norm(x, layer.normalized_shape, layer.weight, layer.bias, layer.eps)


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
    hyper = tokens.transpose(0, 1)  # (3, R, C)
    for index, (weight, bias) in enumerate(constants.hyper):
        hyper = torch.baddbmm(bias, hyper, weight)
        hyper = hyper.relu() if index + 1 < len(constants.hyper) else hyper
    masks = torch.bmm(hyper.transpose(0, 1), up.transpose(1, 2))  # (R, 3, 16 N)
    e = round(positions**0.5)
    masks = masks.unflatten(2, (e, e, 2, 2, 2, 2)).permute(0, 1, 2, 4, 6, 3, 5, 7)
    return masks.reshape(rows, -1, 4 * e, 4 * e)
