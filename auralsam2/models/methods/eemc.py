"""EEMC on SAM2: multimodal cues of sound, expression and sight as prompt tokens of the decoder."""

from __future__ import annotations

from typing import Any

import torch.nn.functional as F
from torch import Tensor

from auralsam2.messages import too_small
from auralsam2.models.methods.base import ClipBatch, Node
from auralsam2.models.methods.eemc_cues import CuedMethod
from auralsam2.models.methods.single_mask import SingleMaskSAM2
from auralsam2.registry import MODELS
from auralsam2.structures import Prediction


@MODELS.register_module()
class EEMC(CuedMethod, SingleMaskSAM2):
    """EEMC (Ref-AVS, Wang et al., ECCV 2024) with a frozen SAM2 in the place of Mask2Former.

    All prompt tokens of a frame stand behind the decoder's output tokens, where clicks and boxes
    stand; the mask is that of mask token 0. Mask2Former's queries and pixel decoder, for which
    the release trains an attention and adapters, are not there: see :class:`EEMCMask2Former`.

    Args:
        backbone: node of ``BACKBONES``.
        audio_encoder: node of ``AUDIO_ENCODERS``.
        text_encoder: node of ``TEXT_ENCODERS``.
        map_size: side to which the coarsest map of a frame is averaged; 12 as released.
        **shared: see :class:`CuedMethod` and :class:`SingleMaskSAM2`.
    """

    def __init__(
        self,
        backbone: Node,
        audio_encoder: Node,
        text_encoder: Node,
        map_size: int = 12,
        **shared: Any,
    ) -> None:
        if problems := too_small(map_size=(map_size, 1)):
            raise ValueError(f"EEMC: {problems[0]}")
        encoders = {"audio_encoder": audio_encoder, "text_encoder": text_encoder}
        super().__init__(backbone=backbone, **encoders, **shared)
        self.cues = self.build_cues(self.backbone.channels, self.backbone.channels)
        self.map_size = map_size

    def predict_clip(self, batch: ClipBatch) -> Prediction:
        """One mask a frame."""
        pyramid = self.encode(batch.frames)
        return self.masks_of_frames(pyramid, self.prompts(self._small(pyramid.levels[-1]), batch))

    def _small(self, maps: Tensor) -> Tensor:
        """(B, T, C, E, E) -> (B, T, C, map_size, map_size)."""
        small = F.adaptive_avg_pool2d(maps.flatten(0, 1), self.map_size)
        return small.unflatten(0, maps.shape[:2])
