"""The multimodal cues of EEMC (Ref-AVS, Wang et al., ECCV 2024): sound, words and sight to prompts.

Axes: B clips, T frames of a clip, K tokens of an expression, N = h * w positions of a frame's map,
W width of the attentions, P = T + N + K + 2 prompt tokens of a frame.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from auralsam2 import registry
from auralsam2.messages import unnamed
from auralsam2.models.adapters import check_expressions, two_layers
from auralsam2.models.methods.base import ClipBatch, ClipMethod, Node
from auralsam2.shapes import check_shape


def cached_memory(cues: Tensor) -> Tensor:
    """Strengthen what is new: ``z_t + (z_t - mean(z_1 .. z_t))`` along the second axis."""
    count = torch.arange(1, cues.shape[1] + 1, device=cues.device)
    # Half precision cannot count to the 1,440 tokens of a clip as released.
    total = cues.cumsum(dim=1, dtype=torch.float32)
    return 2 * cues - total / count.view(-1, *[1] * (cues.dim() - 2))


def keep_as_buffers(module: nn.Module) -> None:
    """Freeze random weights: as buffers they are in every checkpoint, since no file has them."""
    for part in module.modules():
        for name, weight in list(part.named_parameters(recurse=False)):
            delattr(part, name)
            part.register_buffer(name, weight.data)


class MultimodalCues(nn.Module):
    """Sound, expression and maps of a clip's frames to prompt tokens of every frame.

    Sound and expression are projected to W. Two self-attentions read [sound; words] and
    [sight; words]; what they say of sound and sight passes the cached memory, what they say of
    the words is averaged with them. A third self-attention joins the clip's sound, the frame's
    sight and the words, with a row of zeros and one of ones between them; an MLP makes prompts of
    all its tokens.

    Args:
        audio_channels: of a frame's audio vector.
        text_channels: of the expression's hidden states.
        visual_channels: of the maps; a linear layer brings them to W where they differ, which the
            released code has no need of.
        prompt_channels: C of the prompts.
        width: W.
        hidden_channels: of the three MLPs.
        num_heads: of the three attentions.
        scramble_visual_tokens: as released, read the maps (T, W, h, w) in memory as T N tokens
            of W numbers without moving the axes, and let the cached memory run along all of them.
            Off, a token is a position, and the memory runs along its frames.
        attend_across_clips: as released, let the third attention read along the clips of the
            batch at every token in place of the tokens of a frame; one clip alone reads itself.
        freeze_attentions: as released, leave the three attentions at their random weights.
    """

    def __init__(
        self,
        audio_channels: int,
        text_channels: int,
        visual_channels: int,
        prompt_channels: int,
        width: int = 1024,
        hidden_channels: int = 2048,
        num_heads: int = 8,
        scramble_visual_tokens: bool = False,
        attend_across_clips: bool = False,
        freeze_attentions: bool = False,
    ) -> None:
        super().__init__()
        self.scramble, self.across_clips = scramble_visual_tokens, attend_across_clips
        self.audio_proj = two_layers(audio_channels, hidden_channels, width)
        self.text_proj = two_layers(text_channels, hidden_channels, width)
        same = visual_channels == width
        self.visual_proj = nn.Identity() if same else nn.Conv2d(visual_channels, width, 1)
        self.prompt_proj = two_layers(width, hidden_channels, prompt_channels)
        self.audio_text, self.visual_text, self.joint = (
            nn.MultiheadAttention(width, num_heads, batch_first=True) for _ in range(3)
        )
        if freeze_attentions:
            for attention in (self.audio_text, self.visual_text, self.joint):
                keep_as_buffers(attention)

    def forward(self, visual: Tensor, audio: Tensor, text: Tensor) -> Tensor:
        """(B, T, V, h, w) maps, (B, T, D) sound and (B, K, X) words -> (B, T, P, C)."""
        sizes = check_shape(visual, "B T V h w", name="visual maps")
        clips, frames = sizes["B"], sizes["T"]
        check_shape(audio, "B T D", name="audio vectors", B=clips, T=frames)
        check_shape(text, "B K X", name="text hidden states", B=clips)
        heard, words = self.audio_proj(audio), self.text_proj(text)
        heard, words_heard = _together(self.audio_text, heard, words)
        seen, words_seen = _together(self.visual_text, self._visual_tokens(visual), words)
        return self._prompts(
            cached_memory(heard),
            self._remembered(seen, frames),
            (words + words_heard + words_seen) / 3,
        )

    def _visual_tokens(self, visual: Tensor) -> Tensor:
        """(B, T, V, h, w) -> (B, T N, W)."""
        maps = self.visual_proj(visual.flatten(0, 1)).unflatten(0, visual.shape[:2])
        width = maps.shape[2]
        if self.scramble:
            return maps.reshape(len(maps), -1, width)
        return maps.flatten(3).transpose(2, 3).flatten(1, 2)

    def _remembered(self, seen: Tensor, frames: int) -> Tensor:
        """(B, T N, W) -> (B, T, N, W) behind the cached memory."""
        if self.scramble:
            return cached_memory(seen).unflatten(1, (frames, -1))
        return cached_memory(seen.unflatten(1, (frames, -1)))

    def _prompts(self, heard: Tensor, seen: Tensor, words: Tensor) -> Tensor:
        """(B, T, W), (B, T, N, W) and (B, K, W) -> (B, T, P, C)."""
        frames = seen.shape[1]
        zeros = seen.new_zeros(len(seen), frames, 1, seen.shape[-1])
        everywhere = [x[:, None].expand(-1, frames, -1, -1) for x in (heard, words)]
        tokens = torch.cat([everywhere[0], zeros, seen, zeros + 1, everywhere[1]], dim=2)
        shape = tokens.shape[:3]
        if self.across_clips:
            rows = tokens.flatten(1, 2).transpose(0, 1)  # (T P, B, W)
            joined = _attend(self.joint, rows).transpose(0, 1).unflatten(1, shape[1:])
        else:
            joined = _attend(self.joint, tokens.flatten(0, 1)).unflatten(0, shape[:2])
        prompts: Tensor = self.prompt_proj(joined)
        return prompts


def _attend(attention: nn.Module, tokens: Tensor) -> Tensor:
    read: Tensor = attention(tokens, tokens, tokens, need_weights=False)[0]
    return read


def _together(attention: nn.Module, first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    """Both parts behind a self-attention over (B, L, W) and (B, K, W) in one row."""
    read = _attend(attention, torch.cat([first, second], dim=1))
    return read[:, : first.shape[1]], read[:, first.shape[1] :]


class CuedMethod(ClipMethod):
    """A method whose prompts are the multimodal cues of sound, expression and sight.

    A subclass joins it with what is prompted, whose widths it alone knows, and once that is built
    sets ``cues``, the :class:`MultimodalCues`, to ``build_cues(V, C)``.

    Args:
        audio_encoder: node of ``AUDIO_ENCODERS``.
        text_encoder: node of ``TEXT_ENCODERS``.
        width: see :class:`MultimodalCues`, as for all that follow.
        hidden_channels: likewise.
        num_heads: likewise.
        scramble_visual_tokens: likewise, as released.
        attend_across_clips: likewise, as released.
        freeze_attentions: likewise, as released.
        **shared: of the method that is prompted.

    Attributes:
        build_cues: makes them from V, channels of the maps that :meth:`prompts` gets, and C,
            channels of the prompts; all else is known here.

    Raises:
        ValueError: where an encoder is None, or ``num_heads`` does not divide ``width``.
    """

    def __init__(
        self,
        audio_encoder: Node,
        text_encoder: Node,
        width: int = 1024,
        hidden_channels: int = 2048,
        num_heads: int = 8,
        scramble_visual_tokens: bool = False,
        attend_across_clips: bool = False,
        freeze_attentions: bool = False,
        **shared: Any,
    ) -> None:
        problems = unnamed(audio_encoder=audio_encoder, text_encoder=text_encoder)
        if num_heads < 1 or width % num_heads:
            problems.append(f"width must be a multiple of num_heads, got {width=}, {num_heads=}")
        if problems:
            raise ValueError(f"{type(self).__name__}: " + "; ".join(problems))
        super().__init__(**shared)
        self.audio_encoder = registry.AUDIO_ENCODERS.build(audio_encoder)
        self.text_encoder = registry.TEXT_ENCODERS.build(text_encoder)
        self.build_cues = partial(
            MultimodalCues,
            self.audio_encoder.out_channels,
            self.text_encoder.out_channels,
            width=width,
            hidden_channels=hidden_channels,
            num_heads=num_heads,
            scramble_visual_tokens=scramble_visual_tokens,
            attend_across_clips=attend_across_clips,
            freeze_attentions=freeze_attentions,
        )

    def prompts(self, maps: Tensor, batch: ClipBatch) -> Tensor:
        """Prompt tokens (B, T, P, C) of every frame from its map (B, T, V, h, w)."""
        check_expressions(batch.text, len(batch.frames))
        audio, text = self.audio_encoder(batch.log_mel), self.text_encoder(batch.text)
        prompts: Tensor = self.cues(maps, audio, text)
        return prompts
