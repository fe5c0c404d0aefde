"""SAM2's sine codes of positions, kept once and not once a frame."""

from __future__ import annotations

import torch
from sam2.modeling.position_encoding import PositionEmbeddingSine
from torch import Tensor


class SharedPositions(PositionEmbeddingSine):
    """The official codes; the frames of a batch share one copy of them.

    Upstream makes a copy a frame, and what it keeps between calls is a view that holds the copies
    of the first batch: of five frames at 1024 px 420 MB for as long as the model lives.
    """

    @torch.no_grad()
    def _pe(self, B: int, device: torch.device, *side: int) -> Tensor:
        """(B, C, H, W) codes of a map of the sides (H, W), a view."""
        if side not in self.cache:
            super()._pe(1, device, *side)
        code: Tensor = self.cache[side].to(device)
        return code.expand(B, *code.shape)
