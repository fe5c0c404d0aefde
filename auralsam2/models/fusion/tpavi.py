"""AVSBench's fusion block: temporal pixel-wise audio-visual interaction, one way."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from auralsam2.models.fusion.scope import ScopedFusion, scope_problems
from auralsam2.models.fusion.token_norm import TOKEN_NORMS
from auralsam2.registry import FUSIONS
from auralsam2.structures import FusionOutput


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
        problems = scope_problems(scope)
        if norm not in TOKEN_NORMS:
            problems.append(f"unknown {norm=}; known: {', '.join(TOKEN_NORMS)}")
        if problems:
            raise ValueError(f"{type(self).__name__}: " + "; ".join(problems))
        super().__init__(scope)
        inner = inner_channels or channels // 2
        self.query = nn.Linear(channels, inner)  # theta
        self.key = nn.Linear(channels, inner)  # phi
        self.value = nn.Linear(channels, inner)  # g
        self.out = nn.Linear(inner, channels)  # mu
        self.attention_norm = TOKEN_NORMS[norm](channels)
        if zero_init:
            nn.init.zeros_(self.attention_norm.weight)  # type: ignore[arg-type]
        self.visual_norm = nn.LayerNorm(channels)

    def _fuse(self, visual: Tensor, audio: Tensor) -> FusionOutput:
        frames = visual.flatten(1, 2)  # (B, L, C)
        num_keys, num_text = audio.shape[1], audio.shape[1] - visual.shape[1]
        of_frames = self.value(visual).mean(dim=2)  # (B, T, c)
        of_clip = of_frames.mean(dim=1, keepdim=True)
        values = torch.cat([of_frames, of_clip.expand(-1, num_text, -1)], dim=1)  # (B, M, c)
        alpha = torch.bmm(self.query(frames), self.key(audio).transpose(1, 2)) / num_keys
        update = self.attention_norm(self.out(torch.bmm(alpha, values)))
        fused = self.visual_norm(frames + update)
        return FusionOutput(fused.view_as(visual), audio, update.view_as(visual))
