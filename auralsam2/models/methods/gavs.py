"""GAVS on SAM2: the sound as one prompt token, adapters behind the MLPs of encoder and decoder.

Axes: B clips, T frames, S side of the image, C channels of the decoder, D width of the audio.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from auralsam2 import registry
from auralsam2.messages import unknown_values
from auralsam2.models.adapters import two_layers
from auralsam2.models.methods.base import PIXEL_MEAN, ClipBatch, Node
from auralsam2.models.methods.single_mask import SingleMaskSAM2
from auralsam2.registry import MODELS
from auralsam2.structures import Prediction

PROMPT_CHANNELS = 512
"""Hidden ones on the way from a frame's audio vector to its prompt token."""


class MLPAdapters(nn.Module):
    """A bottleneck behind the MLP of each of some transformer blocks.

    With m the output of ``block.mlp``, the block goes on with ``m + W2 f(W1 m + b1) + b2``. No
    sound enters here. The adapters start as PyTorch's linear layers do, not from zero, and hang
    on the blocks as forward hooks.

    Args:
        blocks: whose MLPs end in a linear layer of the width that is adapted.
        activation: f; GELU in the decoder, ReLU in the encoder.
        hidden_channels: between W1 and W2.
    """

    def __init__(
        self, blocks: Sequence[nn.Module], activation: type[nn.Module], hidden_channels: int = 128
    ) -> None:
        super().__init__()
        self.adapters = nn.ModuleList()
        for block in blocks:
            width = [m for m in block.mlp.modules() if isinstance(m, nn.Linear)][-1].out_features
            self.adapters.append(two_layers(width, hidden_channels, width, activation))
            # A partial, unlike a closure, leads to the copy's own adapter where a model is copied.
            block.mlp.register_forward_hook(partial(_adapted, self.adapters[-1]))


def _adapted(adapter: nn.Module, mlp: nn.Module, inputs: object, output: Tensor) -> Tensor:
    return output + adapter(output)


def disturbed(audio: Tensor, noise: str, generator: torch.Generator) -> Tensor:
    """Vectors (..., D) and Gaussian noise of each one's own standard deviation, or noise alone."""
    drawn = torch.randn(audio.shape, generator=generator).to(audio)
    drawn = drawn * audio.std(dim=-1, keepdim=True)
    return drawn if noise == "replace" else audio + drawn


def padded(frames: Tensor, height: int, width: int) -> Tensor:
    """Squashed frames (T, 3, S, S) uint8 in the shape of a frame of this height and width.

    The longer side stays S; the mean colour fills the rest, right and below.
    """
    side = frames.shape[-1]
    inside = _inside(side, height, width)
    mean = torch.tensor(PIXEL_MEAN, device=frames.device).round().to(torch.uint8)
    canvas = mean.view(3, 1, 1).expand_as(frames).clone()
    shrunk = F.interpolate(frames.float(), size=inside, mode="bilinear", antialias=True)
    canvas[..., : inside[0], : inside[1]] = shrunk.round().clamp(0, 255).to(torch.uint8)
    return canvas


def unpadded(logits: Tensor, side: int, height: int, width: int) -> Tensor:
    """Logits (T, h, h) of padded frames -> (T, S, S) of the squashed ones; S is the ``side``."""
    large = F.interpolate(logits[:, None], size=(side, side), mode="bilinear", align_corners=False)
    rows, columns = _inside(side, height, width)
    cut = large[..., :rows, :columns]
    return F.interpolate(cut, size=(side, side), mode="bilinear", align_corners=False)[:, 0]


def _inside(side: int, height: int, width: int) -> tuple[int, int]:
    longest = max(height, width)
    return round(side * height / longest), round(side * width / longest)


NOISES = ("off", "add", "replace")


