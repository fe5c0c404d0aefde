"""Build a SAM2 of a given size from the configuration files of the official package."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from typing import Any

from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from auralsam2.models.backbones.sam2.network import PromptableSAM2
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
        size: one of ``mini``, ``tiny``, ``small``, ``base_plus``, ``large``.
        version: ``2.0`` or ``2.1``, the generation of the published checkpoint.
        image_size: side of the square input in pixels, a multiple of 32; default: the size the
            published weights were trained with.
        overrides: dotted path in the official model configuration -> value, for a SAM2 of a size
            of its own.

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
    return {
        "_target_": f"{PromptableSAM2.__module__}.{PromptableSAM2.__qualname__}",
        "image_size": image_size,
        # The rotary tables are otherwise built for 1024 px and rebuilt at the first call.
        "memory_attention.layer.self_attention.feat_sizes": grid,
        "memory_attention.layer.cross_attention.feat_sizes": grid,
        # As the official video predictor: masks that prompts produced enter memory as 0/1.
        "binarize_mask_from_pts_for_mem_enc": True,
    }
