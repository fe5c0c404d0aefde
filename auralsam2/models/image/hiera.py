"""The stages of SAM2's image encoder, as an encoder of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from auralsam2.models.freezing import Freezable
from auralsam2.models.weights.loading import carry_coverage
from auralsam2.registry import BACKBONES, IMAGE_ENCODERS


@IMAGE_ENCODERS.register_module()
class HieraStages(Freezable):
    """The trunk of a SAM2 in front of its neck: neck, memory and mask decoder are not kept.

    With it a network without SAM2 looks through the same eyes as the methods around SAM2.

    Args:
        backbone: node of ``BACKBONES``; its ``frozen`` (the default) says whether the trunk is
            trained.
        image_size: S; default: the backbone's own.

    Attributes:
        channels: of the four stages, e.g. 144, 288, 576, 1152 of the large one.
    """

    def __init__(self, backbone: Mapping[str, Any], image_size: int | None = None) -> None:
        super().__init__()
        built = BACKBONES.build(backbone, image_size=image_size)
        self.trunk = built.network.trunk
        carry_coverage(built.network, self.trunk)
        self.channels = tuple(reversed(self.trunk.channel_list))
        self.frozen = built.frozen
        self.freeze()

    def forward(self, frames: Tensor) -> tuple[Tensor, ...]:
        """(F, 3, S, S) -> (F, C_i, S / s, S / s) for s = 4, 8, 16, 32."""
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.frozen):
            return tuple(self.trunk(frames))
