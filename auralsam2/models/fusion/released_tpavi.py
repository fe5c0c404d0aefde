"""The fusion block as the authors released it, with its scrambled axes."""

from __future__ import annotations

from torch import Tensor, nn

from auralsam2.models.fusion.two_way_tpavi import TwoWayTPAVIFusion
from auralsam2.registry import FUSIONS


@FUSIONS.register_module()
class ReleasedTPAVIFusion(TwoWayTPAVIFusion):
    """The released code's block, which the published checkpoints need.

    It differs from :class:`TwoWayTPAVIFusion` in the axes of its products: the frames' maps
    (T, c, E, E) are read as rows of c numbers without moving the channels last, so that a row
    holds c neighbouring positions of one channel, and what is read returns by the mirrored
    mistake, on the audio's side too. One changed position then reaches c positions of every frame,
    and products pair positions with channels.

    Args:
        channels: C of both streams.
        inner_channels: width c of queries, keys and values; ``None`` is C / 2.
        scale: ``queries`` (released) or ``keys``, see :class:`TwoWayTPAVIFusion`.
        norm: whose statistics the two inner normalisations share.
        zero_init: start both of them at weight zero (released).
        scope: ``clip`` (released) or ``frame``.
        unused_parameters: register the two convolutions that the released block owns and never
            uses: they stand in its checkpoints and in its parameter count.

    Raises:
        ValueError: on an unknown ``scale``, ``norm`` or ``scope``.
    """

    def __init__(
        self,
        channels: int,
        inner_channels: int | None = None,
        scale: str = "queries",
        norm: str = "batch",
        zero_init: bool = True,
        scope: str = "clip",
        unused_parameters: bool = True,
    ) -> None:
        super().__init__(channels, inner_channels, scale, norm, zero_init, scope)
        if unused_parameters:
            inner = inner_channels or channels // 2
            self.unused_visual = nn.Linear(channels, inner)
            self.unused_align = nn.Linear(channels, inner)

    def _rows(self, tokens: Tensor) -> Tensor:
        """Rows of c neighbouring positions of one channel: (B, T, N, c) -> (B, T N, c)."""
        maps = tokens.transpose(2, 3)  # (B, T, c, N)
        return maps.reshape(len(tokens), -1, tokens.shape[3])

    def _tokens_of_visual_rows(self, rows: Tensor, num_frames: int) -> Tensor:
        """(B, T N, c) -> (B, c, T N), read as (B, T, c, N) maps -> (B, T N, c) tokens."""
        batch, _, inner = rows.shape
        maps = rows.transpose(1, 2).reshape(batch, num_frames, inner, -1)
        return maps.transpose(2, 3).flatten(1, 2)

    def _tokens(self, rows: Tensor) -> Tensor:
        """(B, M, c) -> (B, c, M), read as (B, M, c)."""
        return rows.transpose(1, 2).reshape(rows.shape)
