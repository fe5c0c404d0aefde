"""The sound as a prompt token of SAM2's mask decoder, as AV-SAM and GAVS do it.

Axes: B clips, T frames, C channels, E side of the image embedding, N = E * E, D width of the audio.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from auralsam2 import registry
from auralsam2.models.injection import StepwiseInjection
from auralsam2.models.methods.base import ClipBatch, Node, SAM2Method
from auralsam2.registry import MODELS
from auralsam2.shapes import check_shape
from auralsam2.structures import Prediction, Prompts


class PixelFusion(nn.Module):
    """AV-SAM's idea: every pixel meets the frame's sound before the decoder reads it.

    ``v + MLP(W_v v + W_a a)``, the same map at every pixel. The last layer starts at zero: training
    begins with SAM2's own embedding.
    """

    # Sites of the decoder in front of which something is added.
    sites: tuple[str, ...] = ("block1",)

    def __init__(self, channels: int, audio_channels: int) -> None:
        super().__init__()
        self.visual = nn.Linear(channels, channels)
        self.audio = nn.Linear(audio_channels, channels, bias=False)
        self.out = _zero(nn.Linear(channels, channels))
        self.act = nn.GELU()

    def forward(self, features: Tensor, audio: Tensor) -> tuple[Tensor, ...]:
        """What is added at every site, (B, T, C, E, E) and (B, T, D) -> (B, T, N, C) each."""
        tokens = _tokens(features, audio)
        return (self.out(self.act(self.visual(tokens) + self.audio(audio)[:, :, None])),)


class CorrelationAdapter(nn.Module):
    """GAVS' idea: a narrow adapter of each decoder block, driven by how pixel and sound agree.

    ``W_up (W_v v * W_a a)``: the channel-wise product of both in a space of ``hidden_channels``,
    added in front of each of the two blocks. The published adapter reads the tokens inside the
    decoder; this one reads the image embedding in front of it. Starts at zero.
    """

    # Sites of the decoder in front of which something is added.
    sites: tuple[str, ...] = ("block1", "block2")

    def __init__(self, channels: int, audio_channels: int, hidden_channels: int = 64) -> None:
        super().__init__()
        self.visual = nn.ModuleList(nn.Linear(channels, hidden_channels) for _ in self.sites)
        self.audio = nn.ModuleList(nn.Linear(audio_channels, hidden_channels) for _ in self.sites)
        self.up = nn.ModuleList(_zero(nn.Linear(hidden_channels, channels)) for _ in self.sites)

    def forward(self, features: Tensor, audio: Tensor) -> tuple[Tensor, ...]:
        """(B, T, C, E, E) and (B, T, D) -> (B, T, N, C) for every site."""
        tokens = _tokens(features, audio)
        return tuple(
            up(visual(tokens) * heard(audio)[:, :, None])
            for visual, heard, up in zip(self.visual, self.audio, self.up, strict=True)
        )


IMAGE_FUSIONS: dict[str, type[PixelFusion] | type[CorrelationAdapter]] = {
    "pixel": PixelFusion,
    "correlation": CorrelationAdapter,
}


def _tokens(features: Tensor, audio: Tensor) -> Tensor:
    sizes = check_shape(features, "B T C E E", name="image embedding")
    check_shape(audio, "B T D", name="audio vectors", B=sizes["B"], T=sizes["T"])
    return features.flatten(3).transpose(2, 3)  # (B, T, N, C)


def _zero(layer: nn.Linear) -> nn.Linear:
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


class AudioPrompt(nn.Module):
    """A frame's sound to K prompt tokens of the decoder.

    With ``visual_context`` the frame's mean feature stands beside its sound, so that a token can
    say which of the things in sight is meant (GAVS, semantic-aware audio prompt).
    """

    def __init__(
        self, audio_channels: int, channels: int, num_tokens: int, visual_context: bool
    ) -> None:
        super().__init__()
        self.num_tokens, self.visual_context = num_tokens, visual_context
        self.mlp = nn.Sequential(
            nn.Linear(audio_channels + channels * visual_context, channels),
            nn.GELU(),
            nn.Linear(channels, num_tokens * channels),
        )

    def forward(self, audio: Tensor, features: Tensor) -> Tensor:
        """(B, T, D) and (B, T, C, E, E) -> (B, T, K, C)."""
        if self.visual_context:
            audio = torch.cat([audio, features.mean(dim=(3, 4))], dim=2)
        return self.mlp(audio).unflatten(2, (self.num_tokens, -1))


@MODELS.register_module()
class AudioTokenSAM2(SAM2Method):
    """Audio tokens stand where clicks and boxes stand (AV-SAM, arXiv 2305.01836; GAVS, AAAI 2024).

    Args:
        backbone: node of ``BACKBONES``.
        audio_encoder: node of ``AUDIO_ENCODERS``.
        tracker: node of ``TRACKERS``. The papers segment single images: ``use_memory=False``.
        mask_loss: node of ``MASK_LOSSES``.
        num_tokens: K, prompt tokens a frame.
        visual_context: the tokens know the frame's mean feature (GAVS).
        image_fusion: what is added to the image embedding: ``pixel`` (AV-SAM), ``correlation``
            (GAVS), or ``None``.
        trained_parts: parts of the SAM2 that are trained beside the new ones; an empty tuple
            freezes it whole.
        **shared: see :class:`SAM2Method`.

    Raises:
        ValueError: naming every argument that is out of range.
    """

    def __init__(
        self,
        backbone: Node,
        audio_encoder: Node,
        tracker: Node,
        mask_loss: Node,
        num_tokens: int = 1,
        visual_context: bool = False,
        image_fusion: str | None = None,
        trained_parts: Sequence[str] = ("sam_mask_decoder",),
        **shared: Any,
    ) -> None:
        problems = []
        if num_tokens < 1:
            problems.append(f"num_tokens must be at least 1, got {num_tokens=}")
        if image_fusion is not None and image_fusion not in IMAGE_FUSIONS:
            problems.append(f"unknown {image_fusion=}; known: {', '.join(IMAGE_FUSIONS)}, None")
        if problems:
            raise ValueError("AudioTokenSAM2: " + "; ".join(problems))
        parts = {"backbone": backbone, "tracker": tracker, "mask_loss": mask_loss}
        super().__init__(**parts, trained_parts=trained_parts, **shared)
        self.audio_encoder = registry.AUDIO_ENCODERS.build(audio_encoder)
        width = self.audio_encoder.out_channels
        channels = self.backbone.channels
        self.audio_prompt = AudioPrompt(width, channels, num_tokens, visual_context)
        self.image_fusion = None
        self.injection: StepwiseInjection | None = None
        if image_fusion is not None:
            self.image_fusion = IMAGE_FUSIONS[image_fusion](channels, width)
            self.injection = StepwiseInjection(
                dense_sites=self.image_fusion.sites, order="fine_to_coarse"
            )

    def predict_clip(self, batch: ClipBatch) -> Prediction:
        """Masks of what is heard."""
        pyramid = self.encode(batch.frames)
        audio = self.audio_encoder(batch.log_mel)
        coarse = pyramid.levels[-1]
        dense = () if self.image_fusion is None else self.image_fusion(coarse, audio)
        prediction: Prediction = self.tracker(
            self.backbone.network,
            pyramid,
            Prompts(dense=dense),
            self.injection,
            extra_tokens=self.audio_prompt(audio, coarse),
        )
        return prediction
