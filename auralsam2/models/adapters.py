"""From the encoders' widths to the fuser's."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from auralsam2.shapes import check_shape

HIDDEN_CHANNELS = 1024


def two_layers(
    in_channels: int, hidden_channels: int, out_channels: int, between: type[nn.Module] = nn.ReLU
) -> nn.Sequential:
    """Linear, activation, linear."""
    inward = nn.Linear(in_channels, hidden_channels)
    return nn.Sequential(inward, between(), nn.Linear(hidden_channels, out_channels))


class AudioAdapter(nn.Module):
    """Linear map D -> C of the audio encoder's vectors; nothing where D = C (published: 256)."""

    def __init__(self, in_channels: int, channels: int) -> None:
        super().__init__()
        self.in_channels = in_channels
        same = in_channels == channels
        self.proj = nn.Identity() if same else nn.Linear(in_channels, channels)

    def forward(self, audio: Tensor) -> Tensor:
        """(B, T, D) -> (B, T, C)."""
        check_shape(audio, "B T D", name="audio vectors", D=self.in_channels)
        return self.proj(audio)


class TextAdapter(nn.Module):
    """Linear, GELU, linear: D of the text encoder -> 1024 -> C, as released for Ref-AVS."""

    def __init__(
        self, in_channels: int, channels: int, hidden_channels: int = HIDDEN_CHANNELS
    ) -> None:
        super().__init__()
        self.in_channels = in_channels
        self.proj = two_layers(in_channels, hidden_channels, channels, nn.GELU)

    def forward(self, hidden_states: Tensor) -> Tensor:
        """(B, K, D) hidden states -> (B, K, C) tokens."""
        check_shape(hidden_states, "B K D", name="text hidden states", D=self.in_channels)
        return self.proj(hidden_states)


def check_expressions(text: Sequence[str] | None, num_clips: int) -> None:
    """Raise a ValueError that says what to change unless there is one expression a clip."""
    if text is None or len(text) != num_clips:
        got = "none" if text is None else str(len(text))
        raise ValueError(
            f"model.text_encoder needs one expression a clip, got {got} for {num_clips} clip(s): "
            "take a data set with expressions, as Ref-AVS has them, or (of AuralSAM2) set "
            "model.text_encoder to None"
        )
