"""AVSBench's own network for audio-visual segmentation, without SAM2."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch.nn.functional as F
from torch import Tensor, nn

from auralsam2 import registry
from auralsam2.messages import too_small, unknown_values, unnamed
from auralsam2.models.methods.base import ClipBatch, ClipMethod, Node
from auralsam2.models.methods.tpavi_layers import DilatedNeck, MaskHead, RefineStep, StageFusion
from auralsam2.models.methods.tpavi_matching import (
    REDUCTIONS,
    hard_masks,
    matching_loss,
    soft_masks,
)
from auralsam2.models.one_mask import map_prediction
from auralsam2.registry import MODELS
from auralsam2.shapes import check_shape
from auralsam2.structures import Prediction

STAGES = (1, 2, 3, 4)
OUTPUT_STRIDES = (1, 2, 4)


class Answer(NamedTuple):
    """What one pass gives."""

    logits: Tensor  # (B, T, K, H, H), K = 1 of a mask, else of classes with the background first
    fused: tuple[Tensor, ...]  # (B T, C, h, h) of each fused stage, as the matching loss sees it
    audio: tuple[Tensor, ...]  # (B T, C) of each fused stage


@MODELS.register_module()
class TPAVINetwork(ClipMethod):
    """Image encoder, dilated neck, TPAVI, decoder (AVSBench, Zhou et al. 2022, section 3).

    One mask a frame, or one map of classes (AVSS, Zhou et al. 2023), trained end to end.
    Normalisations of a ResNet and of TPAVI share statistics among the clips of a training batch, as
    in the paper; in eval mode clips are independent.

    Args:
        image_encoder: node of ``IMAGE_ENCODERS``.
        audio_encoder: node of ``AUDIO_ENCODERS``.
        mask_loss: node of ``MASK_LOSSES``.
        fusion: node of ``FUSIONS``, built once a fused stage.
        channels: C of neck and decoder.
        dilations: of the neck.
        head_channels: of the two convolutions in front of the last one.
        fused_stages: stages, 1 the finest, at which the sound enters.
        num_classes: K of a class head, the background included; ``None`` for masks alone.
        align_bias: whether the layers that bring the audio to C channels have a bias; AVSS has
            none.
        matching_weight: of AVSBench's second loss; 0.5 in its code for several sources and for
            classes, 0 for one source.
        matching_reduction: ``mean`` over frames, or ``sum_over_frames`` as released for several
            sources.
        inplace_relu: as released: residual units add ReLU(x) to themselves, not x, and the maps
            that the matching loss sees are rectified; the published checkpoints need it.
        fused_frames: as released for classes, where it is 5: clips are fused in pieces of so many
            frames; ``None`` fuses them whole.
        unused_parameters: as released: register the residual unit of the coarsest stage that
            nothing uses.
        output_stride: side of the frames over side of the logits.
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
        head_channels: Sequence[int] = (128, 32),
        fused_stages: Sequence[int] = STAGES,
        num_classes: int | None = None,
        align_bias: bool = True,
        matching_weight: float = 0.0,
        matching_reduction: str = "mean",
        inplace_relu: bool = False,
        fused_frames: int | None = None,
        unused_parameters: bool = False,
        output_stride: int = 1,
        image_size: int | None = None,
        decode: str = "iou_select",
    ) -> None:
        problems = [
            *unnamed(image_encoder=image_encoder, audio_encoder=audio_encoder, fusion=fusion),
            *too_small(
                channels=(channels, 2),
                num_classes=(num_classes, 2),
                matching_weight=(matching_weight, 0),
                fused_frames=(fused_frames, 1),
            ),
            *_list_problems(dilations, head_channels, fused_stages),
        ]
        problems += unknown_values(
            output_stride=(output_stride, OUTPUT_STRIDES),
            matching_reduction=(matching_reduction, REDUCTIONS),
        )
        if problems:
            raise ValueError("TPAVINetwork: " + "; ".join(problems))
        super().__init__(mask_loss=mask_loss, decode=decode)
        self.matching_weight, self.matching_reduction = matching_weight, matching_reduction
        self.output_stride, self.inplace_relu = output_stride, inplace_relu
        self.sides = {} if image_size is None else {"S": image_size}
        self.fused_stages, self.num_classes = tuple(sorted(fused_stages)), num_classes
        self.image_encoder = registry.IMAGE_ENCODERS.build(image_encoder, image_size=image_size)
        self.necks = nn.ModuleList(
            DilatedNeck(width, channels, dilations) for width in self.image_encoder.channels
        )
        self.audio_encoder = registry.AUDIO_ENCODERS.build(audio_encoder)
        self.fusions = nn.ModuleList(
            StageFusion(self.audio_encoder.out_channels, channels, fusion, align_bias, fused_frames)
            for _ in self.fused_stages
        )
        self.steps = nn.ModuleList(
            RefineStep(channels, inplace_relu, stage == STAGES[-1], unused_parameters)
            for stage in STAGES
        )
        self.head = MaskHead(channels, head_channels, num_classes or 1)

    @classmethod
    def has_class_head(cls, num_classes: int | None = None, **arguments: Any) -> bool:
        """Whether ``num_classes`` are stated."""
        return num_classes is not None

    def encode(self, frames: Tensor, padded: Tensor | None = None) -> tuple[Tensor, ...]:
        """(B, T, 3, S, S) uint8 -> (B T, C, h, h) of each stage, finest first; no sound yet.

        Frames that are ``padded``, (B, T) bool, are zeros behind the normalisation.
        """
        images = _zeroed(self.normalise(frames), padded)
        return self.reduce(self.image_encoder(images.flatten(0, 1)))

    def reduce(self, stages: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Maps (F, C_i, h, h) of the image encoder -> (F, C, h, h), all as wide as the decoder."""
        return tuple(neck(stage) for neck, stage in zip(self.necks, stages, strict=True))

    def segment(
        self, maps: Sequence[Tensor], vectors: Tensor, side: int, padded: Tensor | None = None
    ) -> Answer:
        """Fuse and decode.

        Args:
            maps: (B T, C, h, h) of each stage, finest first.
            vectors: (B, T, D) of the audio encoder.
            side: S of the frames.
            padded: (B, T) bool, frames that only fill their clips up: as in AVSS their maps,
                audio and logits are zero from stage to stage.
        """
        vectors = _zeroed(vectors, padded)
        padded = None if padded is None else padded.flatten()
        maps = [_zeroed(level, padded) for level in maps]
        heard, fused = [], []
        for stage, fusion in zip(self.fused_stages, self.fusions, strict=True):
            level, audio = fusion(maps[stage - 1], vectors)
            maps[stage - 1] = _zeroed(level, padded)
            fused.append(F.relu(maps[stage - 1]) if self.inplace_relu else maps[stage - 1])
            heard.append(audio)
        x: Tensor | None = None
        for step, level in reversed(list(zip(self.steps, maps, strict=True))):
            x = _zeroed(step(level, x), padded)
        stride = self.output_stride
        logits = _zeroed(self.head(x, side // max(2, stride), side // stride).float(), padded)
        return Answer(logits.unflatten(0, vectors.shape[:2]), tuple(fused), tuple(heard))

    def answer(self, batch: ClipBatch) -> Answer:
        """One pass over the clips of a batch."""
        sizes = check_shape(batch.frames, "B T 3 S S", name="frames", **self.sides)
        maps = self.encode(batch.frames, batch.padded)
        vectors = self.audio_encoder(batch.log_mel)
        return self.segment(maps, vectors, sizes["S"], batch.padded)

    def predict_clip(self, batch: ClipBatch) -> Prediction:
        """Masks, or classes, of every frame."""
        return map_prediction(self.answer(batch).logits)

    def losses(self, batch: ClipBatch) -> dict[str, Tensor]:
        """Those of the mask loss, and ``loss_matching`` where it has a weight."""
        answer = self.answer(batch)
        losses = self.mask_losses(map_prediction(answer.logits), batch)
        if self.matching_weight:
            masks_of = soft_masks if self.num_classes is None else hard_masks
            losses["loss_matching"] = self.matching_weight * matching_loss(
                answer.fused,
                answer.audio,
                masks_of(answer.logits.flatten(0, 1), answer.fused),
                batch.supervised.flatten(),
                self.matching_reduction,
            )
        return losses


def _zeroed(x: Tensor, padded: Tensor | None) -> Tensor:
    """Zeros in the frames of x that are ``padded``, bool over its first axes; None: in none."""
    return (
        x if padded is None else x.masked_fill(padded[(..., *[None] * (x.dim() - padded.dim()))], 0)
    )


def _list_problems(
    dilations: Sequence[int], head_channels: Sequence[int], fused_stages: Sequence[int]
) -> list[str]:
    problems = []
    if not dilations or min(dilations) < 1:
        problems.append(f"dilations must be at least one number from 1 on, got {dilations}")
    if len(head_channels) != 2 or min(head_channels) < 1:
        problems.append(f"head_channels must be 2 numbers from 1 on, got {head_channels}")
    stages = set(fused_stages)
    if not stages or stages - set(STAGES) or len(stages) != len(fused_stages):
        problems.append(f"fused_stages must be some of {STAGES}, each once, got {fused_stages}")
    return problems
