"""EdgeTAM (Zhou et al. 2025): SAM2's decoder and memory behind an image encoder for phones."""

from __future__ import annotations

from typing import Any

from auralsam2.models.backbones.hooked.backbone import (
    INSTALL,
    MINI_CHANNELS,
    MINI_DECODER,
    MINI_MEMORY,
    HookedBackbone,
)
from auralsam2.models.backbones.hooked.video import HookedEdgeTAM
from auralsam2.registry import BACKBONES
from auralsam2.weight_files import EDGETAM

SCALES = dict(in_chans=3, features_only=True, out_indices=[0, 1, 2, 3])


def _encoder(**arguments: Any) -> dict[str, Any]:
    """RepViT of timm; without a number of classes transformers cannot read its node."""
    kind = dict(model_type="timm_wrapper", architecture="repvit_m1", num_classes=2)
    return dict(kind, model_args=dict(SCALES, **arguments))


@BACKBONES.register_module()
class EdgeTAMBackbone(HookedBackbone):
    """EdgeTAM through transformers, its image encoder through timm.

    The side of the input is a multiple of 32, and its grid E divides into the windows of the
    resampled memory: with the published weights a multiple of 256.

    Args:
        **shared: see :class:`HookedBackbone`.
    """

    size_multiple = 32
    published, model_class, config_class = EDGETAM, "EdgeTamVideoModel", "EdgeTamVideoConfig"
    network_class = HookedEdgeTAM
    real = dict(vision_config=dict(model_type="edgetam_vision_model", backbone_config=_encoder()))
    mini = dict(
        MINI_MEMORY,
        vision_config=dict(
            model_type="edgetam_vision_model",
            fpn_hidden_size=MINI_CHANNELS,
            backbone_channel_list=[128, 64, 32, 16],
            backbone_config=_encoder(embed_dim=[16, 32, 64, 128], depth=[1, 1, 2, 1]),
        ),
        prompt_encoder_config=dict(hidden_size=MINI_CHANNELS, image_size=128),
        mask_decoder_config=MINI_DECODER,
        memory_attention_mlp_hidden_size=256,
        memory_attention_rope_k_sizes=[2, 2],
        perceiver_resampler_num_latents=8,
        perceiver_resampler_num_latents_2d=4,
        perceiver_resampler_mlp_intermediate_size=64,
    )

    def _check_libraries(self) -> None:
        super()._check_libraries()
        try:
            import timm  # noqa: F401
        except ImportError as error:
            raise ImportError(
                f"EdgeTAMBackbone needs timm for its image encoder: {INSTALL}"
            ) from error

    def _resize(self, config: Any, side: int) -> None:
        e, windows = side // 16, round(config.perceiver_resampler_num_latents_2d**0.5)
        if e % windows:
            raise ValueError(
                f"EdgeTAMBackbone: image_size must be a multiple of {16 * windows}, whose grid "
                f"divides into {windows} x {windows} windows of the memory, got {side}"
            )
        config.image_size = config.prompt_encoder_config.image_size = side
        config.vision_config.backbone_feature_sizes = [[k * e, k * e] for k in (4, 2, 1)]
        config.memory_attention_rope_feat_sizes = [e, e]
