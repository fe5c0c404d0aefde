"""What methods with an audio token also do to the image embedding that the decoder reads.

Axes: B clips, T frames, C channels, E side of the embedding, N = E * E, D width of the audio.
"""

from __future__ import annotations

from torch import Tensor, nn

from auralsam2.shapes import check_shape


class PixelFusion(nn.Module):
    """AV-SAM's idea: every pixel meets the frame's sound before the decoder reads it.

    ``v + MLP(W_v v + W_a a)``, the same map at every pixel. The last layer starts at zero: training
    begins with SAM2's own embedding.

    Args:
        channels: C.
        audio_channels: D.
    """

    # Sites of the decoder in front of which something is added.
    sites: tuple[str, ...] = ("block1",)

    def __init__(self, channels: int, audio_channels: int) -> None:
        super().__init__()
        self.visual = nn.Linear(channels, channels)
        self.audio = nn.Linear(audio_channels, channels, bias=False)
        self.out = _zero(nn.Linear(channels, channels))
        self.act = nn.GELU()

    def forward(self, features: Tensor, audio: Tensor) -> tuple[Tensor, ...]:
        """What is added to the image embedding, one tensor a site.

        Args:
            features: (B, T, C, E, E).
            audio: (B, T, D).

        Returns:
            (B, T, N, C) for every site.
        """
        tokens = _tokens(features, audio)
        return (self.out(self.act(self.visual(tokens) + self.audio(audio)[:, :, None])),)


class CorrelationAdapter(nn.Module):
    """GAVS' idea: a narrow adapter of each decoder block, driven by how pixel and sound agree.

    ``W_up (W_v v * W_a a)``: the channel-wise product of both in a space of ``hidden_channels``,
    added in front of each of the two blocks. The published adapter reads the tokens inside the
    decoder; this one reads the image embedding in front of it. Starts at zero.

    Args:
        channels: C.
        audio_channels: D.
        hidden_channels: width of the adapter.
    """

    # Sites of the decoder in front of which something is added.
    sites: tuple[str, ...] = ("block1", "block2")

    def __init__(self, channels: int, audio_channels: int, hidden_channels: int = 64) -> None:
        super().__init__()
        self.visual = nn.ModuleList(nn.Linear(channels, hidden_channels) for _ in self.sites)
        self.audio = nn.ModuleList(nn.Linear(audio_channels, hidden_channels) for _ in self.sites)
        self.up = nn.ModuleList(_zero(nn.Linear(hidden_channels, channels)) for _ in self.sites)

    def forward(self, features: Tensor, audio: Tensor) -> tuple[Tensor, ...]:
        """(B, T, C, E, E) and (B, T, D) -> (B, T, N, C) for every site."""
        tokens = _tokens(features, audio)
        return tuple(
            up(visual(tokens) * heard(audio)[:, :, None])
            for visual, heard, up in zip(self.visual, self.audio, self.up, strict=True)
        )


ImageFusion = PixelFusion | CorrelationAdapter

IMAGE_FUSIONS: dict[str, type[PixelFusion] | type[CorrelationAdapter]] = {
    "pixel": PixelFusion,
    "correlation": CorrelationAdapter,
}


def _tokens(features: Tensor, audio: Tensor) -> Tensor:
    sizes = check_shape(features, "B T C E E", name="image embedding")
    check_shape(audio, "B T D", name="audio vectors", B=sizes["B"], T=sizes["T"])
    return features.flatten(3).transpose(2, 3)  # (B, T, N, C)


def _zero(layer: nn.Linear) -> nn.Linear:
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer
