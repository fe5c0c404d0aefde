"""Whose frame, and whose object, each row of the mask decoder's batch is.

What is read inside the decoder, attention above all, can so be compared with the truth without
knowing how a method goes about its clips.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from auralsam2.messages import UnfitModelError
from auralsam2.models.tracking import frame_order


class CannotProbeError(UnfitModelError):
    """A model whose mask decoder cannot be looked into: it has no such numbers."""


class DecoderRow(NamedTuple):
    """One row of the batch of one decoder call."""

    clip: int  # index in the batch of clips
    frame: int  # index in the clip
    # (S, S) truth of the row's own object; ``None`` for the frame's whole truth.
    mask: Tensor | None = None


DecoderCalls = list[list[DecoderRow]]
"""The rows of every call, in the order of the calls."""


def rows_of_frames(tracker: Any, masks: Tensor) -> DecoderCalls:
    """Rows of a model that decodes every frame once, in its tracker's order, clips together."""
    num_clips, num_frames = masks.shape[:2]
    if not tracker.use_memory:
        return [[DecoderRow(i, t) for i in range(num_clips) for t in range(num_frames)]]
    order = frame_order(num_frames, tracker.conditioning_frame(num_frames))
    return [[DecoderRow(i, t) for i in range(num_clips)] for t in order]


def coverage(rows: Sequence[DecoderRow], masks: Tensor, side: int) -> Tensor:
    """Share of every position of the key grid that each row's mask covers, (R, N) in [0, 1].

    Args:
        rows: R of them.
        masks: (B, T, S, S) truth of the batch.
        side: of the key grid; N is its square.
    """
    own = [masks[row.clip, row.frame] if row.mask is None else row.mask for row in rows]
    shares = torch.stack(own)[:, None].float()
    return F.interpolate(shares, size=(side, side), mode="area").flatten(1)