@MODELS.register_module()
class GAVS(SingleMaskSAM2):
    """Prompting SAM with sound (GAVS, Wang et al., AAAI 2024, arXiv 2309.07929), on SAM2.

    The frame's audio vector becomes the one prompt token of a frozen mask decoder, whose token
    MLPs have adapters, as have the MLPs of the image encoder's last blocks. Frames are images, and
    the answer is mask token 0. Trained are the projection of the sound, the adapters, and both
    normalisations of the adapted encoder blocks but the first. The token stands behind the output
    tokens, without a padding point, and is its own positional code.

    Args:
        backbone: node of ``BACKBONES``.
        audio_encoder: node of ``AUDIO_ENCODERS``.
        mask_loss: node of ``MASK_LOSSES``.
        encoder_blocks: adapted blocks at the end of the image encoder, as a share of all of them
            (released: the last quarter of SAM's) or a number.
        noise: in training, ``add`` Gaussian noise of each vector's own standard deviation to it;
            ``replace`` it by the noise, as the released code does, so that nothing is heard; or
            ``off``.
        bgr_frames: show the encoder blue in the place of red, as the released code does.
        padded_frames: keep the aspect of frames and fill the rest of the square, as the released
            code does for SAM; SAM2 was trained on squashed frames.
        first_truth_for_all: where only the first frame has a truth, train the others with it too,
            as the released code does.
        **shared: see :class:`SAM2Method`.

    Raises:
        ValueError: naming every argument that is out of range.
    """

    def __init__(
        self,
        backbone: Node,
        audio_encoder: Node,
        mask_loss: Node,
        encoder_blocks: float = 0.25,
        noise: str = "add",
        bgr_frames: bool = False,
        padded_frames: bool = False,
        first_truth_for_all: bool = False,
        **shared: Any,
    ) -> None:
        problems = unknown_values(noise=(noise, NOISES))
        if encoder_blocks < 0 or (encoder_blocks > 1 and encoder_blocks % 1):
            problems.append(
                f"encoder_blocks must be a share up to 1 or a whole number, got {encoder_blocks=}"
            )
        if shared.get("feature_cache_mb") and encoder_blocks:
            problems.append("feature_cache_mb must be 0 where encoder_blocks are trained")
        if problems:
            raise ValueError("GAVS: " + "; ".join(problems))
        super().__init__(backbone=backbone, mask_loss=mask_loss, **shared)
        self.noise, self.first_truth_for_all = noise, first_truth_for_all
        self.bgr_frames, self.padded_frames = bgr_frames, padded_frames
        network = self.backbone.network
        self.audio_encoder = registry.AUDIO_ENCODERS.build(audio_encoder)
        widths = self.audio_encoder.out_channels, PROMPT_CHANNELS, self.backbone.channels
        self.audio_prompt = two_layers(*widths)
        blocks = list(network.trunk.blocks)
        self.decoder_adapters = MLPAdapters(network.sam_mask_decoder.transformer.layers, nn.GELU)
        share = isinstance(encoder_blocks, float) and encoder_blocks <= 1
        count = round(encoder_blocks * len(blocks)) if share else int(encoder_blocks)
        chosen = blocks[max(0, len(blocks) - count) :]
        self.encoder_adapters = MLPAdapters(chosen, nn.ReLU)
        for block in chosen[1:]:
            block.norm1.requires_grad_(True)
            block.norm2.requires_grad_(True)

    @classmethod
    def cannot_share_encoder(cls, encoder_blocks: float = 0.25, **arguments: Any) -> str:
        """See :meth:`ClipMethod.cannot_share_encoder`."""
        adapted = "blocks of its image encoder are adapted" if encoder_blocks else ""
        return adapted or super().cannot_share_encoder(**arguments)

    def predict_clip(self, batch: ClipBatch) -> Prediction:
        """Masks of what is heard."""
        audio = self.audio_encoder(batch.log_mel)  # (B, T, D)
        if self.training and self.noise != "off":
            audio = disturbed(audio, self.noise, self.generator)
        tokens = self.audio_prompt(audio)[:, :, None]
        sizes = None
        if self.padded_frames and batch.native_masks is not None:
            sizes = [tuple(m.shape[-2:]) for m in batch.native_masks]
        answer = self.masks_of_frames(self.encode(self._shown(batch.frames, sizes)), tokens)
        if sizes is None:
            return answer
        side = batch.frames.shape[-1]
        pairs = zip(answer.best.float(), sizes, strict=True)
        best = torch.stack([unpadded(logits, side, *size) for logits, size in pairs])
        return answer._replace(best=best, mask_logits=best[:, :, None].expand(-1, -1, 3, -1, -1))

    def _shown(self, frames: Tensor, sizes: Sequence[tuple[int, int]] | None) -> Tensor:
        """Frames as the encoder sees them, (B, T, 3, S, S) uint8."""
        if self.bgr_frames:
            frames = frames.flip(2)
        if sizes is None:
            return frames
        return torch.stack([padded(clip, *size) for clip, size in zip(frames, sizes, strict=True)])

    def losses(self, batch: ClipBatch) -> dict[str, Tensor]:
        """The mask loss, of frames with a truth or with the first frame's."""
        if self.first_truth_for_all:
            batch = _with_first_truth(batch)
        return super().losses(batch)


def _with_first_truth(batch: ClipBatch) -> ClipBatch:
    """Frames without a truth take that of the clip's first frame."""

    def filled(masks: Tensor, known: Tensor) -> Tensor:
        return torch.where(known[:, None, None], masks, masks[:1])

    known = batch.supervised.bool()
    native = batch.native_masks
    if native is not None:
        native = [filled(m, k) for m, k in zip(native, known, strict=True)]
    masks = torch.stack([filled(m, k) for m, k in zip(batch.masks, known, strict=True)])
    return batch._replace(masks=masks, native_masks=native, supervised=torch.ones_like(known))
