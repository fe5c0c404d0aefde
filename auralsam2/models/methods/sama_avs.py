"""SAMA-AVS on SAM2: the sound is added to the tokens in front of every block of the encoder.

Axes: F frames, H and W sides of a block's token map, D width of the audio.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from auralsam2 import registry
from auralsam2.messages import too_small
from auralsam2.models.gradient_checkpointing import checkpoint_layers
from auralsam2.models.interaction import Interaction
from auralsam2.models.methods.base import ClipBatch, Node
from auralsam2.models.methods.single_mask import SingleMaskSAM2, frames_to_click
from auralsam2.registry import MODELS
from auralsam2.shapes import check_shape
from auralsam2.structures import Prediction, VisualPyramid

STD = 0.02


class AudioAdapters(nn.Module):
    """What is added to the tokens in front of every block of an image encoder.

    Block i reads ``x_i + p_i`` with ``p_i = W_s GELU(W_i a + b_i) + b_s``, the same at every
    position (SAMA-AVS, section 3). ``W_s`` is shared by all blocks of a width. Weights start
    normal with a deviation of 0.02, biases at zero. The adapters hang on the blocks as forward
    hooks; outside of :meth:`hearing` the encoder is untouched.

    Args:
        blocks: of the encoder, in order; they take (F, H, W, width).
        widths: of the tokens that enter them.
        audio_channels: D.
        hidden_channels: of an adapter.
    """

    def __init__(
        self,
        blocks: Sequence[nn.Module],
        widths: Sequence[int],
        audio_channels: int,
        hidden_channels: int = 512,
    ) -> None:
        super().__init__()
        self.widths = tuple(widths)
        self.own = nn.ModuleList(nn.Linear(audio_channels, hidden_channels) for _ in widths)
        self.shared = nn.ModuleDict(
            {str(width): nn.Linear(hidden_channels, width) for width in sorted(set(widths))}
        )
        for layer in (*self.own, *self.shared.values()):
            nn.init.normal_(layer.weight, std=STD)
            nn.init.zeros_(layer.bias)
        self._audio: Tensor | None = None
        for index, block in enumerate(blocks):
            # A partial, unlike a closure, leads to the copy's own adapters where a model is copied.
            block.register_forward_pre_hook(partial(_hear, self, index))

    def forward(self, audio: Tensor, index: int) -> Tensor:
        """(F, D) -> (F, width) of one block."""
        hidden = F.gelu(self.own[index](audio))
        added: Tensor = self.shared[str(self.widths[index])](hidden)
        return added

    @contextmanager
    def hearing(self, audio: Tensor) -> Iterator[None]:
        """Let the encoder hear ``audio`` (F, D) in every forward of F frames inside the context."""
        self._audio = audio
        try:
            yield
        finally:
            self._audio = None


def _hear(
    adapters: AudioAdapters, index: int, block: nn.Module, inputs: tuple[Tensor, ...]
) -> tuple[Tensor, ...] | None:
    if adapters._audio is None:
        return None
    tokens, *rest = inputs  # (F, H, W, width)
    return (tokens + adapters(adapters._audio, index)[:, None, None], *rest)


@MODELS.register_module()
class SAMAAVS(SingleMaskSAM2):
    """The encoder hears: SAMA-AVS (Liu et al., WACV 2024, arXiv 2305.11019), on SAM2.

    Trained are the adapters of the frozen encoder's blocks, the mask decoder and the *no mask*
    embedding. The decoder gets no prompt, frames are images, and the answer is mask token 0. What
    the encoder sees hangs on the sound, so features of clips cannot be kept between epochs.

    Args:
        backbone: node of ``BACKBONES``.
        audio_encoder: node of ``AUDIO_ENCODERS``.
        mask_loss: node of ``MASK_LOSSES``.
        hidden_channels: of an adapter.
        trained_parts: parts of the SAM2 that are trained beside the adapters and the embedding.
        random_position_code: draw the decoder's code of image positions anew, as happens in the
            released code, which does not find SAM's.
        random_no_mask: start the *no mask* embedding from a draw, likewise.
        gradient_checkpointing: keep no activations inside of the encoder's blocks, see
            :func:`~auralsam2.models.gradient_checkpointing.checkpoint_layers`.
        feature_cache_mb: must be 0.
        **shared: see :class:`SAM2Method`.

    Raises:
        ValueError: naming every argument that is out of range.
    """

    def __init__(
        self,
        backbone: Node,
        audio_encoder: Node,
        mask_loss: Node,
        hidden_channels: int = 512,
        trained_parts: Sequence[str] = ("sam_mask_decoder",),
        random_position_code: bool = False,
        random_no_mask: bool = False,
        gradient_checkpointing: bool = False,
        feature_cache_mb: int = 0,
        **shared: Any,
    ) -> None:
        problems = too_small(hidden_channels=(hidden_channels, 1))
        if feature_cache_mb:
            problems.append(
                f"feature_cache_mb must be 0, got {feature_cache_mb}: features hang on the sound"
            )
        if problems:
            raise ValueError("SAMAAVS: " + "; ".join(problems))
        shared |= {"mask_loss": mask_loss, "trained_parts": trained_parts}
        super().__init__(backbone=backbone, **shared)
        self.audio_encoder = registry.AUDIO_ENCODERS.build(audio_encoder)
        network = self.backbone.network
        blocks = list(network.trunk.blocks)
        channels = self.audio_encoder.out_channels
        self.adapters = AudioAdapters(blocks, [b.dim for b in blocks], channels, hidden_channels)
        if gradient_checkpointing:
            checkpoint_layers(blocks)
        prompts = network.sam_prompt_encoder
        prompts.no_mask_embed.requires_grad_(True)
        with torch.no_grad():
            if random_position_code:
                # A buffer, so that weights saved by a run bring its draw back.
                prompts.pe_layer.positional_encoding_gaussian_matrix.normal_()
            if random_no_mask:
                prompts.no_mask_embed.weight.normal_()

    @classmethod
    def cannot_share_encoder(cls, **arguments: Any) -> str:
        """See :meth:`ClipMethod.cannot_share_encoder`."""
        return "its image encoder hears"

    def predict_clip(self, batch: ClipBatch) -> Prediction:
        """Masks of what is heard."""
        audio = self.audio_encoder(batch.log_mel)
        return self.masks_of_frames(self.encode_heard(batch.frames, audio))

    def interactions(self, batch: ClipBatch, heard: bool) -> Sequence[Interaction]:
        """See :meth:`ClipMethod.interactions`; a click corrects its own frame alone."""
        if heard:
            pyramid = self.encode_heard(batch.frames, self.audio_encoder(batch.log_mel))
        else:
            pyramid = self.encode(batch.frames)
        return frames_to_click(self.backbone.network, pyramid, heard)

    def encode_heard(self, frames: Tensor, audio: Tensor) -> VisualPyramid:
        """Pyramid of frames whose encoder hears.

        Args:
            frames: (B, T, 3, S, S) uint8.
            audio: (B, T, D).
        """
        check_shape(audio, "B T D", name="audio vectors", B=frames.shape[0], T=frames.shape[1])
        with self.adapters.hearing(audio.flatten(0, 1)):
            pyramid: VisualPyramid = self.backbone(self.normalise(frames))
        return pyramid
