"""The AuralFuser: pyramid levels and audio tokens to fused streams."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from auralsam2.models.position import sine_position_1d, sine_position_2d
from auralsam2.shapes import check_shape
from auralsam2.structures import FuserOutput, FusionOutput, VisualPyramid


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
        visual_attentions: one module a level, finest first, as the two below.
        audio_attentions: see there.
        fusions: see there.
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

    def forward(self, pyramid: VisualPyramid, audio: Tensor) -> FuserOutput:
        """Both streams of every level, fused.

        Args:
            pyramid: the neck's maps, (B, T, C, 4E, 4E) to (B, T, C, E, E).
            audio: (B, M, C) tokens of the clips; the first T are the frames'.

        Returns:
            (B, T, N, C) and (B, M, C) a level, in order of computation.
        """
        check_shape(audio, "B M C", name="audio tokens", C=self.channels)
        levels = self.pyramid(pyramid)
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
