"""The two projection heads of the released code."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from auralsam2.models.fusion.token_norm import BatchTokenNorm
from auralsam2.registry import PROJECTORS
from auralsam2.shapes import check_shape


def _linear_head(channels: int, out_channels: int) -> nn.Sequential:
    """On tokens a linear layer is the release's 1x1 convolution."""
    return nn.Sequential(
        nn.Linear(channels, out_channels),
        BatchTokenNorm(out_channels),
        nn.Linear(out_channels, out_channels),
    )


@PROJECTORS.register_module()
class ReleasedConvProjector(nn.Module):
    """Released for AVSBench: 1x1 convolution, batch norm, 1x1 convolution; 128 channels.

    Nothing in it is non-linear but the final normalisation over the channels of a token. While
    training, the norm sees each level's tokens as a batch of its own.

    Args:
        channels: C of the residuals.
        out_channels: D.
    """

    visual_source = "visual"

    def __init__(self, channels: int, out_channels: int = 128) -> None:
        super().__init__()
        self.channels, self.out_channels = channels, out_channels
        self.visual_head = _linear_head(channels, out_channels)
        self.audio_head = _linear_head(channels, out_channels)

    def visual(self, residual: Tensor) -> Tensor:
        """(B, T, N, C) visual residual -> (B, T, N, D), unit length over D."""
        check_shape(residual, "B T N C", name="visual residual", C=self.channels)
        projected = self.visual_head(residual.flatten(1, 2))
        return F.normalize(projected.unflatten(1, residual.shape[1:3]), dim=-1)

    def audio(self, residual: Tensor) -> Tensor:
        """(B, T, C) audio residual of the frames -> (B, T, D), unit length over D."""
        check_shape(residual, "B T C", name="audio residual", C=self.channels)
        return F.normalize(self.audio_head(residual), dim=-1)


def _mlp_head(channels: int, out_channels: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(channels, out_channels),
        nn.GELU(),
        nn.LayerNorm(out_channels),
        nn.Linear(out_channels, out_channels),
    )


@PROJECTORS.register_module()
class ReleasedRefProjector(nn.Module):
    """Released for Ref-AVS: linear, GELU, layer norm, linear; 128 channels.

    Its visual side reads what the fusion added (``FusionOutput.visual_update``), not the
    residual, and, as released, has unit length over the *positions* of a channel instead of
    over the channels of a position; the audio side over the channels.

    Args:
        channels: C of the residuals.
        out_channels: D.
        normalise_positions: the released axis of the visual side; off, both sides are normalised
            over the channels.
    """

    visual_source = "visual_update"

    def __init__(
        self, channels: int, out_channels: int = 128, normalise_positions: bool = True
    ) -> None:
        super().__init__()
        self.channels, self.out_channels = channels, out_channels
        self.visual_axis = 2 if normalise_positions else 3
        self.visual_head = _mlp_head(channels, out_channels)
        self.audio_head = _mlp_head(channels, out_channels)

    def visual(self, residual: Tensor) -> Tensor:
        """(B, T, N, C) visual update -> (B, T, N, D), unit length over N, or D if corrected."""
        check_shape(residual, "B T N C", name="visual update", C=self.channels)
        return F.normalize(self.visual_head(residual), dim=self.visual_axis)

    def audio(self, residual: Tensor) -> Tensor:
        """(B, T, C) audio residual of the frames -> (B, T, D), unit length over D."""
        check_shape(residual, "B T C", name="audio residual", C=self.channels)
        return F.normalize(self.audio_head(residual), dim=-1)
