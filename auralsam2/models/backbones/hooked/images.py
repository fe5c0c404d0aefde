"""SAM in transformers: images alone, one map, and a decoder without object scores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

import torch
from torch import Tensor, nn

from auralsam2.models.backbones.hooked.network import HookedNetwork
from auralsam2.models.backbones.promptable import Points

NO_MEMORY = (
    "SAM has no memory of earlier frames; set `model.tracker.use_memory` to False or, for a method "
    "that carries objects from frame to frame, `model.backbone` to one that has a memory"
)
SEEN = 10.0
"""Object score of every frame, as SAM has none: upstream's logit of what is there."""


class HookedImages(HookedNetwork):
    """A ``SamModel``; every frame is an image of its own."""

    has_memory, num_levels, multimask_max_pt_num = False, 1, 1

    def __init__(self, model: nn.Module) -> None:
        super().__init__(model, lacking=1)

    @property
    def no_mem_embed(self) -> Tensor:
        """(1, 1, C) zeros: nothing is added to a frame without memory."""
        return self.model.prompt_encoder.no_mask_embed.weight.new_zeros(1, 1, self.hidden_dim)

    def stable_mask(self, logits: Tensor, ious: Tensor) -> Tensor:
        """(B, 1, 4E, 4E): of four masks the single one, as SAM takes no other."""
        return logits[:, :1]

    def raw_pyramid(self, frames: Tensor) -> list[Tensor]:
        """(F, C, E, E) alone, of normalised (F, 3, S, S) frames."""
        return [self.model.vision_encoder(frames).last_hidden_state]

    def decoder_features(self, pyramid: Sequence[Tensor]) -> list[Tensor]:
        """The map as it is."""
        return list(pyramid)

    def position_maps(self, batch: int) -> list[Tensor]:
        """None, as nobody asks for the positions of a memory."""
        return []

    def _finer(self, high_res: Sequence[Tensor]) -> dict[str, Any]:
        return {}

    def _score(self, outputs: Sequence[Tensor]) -> Tensor:
        return torch.full_like(outputs[1][:, :, 0], SEEN)

    def _pointer(self, token: Tensor, score: Tensor) -> Tensor:
        return token

    def _embed_prompts(
        self, points: Points | None, masks: Tensor | None
    ) -> tuple[Tensor | None, Tensor]:
        """SAM's encoder takes corners of boxes by themselves, behind the clicks."""
        if points is None or not (points.labels >= 2).any():
            return super()._embed_prompts(points, masks)
        coords, labels = points
        corners = (labels[0] >= 2).nonzero()[:, 0]
        clicks = (labels[0] < 2).nonzero()[:, 0]
        some = len(clicks) > 0
        sparse, dense = self.model.prompt_encoder(
            input_points=coords[:, None, clicks] if some else None,
            input_labels=labels[:, None, clicks] if some else None,
            input_boxes=coords[:, None, corners].flatten(2),
            input_masks=masks,
        )
        return sparse[:, 0], dense

    def _prepare_memory_conditioned_features(
        self,
        is_init_cond_frame: bool,
        current_vision_feats: Sequence[Tensor],
        feat_sizes: Sequence[tuple[int, int]],
        **_: Any,
    ) -> Tensor:
        """(N, B, C) -> (B, C, E, E) of a frame that sees no memory."""
        if not is_init_cond_frame:
            raise ValueError(NO_MEMORY)
        return current_vision_feats[-1].permute(1, 2, 0).unflatten(2, feat_sizes[-1])

    def _encode_new_memory(self, **_: Any) -> NoReturn:
        raise ValueError(NO_MEMORY)

    def _use_mask_as_output(self, *_: Any) -> NoReturn:
        raise ValueError(NO_MEMORY)
