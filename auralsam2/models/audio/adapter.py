"""From the audio encoder's width to the fuser's."""

from __future__ import annotations

from torch import Tensor, nn

from auralsam2.shapes import check_shape


class AudioAdapter(nn.Module):
    """Linear map D -> C; nothing where the widths agree (published: both 256).

    Args:
        in_channels: D of the audio encoder.
        channels: C of the fuser.
    """

    def __init__(self, in_channels: int, channels: int) -> None:
        super().__init__()
        self.in_channels = in_channels
        same = in_channels == channels
        self.proj = nn.Identity() if same else nn.Linear(in_channels, channels)

    def forward(self, audio: Tensor) -> Tensor:
        """(B, T, D) -> (B, T, C)."""
        check_shape(audio, "B T D", name="audio vectors", D=self.in_channels)
        return self.proj(audio)
