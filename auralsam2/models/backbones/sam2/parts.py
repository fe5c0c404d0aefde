"""Parts of a SAM2 on their own, from the official classes: for numbers known from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from sam2.modeling.sam.mask_decoder import MaskDecoder
from torch import Tensor

from auralsam2.models.backbones.sam2.injection import InjectableTwoWayTransformer


def build_mask_decoder(settings: Mapping[str, Any]) -> MaskDecoder:
    """The official mask decoder around our injectable transformer.

    Args:
        settings: ``transformer`` (depth, embedding_dim, num_heads, mlp_dim) and arguments of the
            official class under their own names; other entries are ignored.
    """
    known = (
        *("num_multimask_outputs", "iou_head_depth", "iou_head_hidden_dim"),
        *("use_high_res_features", "iou_prediction_use_sigmoid", "pred_obj_scores"),
        *("pred_obj_scores_mlp", "use_multimask_token_for_obj_ptr"),
    )
    transformer = InjectableTwoWayTransformer(**settings["transformer"])
    return MaskDecoder(
        transformer_dim=int(settings["transformer"]["embedding_dim"]),
        transformer=transformer,
        **{key: settings[key] for key in known if key in settings},
    )


def output_tokens(decoder: MaskDecoder, batch: int) -> Tensor:
    """(B, 6, C): object score, IoU and mask tokens, as the decoder orders them."""
    tokens = torch.cat(
        [decoder.obj_score_token.weight, decoder.iou_token.weight, decoder.mask_tokens.weight]
    )
    return tokens.unsqueeze(0).expand(batch, -1, -1)
