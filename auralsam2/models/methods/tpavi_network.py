"""AVSBench's own network for audio-visual segmentation, without SAM2."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from auralsam2 import registry
from auralsam2.models.methods.base import ClipBatch, ClipMethod, Node
from auralsam2.models.methods.tpavi_layers import (
    DilatedNeck,
    MaskHead,
    RefineStep,
)
from auralsam2.models.one_mask import as_prediction
from auralsam2.registry import MODELS
from auralsam2.shapes import check_shape
from auralsam2.structures import Prediction


def matching_loss(
    stages: Sequence[Tensor], audio: Sequence[Tensor], mask_logits: Tensor, supervised: Tensor
) -> Tensor:
    """Audio-visual mapping (AVM, Zhou et al. 2022, equation 4), for several sources.

    Sum over stages of KL(avg(M Z), A): the fused map under the predicted mask, averaged over its
    positions, against the audio vector; both as distributions over the channels.

    Args:
        stages: fused maps Z, (F, C, h, h) of each stage.
        audio: A, (F, C) of each stage.
        mask_logits: (F, H, H), reduced to every stage's side by averages.
        supervised: (F,) bool; the others do not count.

    Returns:
        A scalar, the mean over frames; zero with a graph where none counts.
    """
    probability = mask_logits.sigmoid()[:, None]
    total = mask_logits.new_zeros(len(mask_logits))
    for stage, heard in zip(stages, audio, strict=True):
        mask = F.adaptive_avg_pool2d(probability, stage.shape[-2:])
        seen = (mask * stage).mean(dim=(-2, -1)).log_softmax(dim=-1)
        target = heard.log_softmax(dim=-1)
        total = total + F.kl_div(seen, target, reduction="none", log_target=True).sum(-1)
    return torch.where(supervised, total, 0.0).sum() / supervised.sum().clamp(min=1)


STAGES = (1, 2, 3, 4)
OUTPUT_STRIDES = (1, 2, 4)


class Answer(NamedTuple):
    """What one pass gives."""

    mask_logits: Tensor  # (B, T, H, H)
    fused: tuple[Tensor, ...]  # (B T, C, h, h) of each fused stage
    audio: tuple[Tensor, ...]  # (B T, C) of each fused stage


@MODELS.register_module()
class TPAVINetwork(ClipMethod):
    """Image encoder, dilated neck, TPAVI, decoder (AVSBench, Zhou et al. 2022, section 4).

    One mask a frame, trained end to end. Normalisations of a ResNet and of TPAVI share statistics
    among the clips of a training batch, as in the paper; in eval mode clips are independent.

    Args:
        image_encoder: node of ``IMAGE_ENCODERS``.
        audio_encoder: node of ``AUDIO_ENCODERS``.
        mask_loss: node of ``MASK_LOSSES``.
        fusion: node of ``FUSIONS``, built once a fused stage.
        channels: C of neck and decoder, divisible by 8.
        dilations: of the neck.
        fused_stages: stages, 1 the finest, at which the sound enters.
        matching_weight: of AVSBench's second loss; the paper has 0.5 for several sources, and 0
            for one.
        output_stride: side of the frames over side of the mask logits.
        image_size: S, to which frames are held; ``None`` takes any.
        decode: as in :class:`ClipMethod`; all modes answer the one mask, and those that look at
            the object score agree with it: it is the highest logit of the mask.

    Raises:
        ValueError: listing every argument that is out of range.
    """

    def __init__(
        self,
        image_encoder: Node,
        audio_encoder: Node,
        mask_loss: Node,
        fusion: Node,
        channels: int = 256,
        dilations: Sequence[int] = (3, 6, 12, 18),
        fused_stages: Sequence[int] = STAGES,
        matching_weight: float = 0.0,
        output_stride: int = 1,
        image_size: int | None = None,
        decode: str = "iou_select",
    ) -> None:
        problems = _problems(channels, dilations, fused_stages, matching_weight, output_stride)
        for name, node in (("audio_encoder", audio_encoder), ("fusion", fusion)):
            if node is None:
                problems.append(f"{name} is None; without it the network hears nothing")
        if problems:
            raise ValueError("TPAVINetwork: " + "; ".join(problems))
        super().__init__(mask_loss=mask_loss, decode=decode)
        self.matching_weight, self.output_stride = matching_weight, output_stride
        self.sides = {} if image_size is None else {"S": image_size}
        self.fused_stages = tuple(sorted(fused_stages))
        self.image_encoder = registry.IMAGE_ENCODERS.build(image_encoder, image_size=image_size)
        self.necks = nn.ModuleList(
            DilatedNeck(width, channels, dilations) for width in self.image_encoder.channels
        )
        self.audio_encoder = registry.AUDIO_ENCODERS.build(audio_encoder)
        heard = self.audio_encoder.out_channels
        self.audio_adapters = nn.ModuleList(nn.Linear(heard, channels) for _ in self.fused_stages)
        self.fusions = nn.ModuleList(
            registry.FUSIONS.build(fusion, channels=channels) for _ in self.fused_stages
        )
        self.steps = nn.ModuleList(RefineStep(channels, stage == STAGES[-1]) for stage in STAGES)
        self.head = MaskHead(channels)

    def encode(self, frames: Tensor) -> tuple[Tensor, ...]:
        """(B, T, 3, S, S) uint8 -> (B T, C, h, h) of each stage, finest first; no sound yet."""
        stages = self.image_encoder(self.normalise(frames.flatten(0, 1)))
        return tuple(neck(stage) for neck, stage in zip(self.necks, stages, strict=True))

    def answer(self, frames: Tensor, log_mel: Tensor) -> Answer:
        """One pass over B clips, frames (B, T, 3, S, S) uint8 and log-mels (B, T, A, 96, 64)."""
        sizes = check_shape(frames, "B T 3 S S", name="frames", **self.sides)
        shape = (sizes["B"], sizes["T"])
        maps = list(self.encode(frames))
        vectors = self.audio_encoder(log_mel)
        heard, fused = [], []
        for stage, adapter, fusion in zip(
            self.fused_stages, self.audio_adapters, self.fusions, strict=True
        ):
            level = maps[stage - 1]
            tokens = level.flatten(2).transpose(1, 2).unflatten(0, shape)  # (B, T, N, C)
            out = fusion(tokens, adapter(vectors))
            level = out.visual.flatten(0, 1).transpose(1, 2).unflatten(2, level.shape[-2:])
            maps[stage - 1] = level
            fused.append(level)
            heard.append(out.audio[:, : sizes["T"]].flatten(0, 1))
        logits = self._decode(maps, sizes["S"])
        return Answer(logits.unflatten(0, shape), tuple(fused), tuple(heard))

    def _decode(self, maps: Sequence[Tensor], side: int) -> Tensor:
        """Four maps (F, C, h, h), finest first -> (F, H, H)."""
        x: Tensor | None = None
        for step, stage in reversed(list(zip(self.steps, maps, strict=True))):
            x = step(stage, x)
        stride = self.output_stride
        logits: Tensor = self.head(x, side // max(2, stride), side // stride)
        return logits.float()

    def predict_clip(self, batch: ClipBatch) -> Prediction:
        """Masks of every frame."""
        return as_prediction(self.answer(batch.frames, batch.log_mel).mask_logits)

    def losses(self, batch: ClipBatch) -> dict[str, Tensor]:
        """Those of the mask loss, and ``loss_matching`` where it has a weight."""
        answer = self.answer(batch.frames, batch.log_mel)
        prediction = as_prediction(answer.mask_logits)
        losses = self.mask_losses(prediction, batch)
        if self.matching_weight:
            flat = (answer.mask_logits.flatten(0, 1), batch.supervised.flatten())
            losses["loss_matching"] = self.matching_weight * matching_loss(
                answer.fused, answer.audio, *flat
            )
        return losses


def _problems(
    channels: int,
    dilations: Sequence[int],
    fused_stages: Sequence[int],
    matching_weight: float,
    output_stride: int,
) -> list[str]:
    problems = []
    if channels < 8 or channels % 8:
        problems.append(f"channels must be a positive multiple of 8, got {channels}")
    if not dilations or min(dilations) < 1:
        problems.append(f"dilations must be at least one number from 1 on, got {dilations}")
    unknown = sorted(set(fused_stages) - set(STAGES))
    if unknown or not fused_stages or len(set(fused_stages)) != len(fused_stages):
        problems.append(f"fused_stages must be some of {STAGES}, each once, got {fused_stages}")
    if matching_weight < 0:
        problems.append(f"matching_weight must be at least 0, got {matching_weight}")
    if output_stride not in OUTPUT_STRIDES:
        problems.append(f"output_stride must be one of {OUTPUT_STRIDES}, got {output_stride}")
    return problems
