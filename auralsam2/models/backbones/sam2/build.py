"""Build a SAM2 of a given size from the official configuration files, or its mask decoder alone."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from typing import Any

import torch
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from sam2.modeling.sam.mask_decoder import MaskDecoder
from torch import Tensor

from auralsam2.models.backbones.sam2.injection import InjectableTwoWayTransformer
from auralsam2.models.backbones.sam2.network import PromptableSAM2
from auralsam2.models.backbones.sam2.positions import SharedPositions
from auralsam2.models.backbones.sam2.sizes import SIZE_MULTIPLE, SIZES, VERSIONS, Size


def official_config(size: Size, version: str) -> DictConfig:
    """The ``model`` node of the official configuration file of this size and version."""
    folder, stem = ("sam2", "sam2_hiera") if version == "2.0" else ("sam2.1", "sam2.1_hiera")
    file = resources.files("sam2") / "configs" / folder / f"{stem}_{size.letter}.yaml"
    loaded = OmegaConf.create(file.read_text(encoding="utf-8"))
    assert isinstance(loaded, DictConfig)
    return loaded.model


def build_sam2(
    size: str,
    version: str = "2.1",
    image_size: int | None = None,
    overrides: Mapping[str, Any] | None = None,
) -> PromptableSAM2:
    """A SAM2 with random weights.

    Args:
        size: one of ``SIZES``.
        version: ``2.0`` or ``2.1``, the generation of the published checkpoint.
        image_size: S in pixels; default: as the published weights were trained.
        overrides: dotted path in the official model configuration -> value.

    Raises:
        ValueError: on an unknown size or version or an image size that does not divide.
    """
    problems = []
    if size not in SIZES:
        problems.append(f"unknown size {size!r}; known: {', '.join(SIZES)}")
    if version not in VERSIONS:
        problems.append(f"unknown version {version!r}; known: {', '.join(VERSIONS)}")
    if image_size is not None and (image_size <= 0 or image_size % SIZE_MULTIPLE):
        problems.append(f"image_size must be a multiple of {SIZE_MULTIPLE}, got {image_size}")
    if problems:
        raise ValueError("SAM2: " + "; ".join(problems))
    spec = SIZES[size]
    config = official_config(spec, version)
    side = image_size or spec.image_size
    for path, value in {**spec.overrides, **_settings(side), **(overrides or {})}.items():
        OmegaConf.update(config, path, value, force_add=True)
    model = instantiate(config, _recursive_=True)
    assert isinstance(model, PromptableSAM2)
    return model


def _settings(image_size: int) -> dict[str, Any]:
    grid = [image_size // 16] * 2
    positions = f"{SharedPositions.__module__}.{SharedPositions.__qualname__}"
    return {
        "_target_": f"{PromptableSAM2.__module__}.{PromptableSAM2.__qualname__}",
        "image_encoder.neck.position_encoding._target_": positions,
        "memory_encoder.position_encoding._target_": positions,
        "image_size": image_size,
        # The rotary tables are otherwise built for 1024 px and rebuilt at the first call.
        "memory_attention.layer.self_attention.feat_sizes": grid,
        "memory_attention.layer.cross_attention.feat_sizes": grid,
        # As the official video predictor: masks that prompts produced enter memory as 0/1.
        "binarize_mask_from_pts_for_mem_enc": True,
    }


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
