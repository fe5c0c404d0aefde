"""Projection of both streams into the contrastive space, as published and as released."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn
from torch.nn import functional as F

from auralsam2.messages import too_small
from auralsam2.models.fusion.token_norm import BatchTokenNorm
from auralsam2.registry import PROJECTORS
from auralsam2.shapes import check_shape


class Projector(nn.Module):
    """One head (B, L, C) -> (B, L, D) a modality, shared by the pyramid's levels."""

    visual_source = "visual"
    visual_axis = 3

    def __init__(self, channels: int, out_channels: int, head: Callable[[], nn.Module]) -> None:
        super().__init__()
        self.channels, self.out_channels = channels, out_channels
        self.visual_head = head()
        self.audio_head = head()

    def visual(self, tokens: Tensor) -> Tensor:
        """(B, T, N, C) of ``visual_source`` -> (B, T, N, D), unit length over ``visual_axis``."""
        name = f"{self.visual_source} of the fuser"
        check_shape(tokens, "B T N C", name=name, C=self.channels)
        projected = self.visual_head(tokens.flatten(1, 2)).unflatten(1, tokens.shape[1:3])
        return F.normalize(projected, dim=self.visual_axis)

    def audio(self, tokens: Tensor) -> Tensor:
        """(B, T, C) fused audio of the frames -> (B, T, D), unit length over D."""
        check_shape(tokens, "B T C", name="fused audio", C=self.channels)
        return F.normalize(self.audio_head(tokens), dim=-1)


def _mlp(channels: int, num_layers: int, out_channels: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for _ in range(num_layers - 1):
        layers += [nn.Linear(channels, out_channels), nn.GELU(), nn.LayerNorm(out_channels)]
        channels = out_channels
    return nn.Sequential(*layers, nn.Linear(channels, out_channels))


@PROJECTORS.register_module()
class MLPProjector(Projector):
    """One MLP a modality (paper: three layers of width 64).

    A layer is linear, GELU, layer norm; the last is linear only. The result is L2-normalised over
    the channels of each token.

    Args:
        channels: C of the fuser's streams.
        num_layers: linear layers of each MLP, at least 1.
        out_channels: D, the width of every layer.
    """

    def __init__(self, channels: int, num_layers: int = 3, out_channels: int = 64) -> None:
        if wrong := too_small(num_layers=(num_layers, 1)):
            raise ValueError(f"projector {wrong[0]}")
        super().__init__(channels, out_channels, lambda: _mlp(channels, num_layers, out_channels))


@PROJECTORS.register_module()
class ReleasedConvProjector(Projector):
    """Released for AVSBench: 1x1 convolution, batch norm, 1x1 convolution; 128 channels.

    Nothing in it is non-linear but the final normalisation over the channels of a token. While
    training, the norm sees each level's tokens as a batch of its own.

    Args:
        channels: C of the fuser's streams.
        out_channels: D.
    """

    def __init__(self, channels: int, out_channels: int = 128) -> None:
        def head() -> nn.Sequential:
            # On tokens a linear layer is the release's 1x1 convolution.
            return nn.Sequential(
                nn.Linear(channels, out_channels),
                BatchTokenNorm(out_channels),
                nn.Linear(out_channels, out_channels),
            )

        super().__init__(channels, out_channels, head)


@PROJECTORS.register_module()
class ReleasedRefProjector(Projector):
    """Released for Ref-AVS: linear, GELU, layer norm, linear; 128 channels.

    Its visual side reads what the fusion added (``FusionOutput.visual_update``), not its output,
    and, as released, has unit length over the *positions* of a channel instead of over the
    channels of a position; the audio side over the channels.

    Args:
        channels: C of the fuser's streams.
        out_channels: D.
        normalise_positions: the released axis of the visual side; off, both sides are normalised
            over the channels.
    """

    visual_source = "visual_update"

    def __init__(
        self, channels: int, out_channels: int = 128, normalise_positions: bool = True
    ) -> None:
        super().__init__(channels, out_channels, lambda: _mlp(channels, 2, out_channels))
        self.visual_axis = 2 if normalise_positions else 3
