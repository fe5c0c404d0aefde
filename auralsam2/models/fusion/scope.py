"""What a frame may attend to: its whole clip, or its own audio alone."""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor

from auralsam2.models.fusion.base import Fusion
from auralsam2.shapes import check_shape
from auralsam2.structures import FusionOutput

SCOPES = ("clip", "frame")


def scope_problems(scope: str) -> list[str]:
    """What is wrong with a ``scope``, in words; empty where nothing is."""
    return [] if scope in SCOPES else [f"unknown {scope=}; known: {', '.join(SCOPES)}"]


class ScopedFusion(Fusion):
    """A fusion written for whole clips that can also be applied to every frame on its own.

    With ``scope="clip"`` all frames of a clip meet all of its audio tokens. With
    ``scope="frame"`` the same block gets clips of one frame: the frame, its own audio token, and
    the text tokens, which belong to every frame. Each frame then leaves its own version of the
    text tokens; their mean goes on.

    Args:
        scope: ``clip`` or ``frame``.

    Raises:
        ValueError: on an unknown ``scope``.
    """

    def __init__(self, scope: str = "clip") -> None:
        super().__init__()
        problems = scope_problems(scope)
        if problems:
            raise ValueError(f"{type(self).__name__}: " + "; ".join(problems))
        self.scope = scope

    def forward(self, visual: Tensor, audio: Tensor) -> FusionOutput:
        """(B, T, N, C) and (B, M, C) to the same shapes."""
        sizes = check_shape(visual, "B T N C", name="visual tokens")
        check_shape(audio, "B M C", name="audio tokens", B=sizes["B"], C=sizes["C"])
        if self.scope == "clip":
            return self._fuse(visual, audio)
        fused = self._fuse(*split_frames(visual, audio))
        joined = join_frames(fused, sizes["T"])
        # A mean over equal copies would change the last bits of a stream that only passes.
        return joined if self.sees else joined._replace(audio=audio)

    @abstractmethod
    def _fuse(self, visual: Tensor, audio: Tensor) -> FusionOutput:
        """All frames of ``visual`` (B, T, N, C) together with all of ``audio`` (B, M, C)."""


def split_frames(visual: Tensor, audio: Tensor) -> tuple[Tensor, Tensor]:
    """Clips to clips of one frame.

    Args:
        visual: (B, T, N, C).
        audio: (B, T + K, C), the frames' tokens and K that belong to every frame.

    Returns:
        (B * T, 1, N, C) and (B * T, 1 + K, C).
    """
    num_frames = visual.shape[1]
    own, shared = audio[:, :num_frames, None], audio[:, None, num_frames:]
    per_frame = torch.cat([own, shared.expand(-1, num_frames, -1, -1)], dim=2)
    return visual.flatten(0, 1).unsqueeze(1), per_frame.flatten(0, 1)


def join_frames(fused: FusionOutput, num_frames: int) -> FusionOutput:
    """Inverse of :func:`split_frames`; of the shared tokens, the mean over the frames.

    Args:
        fused: outputs of B * T clips of one frame.
        num_frames: T.
    """
    visual, audio, visual_update, audio_update = fused
    return FusionOutput(
        _visual_of_clips(visual, num_frames),
        _audio_of_clips(audio, num_frames),
        None if visual_update is None else _visual_of_clips(visual_update, num_frames),
        None if audio_update is None else _audio_of_clips(audio_update, num_frames),
    )


def _visual_of_clips(tokens: Tensor, num_frames: int) -> Tensor:
    """(B * T, 1, N, C) -> (B, T, N, C)."""
    return tokens.squeeze(1).unflatten(0, (-1, num_frames))


def _audio_of_clips(tokens: Tensor, num_frames: int) -> Tensor:
    """(B * T, 1 + K, C) -> (B, T + K, C)."""
    split = tokens.unflatten(0, (-1, num_frames))
    return torch.cat([split[:, :, 0], split[:, :, 1:].mean(dim=1)], dim=1)
