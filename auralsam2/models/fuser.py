"""The AuralFuser: pyramid levels and audio tokens to fused streams."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from auralsam2.models.attention import AttentionBlock
from auralsam2.models.gradient_checkpointing import checkpoint_layers
from auralsam2.shapes import check_shape
from auralsam2.structures import FuserOutput, FusionOutput, VisualPyramid

TEMPERATURE = 10000.0


def level_depths(depths: Sequence[int], num_levels: int) -> tuple[int, ...]:
    """Depths of the used levels, the coarsest ``num_levels``, of those of all; finest first.

    Raises:
        ValueError: where there are fewer depths than levels, or one is negative.
    """
    if len(depths) < num_levels or any(depth < 0 for depth in depths):
        raise ValueError(
            f"visual depths {tuple(depths)} do not fit {num_levels} pyramid level(s): state at "
            "least one depth of 0 or more a level, finest level first"
        )
    return tuple(depths[len(depths) - num_levels :])


class AuralFuser(nn.Module):
    """Fuse every pyramid level with the audio, finest first (paper, section 3.2).

    Level i: the patch embedding (from the second level on plus the previous level's fused visual
    tokens, smoothed by a 1x1 convolution) goes through the visual blocks and the audio stream
    through the audio blocks, each with its position code before and after; then the fusion. Its
    audio is the next level's audio stream.

    Args:
        pyramid: maps to tokens, one tensor a level.
        visual_attentions: blocks of each level, finest first.
        audio_attentions: blocks of each level, in the same order.
        fusions: one a level, in the same order.
        channels: C.
        embedding_size: E, the side of the token grid.
    """

    def __init__(
        self,
        *,
        pyramid: nn.Module,
        visual_attentions: Sequence[nn.Module],
        audio_attentions: Sequence[nn.Module],
        fusions: Sequence[nn.Module],
        channels: int,
        embedding_size: int,
    ) -> None:
        super().__init__()
        counts = (len(visual_attentions), len(audio_attentions), len(fusions))
        if len(set(counts)) > 1 or not counts[0]:
            raise ValueError(
                "the fuser needs as many visual attentions as audio attentions and fusions, one "
                f"a level; got {counts[0]}, {counts[1]} and {counts[2]}"
            )
        self.channels = channels
        self.pyramid = pyramid
        self.visual_attentions = nn.ModuleList(visual_attentions)
        self.audio_attentions = nn.ModuleList(audio_attentions)
        self.fusions = nn.ModuleList(fusions)
        # On tokens a linear layer is the 1x1 convolution.
        self.smooth = nn.ModuleList(nn.Linear(channels, channels) for _ in fusions[1:])
        position = sine_position_2d(embedding_size, channels)
        self.visual_position: Tensor
        self.register_buffer("visual_position", position, persistent=False)

    def checkpoint(self) -> None:
        """Let every block and fusion compute its activations again in the backward pass."""
        blocks = [block for block in self.modules() if isinstance(block, AttentionBlock)]
        checkpoint_layers([*blocks, *self.fusions])

    def forward(self, pyramid: VisualPyramid, audio: Tensor) -> FuserOutput:
        """Both streams of every level, fused.

        Args:
            pyramid: the neck's maps, (B, T, C, 4E, 4E) to (B, T, C, E, E).
            audio: (B, M, C) tokens of the clips; the first T are the frames'.
        """
        return self.fuse(self.pyramid(pyramid), audio)

    def fuse(self, levels: Sequence[Tensor], audio: Tensor) -> FuserOutput:
        """The same from the tokens (B, T, N, C) that the patch embedding makes of each level."""
        check_shape(audio, "B M C", name="audio tokens", C=self.channels)
        if len(levels) != len(self.fusions):
            raise ValueError(
                f"the pyramid gives {len(levels)} level(s), the fuser has {len(self.fusions)}"
            )
        audio_position = self.audio_position(audio)
        fused: list[FusionOutput] = []
        for level, visual in enumerate(levels):
            if level:
                visual = self.smooth[level - 1](visual + fused[-1].visual)
            visual = self.visual_attentions[level](visual + self.visual_position)
            audio = self.audio_attentions[level](audio + audio_position)
            fused.append(self.fusions[level](visual + self.visual_position, audio + audio_position))
            audio = fused[-1].audio
        updates = [f.visual_update for f in fused if f.visual_update is not None]
        return FuserOutput(
            visual=tuple(f.visual for f in fused),
            audio=tuple(f.audio for f in fused),
            visual_update=tuple(updates) if len(updates) == len(fused) else (),
        )

    def audio_position(self, audio: Tensor) -> Tensor:
        """Code of the index of every token of (B, M, C), as (M, C)."""
        return sine_position_1d(audio.shape[1], self.channels, audio.device).to(audio.dtype)


class ReleasedFuser(AuralFuser):
    """Gives every audio token the code of position 0: a constant vector that carries no time."""

    def audio_position(self, audio: Tensor) -> Tensor:
        """Code of the first token, as (1, C)."""
        return super().audio_position(audio[:, :1])


def _sine_code(positions: Tensor, channels: int) -> Tensor:
    """Interleaved sine and cosine of every position, (L,) -> (L, channels)."""
    pairs = torch.arange(0, channels, 2, dtype=torch.float32, device=positions.device)
    angles = positions[:, None] / TEMPERATURE ** (pairs / channels)  # (L, channels / 2)
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)


def sine_position_1d(length: int, channels: int, device: torch.device | None = None) -> Tensor:
    """Code of the index, from 0, of L tokens (Vaswani et al. 2017, section 3.5).

    Returns:
        float32 (L, C); even channels sine, odd cosine.

    Raises:
        ValueError: where C is odd.
    """
    if channels % 2:
        raise ValueError(f"a 1-D sine code needs an even number of channels, got {channels}")
    positions = torch.arange(length, dtype=torch.float32, device=device)
    return _sine_code(positions, channels)


def sine_position_2d(side: int, channels: int, device: torch.device | None = None) -> Tensor:
    """SAM2's code of the positions of a square map: the first half of the channels y, then x.

    Positions run from 1 to the side E and are normalised so that the last one lies at 2 pi.

    Returns:
        float32 (E * E, C) in row-major order of the map.

    Raises:
        ValueError: where C is not divisible by 4 (sine and cosine of two coordinates).
    """
    if channels % 4:
        raise ValueError(f"a 2-D sine code needs channels divisible by 4, got {channels}")
    # SAM2's epsilon; without it the fused code would differ from the backbone's in the last digits.
    positions = torch.arange(1, side + 1, dtype=torch.float32, device=device)
    positions = positions / (side + 1e-6) * 2 * math.pi
    code = _sine_code(positions, channels // 2)  # (E, C / 2)
    y = code[:, None].expand(side, side, -1)
    x = code[None].expand(side, side, -1)
    return torch.cat([y, x], dim=-1).flatten(0, 1)
