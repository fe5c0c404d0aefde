"""The tracker of SAM 3 (Carion et al. 2025): a ViT at 1008 px, whose grid has 72 x 72 positions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from auralsam2.models.backbones.hooked.backbone import (
    MINI_CHANNELS,
    MINI_DECODER,
    MINI_MEMORY,
    HookedBackbone,
)
from auralsam2.models.backbones.hooked.video import HookedVideo
from auralsam2.registry import BACKBONES
from auralsam2.weight_files import SAM3

HALF = (127.5,) * 3


@BACKBONES.register_module()
class SAM3Backbone(HookedBackbone):
    """What SAM 3 tracks with, through transformers; its detector is not read.

    Args:
        **shared: see :class:`HookedBackbone`; ``checkpoint`` is a folder of SAM 3 as a whole or of
            its tracker.
    """

    size_multiple = 14
    pixel_statistics = HALF, HALF
    published, model_class = SAM3, "Sam3TrackerVideoModel"
    config_class, network_class = "Sam3TrackerVideoConfig", HookedVideo
    # A grid of 9 x 9 at 126 px, so that a side that is no power of two is what one tries with.
    mini = dict(
        MINI_MEMORY,
        vision_config=dict(
            model_type="sam3_vision_model",
            fpn_hidden_size=MINI_CHANNELS,
            backbone_config=dict(
                model_type="sam3_vit_model",
                hidden_size=64,
                intermediate_size=128,
                num_hidden_layers=4,
                num_attention_heads=2,
                window_size=3,
                global_attn_indexes=[1, 3],
                pretrain_image_size=42,
            ),
        ),
        prompt_encoder_config=dict(hidden_size=MINI_CHANNELS),
        mask_decoder_config=MINI_DECODER,
        memory_attention_feed_forward_hidden_size=256,
        image_size=126,
    )

    def _read_config(self, source: Any, folder: Path) -> Any:
        config = super()._read_config(source, folder)
        tracker = getattr(config, "tracker_config", None)  # of a folder of SAM 3 as a whole
        return config if tracker is None else source(**tracker)

    def _resize(self, config: Any, side: int) -> None:
        config.image_size = side  # transformers sets its parts
