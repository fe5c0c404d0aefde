"""SAM (Kirillov et al. 2023): a plain ViT for images, without memory and without finer maps."""

from __future__ import annotations

from typing import Any

from auralsam2.models.backbones.hooked.backbone import MINI_CHANNELS, MINI_DECODER, HookedBackbone
from auralsam2.models.backbones.hooked.images import HookedImages
from auralsam2.registry import BACKBONES
from auralsam2.weight_files import SAM

PATCH = 16


@BACKBONES.register_module()
class SAMBackbone(HookedBackbone):
    """SAM through transformers; ``model.tracker.use_memory`` is False and the pyramid one level.

    Its positions are learned for one side of the input, which a checkpoint fixes.

    Args:
        **shared: see :class:`HookedBackbone`.
    """

    size_multiple, has_memory, num_levels = PATCH, False, 1
    published, model_class, config_class = SAM, "SamModel", "SamConfig"
    network_class = HookedImages
    mini = dict(
        vision_config=dict(
            hidden_size=64,
            output_channels=MINI_CHANNELS,
            num_hidden_layers=4,
            num_attention_heads=2,
            window_size=3,
            global_attn_indexes=[1, 3],
            num_pos_feats=MINI_CHANNELS // 2,
            mlp_dim=128,
            image_size=128,
            # Of the published config's 1e-10 nothing would be seen through random weights.
            initializer_range=0.02,
        ),
        prompt_encoder_config=dict(hidden_size=MINI_CHANNELS, image_size=128),
        mask_decoder_config=MINI_DECODER,
    )

    def _resize(self, config: Any, side: int) -> None:
        prompts = config.prompt_encoder_config
        config.vision_config.image_size = prompts.image_size = side
        prompts.image_embedding_size = side // PATCH

    def _refit(self, config: Any, side: int) -> None:
        raise ValueError(
            f"SAMBackbone: image_size must be {self._side(config)}, for which the positions of "
            f"this checkpoint are learned, got {side}: set `data.image_size` to it"
        )
