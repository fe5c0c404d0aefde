"""Temporal pixel-wise audio-visual interaction: AVSBench's block, the paper's, the released one."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from auralsam2.messages import unknown_values
from auralsam2.models.fusion.base import ScopedFusion
from auralsam2.models.fusion.token_norm import TOKEN_NORMS, build_token_norm
from auralsam2.registry import FUSIONS
from auralsam2.structures import FusionOutput

SCALES = ("keys", "queries")


@FUSIONS.register_module()
class TPAVIFusion(ScopedFusion):
    """Audio-weighted sums of visual values, audio to visual (AVSBench, Zhou et al. 2022, eq. 2).

    With x the L = T N visual tokens of a clip and d its audio, repeated over the N positions of
    each frame::

        alpha = theta(x) phi(d)^T / L
        V = LN(x + norm(mu(alpha g(x)))),   A = d

    The values g(x) are visual: the audio only says how much of them a token takes, which is what
    sets this block apart from ``TwoWayTPAVIFusion``. Repeated keys are never made here: the
    weights of a frame's positions are equal, so they meet the mean of the frame's values, at T N M
    instead of (T N)^2 products. Text tokens, unknown to AVSBench, are keys of the whole clip and
    meet the mean of all its values; L becomes N M.

    The layer norm is that of AVSBench's code, in which the audio passes unchanged too.

    Args:
        channels: C of both streams.
        inner_channels: width of theta, phi and g; ``None`` is C / 2 (AVSBench).
        norm: who shares the statistics behind mu while training: ``batch`` (AVSBench), ``clip`` or
            ``layer``, see :class:`TwoWayTPAVIFusion`.
        zero_init: start the norm behind mu at weight zero, as AVSBench does; the block is deaf
            until it has grown.
        scope: ``clip`` (AVSBench) or ``frame``.

    Raises:
        ValueError: on an unknown ``norm`` or ``scope``.
    """

    sees = False

    def __init__(
        self,
        channels: int,
        inner_channels: int | None = None,
        norm: str = "batch",
        zero_init: bool = False,
        scope: str = "clip",
    ) -> None:
        super().__init__(scope, *unknown_values(norm=(norm, TOKEN_NORMS)))
        inner = inner_channels or channels // 2
        self.query = nn.Linear(channels, inner)  # theta
        self.key = nn.Linear(channels, inner)  # phi
        self.value = nn.Linear(channels, inner)  # g
        self.out = nn.Linear(inner, channels)  # mu
        self.attention_norm = build_token_norm(norm, channels, zero_init)
        self.visual_norm = nn.LayerNorm(channels)

    def _fuse(self, visual: Tensor, audio: Tensor) -> FusionOutput:
        frames = visual.flatten(1, 2)  # (B, L, C)
        update = self.attention_norm(self.out(self._read(visual, audio)))
        fused = self.visual_norm(frames + update)
        return FusionOutput(fused.view_as(visual), audio, update.view_as(visual))

    def _read(self, visual: Tensor, audio: Tensor) -> Tensor:
        """The sum alpha g(x), (B, L, c)."""
        num_text = audio.shape[1] - visual.shape[1]
        of_frames = self.value(visual).mean(dim=2)  # (B, T, c)
        of_clip = of_frames.mean(dim=1, keepdim=True)
        values = torch.cat([of_frames, of_clip.expand(-1, num_text, -1)], dim=1)  # (B, M, c)
        return _read(self.query(visual.flatten(1, 2)), self.key(audio), values, audio.shape[1])


class VisualTPAVIFusion(TPAVIFusion):
    """The same block with the visual tokens themselves as keys: it hears nothing.

    AVSBench's code has it behind a flag that none of its scripts sets, so it is no choice of the
    fusion axis; a config can name it by its path.
    """

    hears = False

    def _read(self, visual: Tensor, audio: Tensor) -> Tensor:
        frames = visual.flatten(1, 2)
        # Without a softmax the L x L weights need never be made.
        met = torch.bmm(self.key(frames).transpose(1, 2), self.value(frames))  # (B, c, c)
        return torch.bmm(self.query(frames), met) / frames.shape[1]


@FUSIONS.register_module()
class TwoWayTPAVIFusion(ScopedFusion):
    """Dot-product attention without softmax, audio to visual and visual to audio (published).

    With x the T N visual tokens of a clip and d' = W_align d its M audio tokens (paper, section
    3.2; the products without softmax are those of AVSBench's TPAVI, Zhou et al. 2022, equation 2,
    whose values however are visual, see ``TPAVIFusion``)::

        V = LN(x  + norm(W_v (q_x k_d^T / M)   v_d))
        A = LN(d' + norm(W_a (q_d k_x^T / T N) v_x))

    With ``scope="clip"`` all frames of a clip attend jointly and the visual tokens carry no code
    of their frame, so V holds what is heard in the clip; which frame hears it is in A alone. With
    ``scope="frame"`` the same block sees one frame and its own audio token (and the text's) at a
    time, so that V also follows sounds that change within a clip.

    Args:
        channels: C of both streams.
        inner_channels: width of queries, keys and values; ``None`` is C / 2 (published).
        scale: what the visual products are divided by: ``keys`` their number M (corrected), or
            ``queries`` their T N as released, which makes the audio term vanish next to the
            normalisation's epsilon. The audio products are divided by their T N keys in both.
        norm: who shares the statistics of the two inner normalisations while training: ``batch``
            (published) all clips of the batch, ``clip`` the tokens of each clip (the release's
            batches of one clip, at any batch size), ``layer`` nobody, so that clips are strictly
            independent in training too. In eval mode clips are independent in all three.
        zero_init: start both normalisations at weight zero as released, a usual trick for
            residual branches; the outputs then do not depend on the other modality, and the
            projections of the block get no gradient, until these weights have grown.
        scope: ``clip`` (published) or ``frame``.

    Raises:
        ValueError: on an unknown ``scale``, ``norm`` or ``scope``.
    """

    def __init__(
        self,
        channels: int,
        inner_channels: int | None = None,
        scale: str = "keys",
        norm: str = "batch",
        zero_init: bool = False,
        scope: str = "clip",
    ) -> None:
        wrong = unknown_values(scale=(scale, SCALES), norm=(norm, TOKEN_NORMS))
        super().__init__(scope, *wrong)
        inner = inner_channels or channels // 2
        self.scale = scale
        self.align = nn.Linear(channels, channels)
        self.visual_query, self.visual_key, self.visual_value = _projections(channels, inner)
        self.audio_query, self.audio_key, self.audio_value = _projections(channels, inner)
        self.visual_out = nn.Linear(inner, channels)
        self.audio_out = nn.Linear(inner, channels)
        self.visual_attention_norm = build_token_norm(norm, channels, zero_init)
        self.audio_attention_norm = build_token_norm(norm, channels, zero_init)
        self.visual_norm = nn.LayerNorm(channels)
        self.audio_norm = nn.LayerNorm(channels)

    def _fuse(self, visual: Tensor, audio: Tensor) -> FusionOutput:
        """All frames of ``visual`` (B, T, N, C) attend jointly to all of ``audio`` (B, M, C)."""
        frames = visual.flatten(1, 2)  # (B, L, C), L = T * N
        audio = self.align(audio)
        num_keys = audio.shape[1] if self.scale == "keys" else frames.shape[1]
        query = self._rows(self.visual_query(visual))
        heard = _read(query, self.audio_key(audio), self.audio_value(audio), num_keys)
        query = self.audio_query(audio)
        key, value = self._rows(self.visual_key(visual)), self._rows(self.visual_value(visual))
        seen = _read(query, key, value, frames.shape[1])
        heard, seen = self._tokens_of_visual_rows(heard, visual.shape[1]), self._tokens(seen)
        visual_update = self.visual_attention_norm(self.visual_out(heard))
        audio_update = self.audio_attention_norm(self.audio_out(seen))
        return FusionOutput(
            self.visual_norm(frames + visual_update).view_as(visual),
            self.audio_norm(audio + audio_update),
            visual_update.view_as(visual),
            audio_update,
        )

    def _rows(self, tokens: Tensor) -> Tensor:
        """Visual tokens (B, T, N, c) as the rows (B, T N, c) of a product."""
        return tokens.flatten(1, 2)

    def _tokens_of_visual_rows(self, rows: Tensor, num_frames: int) -> Tensor:
        """Inverse of :meth:`_rows`, still flat: (B, T N, c)."""
        return rows

    def _tokens(self, rows: Tensor) -> Tensor:
        """What the audio queries read, (B, M, c), as audio tokens (B, M, c)."""
        return rows


def _projections(channels: int, inner: int) -> tuple[nn.Linear, nn.Linear, nn.Linear]:
    return nn.Linear(channels, inner), nn.Linear(channels, inner), nn.Linear(channels, inner)


def _read(query: Tensor, key: Tensor, value: Tensor, divisor: int) -> Tensor:
    """Weighted sum (q k^T / divisor) v of (B, L, c), (B, S, c), (B, S, c): (B, L, c)."""
    weights = torch.bmm(query, key.transpose(1, 2)) / divisor  # (B, L, S)
    return torch.bmm(weights, value)


@FUSIONS.register_module()
class ReleasedTPAVIFusion(TwoWayTPAVIFusion):
    """The released code's block, which the published checkpoints need.

    It differs from :class:`TwoWayTPAVIFusion` in the axes of its products: the frames' maps
    (T, c, E, E) are read as rows of c numbers without moving the channels last, so that a row
    holds c neighbouring positions of one channel, and what is read returns by the mirrored
    mistake, on the audio's side too. One changed position then reaches c positions of every frame,
    and products pair positions with channels.

    Args:
        channels: C of both streams.
        scale: ``queries`` (released) or ``keys``, see :class:`TwoWayTPAVIFusion`.
        zero_init: start the two inner normalisations at weight zero (released).
        unused_parameters: register the two convolutions that the released block owns and never
            uses: they stand in its checkpoints and in its parameter count.
        **corrected: see :class:`TwoWayTPAVIFusion`.
    """

    def __init__(
        self,
        channels: int,
        scale: str = "queries",
        zero_init: bool = True,
        unused_parameters: bool = True,
        **corrected: Any,
    ) -> None:
        super().__init__(channels, scale=scale, zero_init=zero_init, **corrected)
        if unused_parameters:
            inner = self.visual_query.out_features
            self.unused_visual = nn.Linear(channels, inner)
            self.unused_align = nn.Linear(channels, inner)

    def _rows(self, tokens: Tensor) -> Tensor:
        """Rows of c neighbouring positions of one channel: (B, T, N, c) -> (B, T N, c)."""
        maps = tokens.transpose(2, 3)  # (B, T, c, N)
        return maps.reshape(len(tokens), -1, tokens.shape[3])

    def _tokens_of_visual_rows(self, rows: Tensor, num_frames: int) -> Tensor:
        """(B, T N, c) -> (B, c, T N), read as (B, T, c, N) maps -> (B, T N, c) tokens."""
        batch, _, inner = rows.shape
        maps = rows.transpose(1, 2).reshape(batch, num_frames, inner, -1)
        return maps.transpose(2, 3).flatten(1, 2)

    def _tokens(self, rows: Tensor) -> Tensor:
        """(B, M, c) -> (B, c, M), read as (B, M, c)."""
        return rows.transpose(1, 2).reshape(rows.shape)
