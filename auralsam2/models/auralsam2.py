"""AuralSAM2: a frozen SAM2 that hears.

    pyramid -> AuralFuser (with audio) -> sparse and dense prompts -> masks -> losses

Every part is built here from its config node, and only here; the parts themselves take plain
arguments and dimensions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from mmengine.model import BaseModel
from torch import Tensor, nn

from auralsam2 import registry
from auralsam2.models.audio.adapter import AudioAdapter
from auralsam2.models.decode import clip_results, decode_mode
from auralsam2.models.decoder_rows import DecoderCalls, rows_of_frames
from auralsam2.models.feature_cache import shared_cache
from auralsam2.models.fuser import AuralFuser, level_depths
from auralsam2.models.joined_clips import join, separate
from auralsam2.models.text.adapter import TextAdapter, check_expressions
from auralsam2.registry import MODELS
from auralsam2.structures import Embeddings, FuserOutput, Prediction, Prompts, VisualPyramid

Node = Mapping[str, Any] | None

# ImageNet statistics on the 0..255 scale, as SAM2 was trained with.
PIXEL_MEAN, PIXEL_STD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)


@MODELS.register_module()
class AuralSAM2(BaseModel):
    """Audio-visual segmentation with audio prompts for a frozen SAM2 (arXiv 2506.01015).

    Args:
        backbone: node of ``BACKBONES``.
        audio_encoder: node of ``AUDIO_ENCODERS``.
        pyramid: node of ``PYRAMIDS``; its ``num_levels`` is the depth axis.
        visual_attention: node of ``VISUAL_ATTENTIONS``, built once a level.
        visual_depths: blocks a level, finest level first.
        audio_attention: node of ``AUDIO_ATTENTIONS``, built once a level.
        audio_depth: blocks a level.
        fusion: node of ``FUSIONS``, built once a level.
        sparse_prompt: node of ``SPARSE_PROMPTS``; ``None`` is off.
        dense_prompt: node of ``DENSE_PROMPTS``; ``None`` is off.
        projector: node of ``PROJECTORS``; needed by a contrastive loss.
        injection: node of ``INJECTIONS``.
        tracker: node of ``TRACKERS``.
        mask_loss: node of ``MASK_LOSSES``.
        contrastive_loss: node of ``CONTRASTIVE_LOSSES``; ``None`` is off.
        text_encoder: node of ``TEXT_ENCODERS``; ``None`` is off. The expression's tokens join the
            clip's audio tokens in the fuser, behind them.
        constant_audio_position: as released, see :class:`AuralFuser`.
        join_clips: as released, take the clips of a batch for one long video, in fuser and
            tracker. Off (corrected), clips never meet.
        image_size: S; default: the backbone's own.
        feature_cache_mb: megabytes for the pyramids of clips seen before; pays where the backbone
            is frozen, frames are not augmented, and the data are small.
        decode: which candidate mask is the answer, see :mod:`auralsam2.models.decode`.

    With both prompts and the contrastive loss off nothing listens: neither audio encoder nor
    fuser is built, and the model is the unprompted SAM2.
    """

    def __init__(
        self,
        backbone: Node,
        audio_encoder: Node,
        pyramid: Node,
        visual_attention: Node,
        audio_attention: Node,
        fusion: Node,
        injection: Node,
        tracker: Node,
        mask_loss: Node,
        sparse_prompt: Node = None,
        dense_prompt: Node = None,
        projector: Node = None,
        contrastive_loss: Node = None,
        text_encoder: Node = None,
        constant_audio_position: bool = False,
        join_clips: bool = False,
        visual_depths: Sequence[int] = (3, 6, 12),
        audio_depth: int = 3,
        image_size: int | None = None,
        feature_cache_mb: int = 0,
        decode: str = "iou_select",
    ) -> None:
        super().__init__()
        if contrastive_loss is not None and projector is None:
            raise ValueError(
                "model.contrastive_loss needs model.projector, which is None; set it to "
                "dict(type='MLPProjector'), or contrastive_loss to None as well"
            )
        self.decode = decode_mode(decode)
        self.backbone = registry.BACKBONES.build(backbone, image_size=image_size)
        cached = feature_cache_mb and not any(p.requires_grad for p in self.backbone.parameters())
        self.feature_cache = shared_cache(self.backbone, feature_cache_mb) if cached else None
        self.injection = registry.INJECTIONS.build(injection)
        self.tracker = registry.TRACKERS.build(tracker)
        self.mask_loss = registry.MASK_LOSSES.build(mask_loss)
        self.contrastive_loss = registry.CONTRASTIVE_LOSSES.build(contrastive_loss)
        self.join_clips = join_clips
        self.fuser: AuralFuser | None = None
        self.listens = any(n is not None for n in (sparse_prompt, dense_prompt, contrastive_loss))
        if self.listens:
            self.audio_encoder = registry.AUDIO_ENCODERS.build(audio_encoder)
            self._build_text(text_encoder)
            self._build_fuser(
                *(pyramid, visual_attention, visual_depths, audio_attention, audio_depth, fusion),
                constant_audio_position=constant_audio_position,
            )
            self._build_heads(sparse_prompt, dense_prompt, projector)
        self.register_buffer("pixel_mean", torch.tensor(PIXEL_MEAN).view(3, 1, 1), persistent=False)
        self.register_buffer("pixel_std", torch.tensor(PIXEL_STD).view(3, 1, 1), persistent=False)
        # Drawn from by the contrastive loss; the engine seeds it anew at every step.
        self.generator = torch.Generator()

    def _build_text(self, text_encoder: Node) -> None:
        self.text_encoder = registry.TEXT_ENCODERS.build(text_encoder)
        if self.text_encoder is not None:
            self.text_adapter = TextAdapter(self.text_encoder.out_channels, self.backbone.channels)

    def _build_fuser(
        self,
        pyramid: Node,
        visual_attention: Node,
        visual_depths: Sequence[int],
        audio_attention: Node,
        audio_depth: int,
        fusion: Node,
        constant_audio_position: bool,
    ) -> None:
        size = {
            "channels": self.backbone.channels,
            "embedding_size": self.backbone.embedding_size,
        }
        levels = registry.PYRAMIDS.build(pyramid, **size)
        depths = level_depths(visual_depths, levels.num_levels)
        self.fuser = AuralFuser(
            pyramid=levels,
            visual_attentions=[
                registry.VISUAL_ATTENTIONS.build(visual_attention, depth=d, **size) for d in depths
            ],
            audio_attentions=[
                registry.AUDIO_ATTENTIONS.build(audio_attention, depth=audio_depth, **size)
                for _ in depths
            ],
            fusions=[registry.FUSIONS.build(fusion, **size) for _ in depths],
            constant_audio_position=constant_audio_position,
            **size,
        )
        self.audio_adapter = AudioAdapter(self.audio_encoder.out_channels, self.backbone.channels)

    def _build_heads(self, sparse_prompt: Node, dense_prompt: Node, projector: Node) -> None:
        assert self.fuser is not None
        channels, levels = self.backbone.channels, range(len(self.fuser.fusions))
        self.injection.dense_levels(len(levels))  # a level that is not there is refused now
        self.sparse_prompts = nn.ModuleList(
            registry.SPARSE_PROMPTS.build(sparse_prompt, channels=channels)
            for _ in levels
            if sparse_prompt is not None
        )
        self.dense_prompts = nn.ModuleList(
            registry.DENSE_PROMPTS.build(dense_prompt, channels=channels)
            for _ in levels
            if dense_prompt is not None
        )
        self.projector = (
            registry.PROJECTORS.build(projector, channels=channels)
            if self.contrastive_loss is not None
            else None
        )

    def forward(
        self,
        frames: Tensor,
        log_mel: Tensor,
        masks: Tensor,
        supervised: Tensor,
        clip: Sequence[str],
        native_masks: Sequence[Tensor] | None = None,
        text: Sequence[str] | None = None,
        semantic: Tensor | None = None,
        mode: str = "loss",
    ) -> dict[str, Tensor] | list[dict[str, Any]] | Prediction:
        """Losses, or one result a clip, or the raw prediction.

        Args:
            frames: (B, T, 3, S, S) uint8 RGB.
            log_mel: (B, T, 2, 96, 64).
            masks: (B, T, S, S) in {0, 1}.
            supervised: (B, T) bool.
            clip: B names.
            native_masks: B tensors (T, H, W), the truth at its own size.
            text: B referring expressions, where the model has a text encoder.
            semantic: (B, T, S, S) class indices where the data have them; masks here are
                class-agnostic, so they are not used.
            mode: ``loss``, ``predict`` or ``tensor``.
        """
        if self.join_clips:
            frames, log_mel = join(frames), join(log_mel)
        pyramid = self.encode(frames)
        fused = self.listen(pyramid, log_mel, text)
        prediction = self.tracker(
            self.backbone.network, pyramid, self.prompts(fused), self.injection
        )
        if mode == "loss" and self.join_clips:
            return self._losses(prediction, fused, join(masks), join(supervised))
        if mode == "loss":
            return self._losses(prediction, fused, masks, supervised)
        if self.join_clips:
            prediction = separate(prediction, len(clip))
        if mode == "tensor":
            return prediction
        if mode != "predict":
            raise ValueError(f"unknown {mode=}; known: loss, predict, tensor")
        truth = list(masks) if native_masks is None else native_masks
        return clip_results(prediction, self.decode, truth, supervised, clip)

    def decoder_rows(self, masks: Tensor) -> DecoderCalls:
        """Whose frame every row of every decoder call is; ``masks``: (B, T, S, S)."""
        return rows_of_frames(self.tracker, masks, joined=self.join_clips)

    def encode(self, frames: Tensor) -> VisualPyramid:
        """(B, T, 3, S, S) uint8 -> the backbone's pyramid, from the cache where it has it."""
        if self.feature_cache is None:
            return self.backbone(self.normalise(frames))
        return self.feature_cache(frames, lambda new: self.backbone(self.normalise(new)))

    def normalise(self, frames: Tensor) -> Tensor:
        """(..., 3, S, S) uint8 -> float, ImageNet mean and standard deviation."""
        return (frames.float() - self.pixel_mean) / self.pixel_std

    def listen(
        self, pyramid: VisualPyramid, log_mel: Tensor, text: Sequence[str] | None = None
    ) -> FuserOutput | None:
        """Residuals of every level; ``None`` where nothing listens."""
        if self.fuser is None:
            return None
        tokens = self.audio_adapter(self.audio_encoder(log_mel))
        if self.text_encoder is not None:
            check_expressions(text, len(tokens))
            tokens = torch.cat([tokens, self.text_adapter(self.text_encoder(text))], dim=1)
        return self.fuser(pyramid, tokens)

    def prompts(self, fused: FuserOutput | None) -> Prompts:
        """Sparse and dense prompts of every level; empty where switched off."""
        if fused is None:
            return Prompts()
        num_frames = fused.visual[0].shape[1]
        return Prompts(
            sparse=tuple(
                head(audio[:, :num_frames])
                for head, audio in zip(self.sparse_prompts, fused.audio, strict=False)
            ),
            dense=tuple(
                head(visual) for head, visual in zip(self.dense_prompts, fused.visual, strict=False)
            ),
        )

    def embed(self, fused: FuserOutput) -> Embeddings:
        """Both streams in the contrastive space."""
        assert self.projector is not None and self.fuser is not None
        num_frames = fused.visual[0].shape[1]
        source = getattr(fused, self.projector.visual_source)
        if not source:
            raise ValueError(
                f"{type(self.projector).__name__} reads the fusion's {self.projector.visual_source}"
                f", which {type(self.fuser.fusions[0]).__name__} does not give; take "
                "MLPProjector, or a fusion of the TPAVI family"
            )
        return Embeddings(
            visual=tuple(self.projector.visual(v) for v in source),
            audio=tuple(self.projector.audio(a[:, :num_frames]) for a in fused.audio),
        )

    def _losses(
        self,
        prediction: Prediction,
        fused: FuserOutput | None,
        masks: Tensor,
        supervised: Tensor,
    ) -> dict[str, Tensor]:
        losses: dict[str, Tensor] = self.mask_loss(prediction, masks.float(), supervised)
        if self.contrastive_loss is not None:
            assert fused is not None
            losses |= self.contrastive_loss(
                self.embed(fused), prediction.best.detach(), masks, supervised, self.generator
            )
        return losses
