"""Patch embeddings that bring every level of the neck's pyramid to one token grid."""

from __future__ import annotations

from torch import Tensor, nn

from auralsam2.registry import PYRAMIDS
from auralsam2.shapes import check_shape
from auralsam2.structures import VisualPyramid

# Kernel and stride of each level's patch embedding, finest level first: all give E x E tokens.
PATCH_SIZES = (4, 2, 1)


@PYRAMIDS.register_module()
class PatchEmbedPyramid(nn.Module):
    """Embed 1 to 3 levels of the pyramid as E x E tokens each, finest first (paper, section 3.2).

    Args:
        channels: C of the maps and of the tokens.
        embedding_size: E, the side of the coarsest map.
        num_levels: 3 (published) uses all maps, 2 the two coarsest, 1 the coarsest alone.

    Raises:
        ValueError: where ``num_levels`` is not 1, 2 or 3.
    """

    def __init__(self, channels: int, embedding_size: int, num_levels: int = 3) -> None:
        super().__init__()
        if not 1 <= num_levels <= len(PATCH_SIZES):
            raise ValueError(f"pyramid num_levels must be 1, 2 or 3, got {num_levels}")
        self.embedding_size, self.num_levels = embedding_size, num_levels
        self.patch_embeds = nn.ModuleList(
            nn.Conv2d(channels, channels, kernel_size=patch, stride=patch)
            for patch in PATCH_SIZES[-num_levels:]
        )

    def forward(self, pyramid: VisualPyramid) -> tuple[Tensor, ...]:
        """Tokens of the used levels.

        Args:
            pyramid: (B, T, C, 4E, 4E), (B, T, C, 2E, 2E), (B, T, C, E, E).

        Returns:
            One (B, T, N, C) a used level, N = E * E in row-major order, finest level first.
        """
        if len(pyramid.levels) < self.num_levels:
            raise ValueError(
                f"the pyramid embeds {self.num_levels} levels, and the backbone gives "
                f"{len(pyramid.levels)}; set `model.pyramid.num_levels` to {len(pyramid.levels)}"
            )
        levels = pyramid.levels[-self.num_levels :]
        tokens = []
        for embed, level, patch in zip(
            self.patch_embeds, levels, PATCH_SIZES[-self.num_levels :], strict=True
        ):
            side = patch * self.embedding_size
            check_shape(level, f"B T C {side} {side}", name="pyramid level")
            maps = embed(level.flatten(0, 1))  # (B * T, C, E, E)
            tokens.append(maps.flatten(2).transpose(1, 2).unflatten(0, level.shape[:2]))
        return tuple(tokens)
