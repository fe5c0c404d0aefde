"""Projection of both streams into the contrastive space."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from auralsam2.registry import PROJECTORS
from auralsam2.shapes import check_shape


def _mlp(channels: int, num_layers: int, out_channels: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for _ in range(num_layers - 1):
        layers += [nn.Linear(channels, out_channels), nn.GELU(), nn.LayerNorm(out_channels)]
        channels = out_channels
    return nn.Sequential(*layers, nn.Linear(channels, out_channels))


@PROJECTORS.register_module()
class MLPProjector(nn.Module):
    """One MLP a modality, shared by the pyramid's levels (paper: three layers of width 64).

    A layer is linear, GELU, layer norm; the last is linear only. The result is L2-normalised over
    the channels of each token.

    Args:
        channels: C of the residuals.
        num_layers: linear layers of each MLP.
        out_channels: D, the width of every layer.

    Raises:
        ValueError: where ``num_layers`` is below 1.
    """

    visual_source = "visual"

    def __init__(self, channels: int, num_layers: int = 3, out_channels: int = 64) -> None:
        super().__init__()
        if num_layers < 1:
            raise ValueError(f"projector num_layers must be at least 1, got {num_layers}")
        self.channels, self.out_channels = channels, out_channels
        self.visual_head = _mlp(channels, num_layers, out_channels)
        self.audio_head = _mlp(channels, num_layers, out_channels)

    def visual(self, residual: Tensor) -> Tensor:
        """(B, T, N, C) visual residual -> (B, T, N, D), unit length over D."""
        check_shape(residual, "B T N C", name="visual residual", C=self.channels)
        return F.normalize(self.visual_head(residual), dim=-1)

    def audio(self, residual: Tensor) -> Tensor:
        """(B, T, C) audio residual of the frames -> (B, T, D), unit length over D."""
        check_shape(residual, "B T C", name="audio residual", C=self.channels)
        return F.normalize(self.audio_head(residual), dim=-1)
