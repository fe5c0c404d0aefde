"""Audio and image fused pixel by pixel in front of SAM2's decoder, after the abstract of AV-SAM.

Axes: B clips, T frames, F = B T, C channels, E side of the image embedding, D width of the audio.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from auralsam2 import registry
from auralsam2.models.methods.base import ClipBatch, Node
from auralsam2.models.methods.single_mask import SingleMaskSAM2
from auralsam2.registry import MODELS
from auralsam2.shapes import check_shape
from auralsam2.structures import Prediction, VisualPyramid


class PixelFusion(nn.Module):
    """Every pixel meets the frame's sound: ``v + MLP(W_v v + W_a a)``, the same map everywhere.

    The last layer starts at zero: training begins with SAM2's own embedding.
    """

    def __init__(self, channels: int, audio_channels: int) -> None:
        super().__init__()
        self.visual = nn.Conv2d(channels, channels, 1)
        self.audio = nn.Linear(audio_channels, channels, bias=False)
        self.out = _zero(nn.Conv2d(channels, channels, 1))
        self.act = nn.GELU()

    def forward(self, features: Tensor, audio: Tensor) -> Tensor:
        """(F, C, E, E) and (F, D) -> (F, C, E, E)."""
        sizes = check_shape(features, "F C E E", name="image embedding")
        check_shape(audio, "F D", name="audio vectors", F=sizes["F"])
        update: Tensor = self.out(
            self.act(self.visual(features) + self.audio(audio)[..., None, None])
        )
        return features + update


def _zero(layer: nn.Conv2d) -> nn.Conv2d:
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


@MODELS.register_module()
class AVSAM(SingleMaskSAM2):
    """After the abstract of AV-SAM (Mo and Tian 2023, arXiv 2305.01836), whose code is not public.

    The abstract says: features of the audio and of the pre-trained image encoder are fused pixel by
    pixel, and the aggregated features go to the prompt encoder and to the mask decoder. Here the
    decoder reads them in the place of the image embedding, and the prompt encoder as a mask
    prompt, one linear map of every pixel. How AV-SAM itself does either is not known.

    Args:
        backbone: node of ``BACKBONES``.
        audio_encoder: node of ``AUDIO_ENCODERS``.
        mask_loss: node of ``MASK_LOSSES``.
        trained_parts: parts of the SAM2 that are trained beside the fusion.
        **shared: see :class:`SingleMaskSAM2`.
    """

    def __init__(
        self,
        backbone: Node,
        audio_encoder: Node,
        mask_loss: Node,
        trained_parts: Sequence[str] = ("sam_mask_decoder",),
        **shared: Any,
    ) -> None:
        shared |= {"mask_loss": mask_loss, "trained_parts": trained_parts}
        super().__init__(backbone=backbone, **shared)
        self.audio_encoder = registry.AUDIO_ENCODERS.build(audio_encoder)
        channels = self.backbone.channels
        self.fusion = PixelFusion(channels, self.audio_encoder.out_channels)
        self.mask_prompt = _zero(nn.Conv2d(channels, 1, 1))

    def predict_clip(self, batch: ClipBatch) -> Prediction:
        """Masks of what is heard."""
        pyramid = self.encode(batch.frames)
        audio = self.audio_encoder(batch.log_mel).flatten(0, 1)
        *finer, coarse = pyramid.levels
        fused = self.fusion(coarse.flatten(0, 1), audio)
        heard = VisualPyramid((*finer, fused.view_as(coarse)))
        prompt = F.interpolate(
            self.mask_prompt(fused), scale_factor=4, mode="bilinear", align_corners=False
        )
        return self.masks_of_frames(heard, masks=prompt)
