"""Normalisation of (B, L, C) tokens; what the options differ in is who shares statistics."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F


class LayerTokenNorm(nn.LayerNorm):
    """Each token by its own channels; no statistics are kept."""


class ClipTokenNorm(nn.InstanceNorm1d):
    """Batch normalisation over the tokens of one clip; running statistics in eval mode.

    The release trains with one clip a process, so with these statistics. They take a clip's mean
    away while training and leave it in eval mode, which learns worse than sharing statistics.
    """

    def __init__(self, channels: int) -> None:
        super().__init__(channels, affine=True, track_running_stats=True)

    def forward(self, tokens: Tensor) -> Tensor:
        """(B, L, C) -> (B, L, C)."""
        if self.training and tokens.shape[1] == 1:  # one value has no variance
            return _by_running_statistics(self, tokens)
        return super().forward(tokens.transpose(1, 2)).transpose(1, 2)


class BatchTokenNorm(nn.BatchNorm1d):
    """Batch normalisation over the tokens of all clips of the batch; running statistics in eval.

    While training, clips share the mean and variance of each channel and nothing else; no clip's
    tokens reach another clip in eval mode.
    """

    def forward(self, tokens: Tensor) -> Tensor:
        """(B, L, C) -> (B, L, C)."""
        rows = tokens.flatten(0, 1)
        if self.training and rows.shape[0] == 1:
            return _by_running_statistics(self, tokens)
        return super().forward(rows).view_as(tokens)


def _by_running_statistics(norm: nn.InstanceNorm1d | nn.BatchNorm1d, tokens: Tensor) -> Tensor:
    rows = F.batch_norm(
        tokens.flatten(0, 1), norm.running_mean, norm.running_var, norm.weight, norm.bias,
        training=False, eps=norm.eps,
    )  # fmt: skip
    return rows.view_as(tokens)


TOKEN_NORMS: dict[str, type[nn.Module]] = {
    "batch": BatchTokenNorm,
    "clip": ClipTokenNorm,
    "layer": LayerTokenNorm,
}


def build_token_norm(norm: str, channels: int, zero_init: bool) -> nn.Module:
    """One of ``TOKEN_NORMS``, of weight zero at the start where asked for."""
    module = TOKEN_NORMS[norm](channels)
    if zero_init:
        nn.init.zeros_(module.weight)  # type: ignore[arg-type]
    return module
