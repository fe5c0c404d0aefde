"""All of AVSegFormer between the maps of an image encoder and the logits of a frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from auralsam2.models.gradient_checkpointing import checkpoint_layers
from auralsam2.models.methods.avsegformer_layers import (
    AudioQueries,
    ChannelMixer,
    DeformableEncoderLayer,
    query_layer,
    sine_code,
)

NUM_GROUPS = 32
LEVELS = 3
"""Of the encoder's tokens: strides 8, 16 and 32."""


class HeadOutput(NamedTuple):
    """What one pass gives."""

    logits: Tensor  # (F, K, H, H)
    mask_feature: Tensor  # (F, C, h, h) at a quarter of the frames' side, behind the mixer


class AVSegFormerHead(nn.Module):
    """AVSegFormer without backbone and ear (Gao et al., AAAI 2024, section 3).

    Tokens of strides 8 to 32 see each other in a deformable encoder; queries that heard the sound
    read them in a decoder; each query's product with the pixels of a finer map, whose channels
    the sound weighs, is a map. An MLP turns the maps of all queries into one feature map. Queries
    have no classes of their own and are matched with nothing.

    Args:
        in_channels: of the image encoder's four maps, finest first.
        num_classes: K; 1 is a mask.
        channels: C, a multiple of 32.
        num_queries: Q.
        num_layers: of encoder, decoder and query generator.
        num_heads: of encoder and decoder.
        audio_heads: of the query generator and the mixer.
        hidden_channels: in the MLPs of encoder and decoder.
        query_hidden_channels: in those of the query generator.
        map_channels: in the MLP over the queries' maps.
        head_channels: of the two inner maps of the output head.
        enlargement: of the map on its way through the output head; 4 ends at the frames' side.
        dropout: of encoder and decoder.
        gradient_checkpointing: keep no activations inside of their layers, see
            :func:`~auralsam2.models.gradient_checkpointing.checkpoint_layers`.

    Raises:
        ValueError: listing every argument that is out of range.
    """

    def __init__(
        self,
        in_channels: Sequence[int],
        num_classes: int = 1,
        channels: int = 256,
        num_queries: int = 300,
        num_layers: Sequence[int] = (6, 6, 6),
        num_heads: int = 8,
        audio_heads: int = 8,
        hidden_channels: int = 2048,
        query_hidden_channels: int = 1024,
        map_channels: int = 2048,
        head_channels: Sequence[int] = (128, 32),
        enlargement: int = 4,
        dropout: float = 0.1,
        gradient_checkpointing: bool = False,
    ) -> None:
        super().__init__()
        _check(channels, num_heads, audio_heads, num_layers, head_channels)
        encoder, decoder, generator = num_layers
        self.projections = nn.ModuleList(_normed(width, channels) for width in in_channels)
        self.level_embedding = nn.Parameter(torch.randn(LEVELS, channels))
        self.encoder = nn.ModuleList(
            DeformableEncoderLayer(channels, num_heads, LEVELS, hidden_channels, dropout)
            for _ in range(encoder)
        )
        self.queries = AudioQueries(
            channels, num_queries, generator, audio_heads, query_hidden_channels
        )
        self.decoder = nn.ModuleList(
            query_layer(channels, num_heads, hidden_channels, dropout) for _ in range(decoder)
        )
        if gradient_checkpointing:
            checkpoint_layers([*self.encoder, *self.decoder])
        self.lateral = _normed(channels, channels)
        self.smooth = nn.Sequential(_normed(channels, channels, kernel=3), nn.ReLU())
        self.mixer = ChannelMixer(channels, audio_heads)
        self.map_mlp = _pixel_mlp(num_queries, map_channels, channels)
        self.head = _output_head(channels, head_channels, enlargement, num_classes)

    def forward(self, maps: Sequence[Tensor], audio: Tensor) -> HeadOutput:
        """Four maps (F, C_i, S / s, S / s), finest first, and the frames' sound (F, 1, C)."""
        fine, *levels = (
            project(level) for project, level in zip(self.projections, maps, strict=True)
        )
        tokens = self.encode(levels)
        queries = self.queries(audio)
        for layer in self.decoder:
            queries = layer(queries, tokens)
        mask_feature = self.mixer(self._mask_feature(fine, levels[0], tokens), audio)
        products = torch.einsum("fqc,fchw->fqhw", queries, mask_feature)
        logits = self.head(self.map_mlp(products) + mask_feature)
        return HeadOutput(logits, mask_feature)

    def encode(self, levels: Sequence[Tensor]) -> Tensor:
        """Maps (F, C, h, w) of strides 8, 16, 32 -> their tokens (F, N, C), one after another."""
        tokens = torch.cat([level.flatten(2).transpose(1, 2) for level in levels], dim=1)
        sides = [(int(level.shape[-2]), int(level.shape[-1])) for level in levels]
        codes = [sine_code(*side, channels=tokens.shape[-1]) for side in sides]
        code = torch.cat(
            [c.to(tokens) + e for c, e in zip(codes, self.level_embedding, strict=True)]
        )
        for layer in self.encoder:
            tokens = layer(tokens, code, sides)
        return tokens

    def _mask_feature(self, fine: Tensor, level: Tensor, tokens: Tensor) -> Tensor:
        """The finest map, with the tokens of the next one (whose form ``level`` has) added."""
        seen = tokens[:, : level[0, 0].numel()].transpose(1, 2).reshape(level.shape)
        seen = F.interpolate(seen, fine.shape[-2:], mode="bilinear", align_corners=False)
        out: Tensor = self.smooth(self.lateral(fine) + seen)
        return out


def _normed(in_channels: int, channels: int, kernel: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(in_channels, channels, kernel, padding=kernel // 2),
        nn.GroupNorm(NUM_GROUPS, channels),
    )


def _pixel_mlp(in_channels: int, hidden: int, channels: int) -> nn.Sequential:
    # In place: at 512 px each of the inner maps weighs 134 MB a frame.
    return nn.Sequential(
        nn.Conv2d(in_channels, hidden, 1),
        nn.ReLU(inplace=True),
        nn.Conv2d(hidden, hidden, 1),
        nn.ReLU(inplace=True),
        nn.Conv2d(hidden, channels, 1),
    )


def _output_head(
    channels: int, inner: Sequence[int], enlargement: int, num_classes: int
) -> nn.Sequential:
    wide, narrow = inner
    return nn.Sequential(
        nn.Conv2d(channels, wide, 3, padding=1),
        nn.Upsample(scale_factor=enlargement, mode="bilinear"),
        nn.Conv2d(wide, narrow, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(narrow, num_classes, 1, bias=False),
    )


def _check(
    channels: int,
    num_heads: int,
    audio_heads: int,
    num_layers: Sequence[int],
    head_channels: Sequence[int],
) -> None:
    problems = []
    if channels < 1 or channels % NUM_GROUPS:
        problems.append(f"channels must be a positive multiple of {NUM_GROUPS}, got {channels}")
    for name, heads in (("num_heads", num_heads), ("audio_heads", audio_heads)):
        if heads < 1 or channels % heads:
            problems.append(f"{name} must divide channels={channels}, got {heads}")
    if len(num_layers) != 3 or min(num_layers) < 1:
        problems.append(
            f"num_layers must be those of encoder, decoder and query generator, got {num_layers}"
        )
    if len(head_channels) != 2 or min(head_channels) < 1:
        problems.append(f"head_channels must be two widths, got {head_channels}")
    if problems:
        raise ValueError("AVSegFormerHead: " + "; ".join(problems))
