"""The published fusion block: TPAVI's dot products in both directions."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from auralsam2.models.fusion.scope import ScopedFusion, scope_problems
from auralsam2.models.fusion.token_norm import TOKEN_NORMS
from auralsam2.registry import FUSIONS
from auralsam2.structures import FusionOutput

SCALES = ("keys", "queries")


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
        problems = [] if scale in SCALES else [f"unknown {scale=}; known: {', '.join(SCALES)}"]
        if norm not in TOKEN_NORMS:
            problems.append(f"unknown {norm=}; known: {', '.join(TOKEN_NORMS)}")
        problems += scope_problems(scope)
        if problems:
            raise ValueError(f"{type(self).__name__}: " + "; ".join(problems))
        super().__init__(scope)
        inner = inner_channels or channels // 2
        self.scale = scale
        self.align = nn.Linear(channels, channels)
        self.visual_query, self.visual_key, self.visual_value = _projections(channels, inner)
        self.audio_query, self.audio_key, self.audio_value = _projections(channels, inner)
        self.visual_out = nn.Linear(inner, channels)
        self.audio_out = nn.Linear(inner, channels)
        self.visual_attention_norm = TOKEN_NORMS[norm](channels)
        self.audio_attention_norm = TOKEN_NORMS[norm](channels)
        if zero_init:
            for module in (self.visual_attention_norm, self.audio_attention_norm):
                nn.init.zeros_(module.weight)  # type: ignore[arg-type]
        self.visual_norm = nn.LayerNorm(channels)
        self.audio_norm = nn.LayerNorm(channels)

    def _fuse(self, visual: Tensor, audio: Tensor) -> FusionOutput:
        """All frames of ``visual`` (B, T, N, C) attend jointly to all of ``audio`` (B, M, C)."""
        frames = visual.flatten(1, 2)  # (B, L, C), L = T * N
        audio = self.align(audio)
        num_keys = audio.shape[1] if self.scale == "keys" else frames.shape[1]
        heard = _read(
            self._rows(self.visual_query(visual)),
            self.audio_key(audio),
            self.audio_value(audio),
            num_keys,
        )
        seen = _read(
            self.audio_query(audio),
            self._rows(self.visual_key(visual)),
            self._rows(self.visual_value(visual)),
            frames.shape[1],
        )
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
