"""AuralSAM2: a frozen SAM2 that hears.

    pyramid -> AuralFuser (with audio) -> sparse and dense prompts -> masks -> losses

Every part is built here from its config node, and only here; the parts themselves take plain
arguments and dimensions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from auralsam2 import registry
from auralsam2.messages import unknown_name
from auralsam2.models.adapters import AudioAdapter, TextAdapter, check_expressions
from auralsam2.models.fuser import AuralFuser, level_depths
from auralsam2.models.gradient_checkpointing import checkpoint_layers
from auralsam2.models.interaction import HeardClip, Interaction, clips_of, prompts_of
from auralsam2.models.methods.base import ClipBatch, Node, SAM2Method
from auralsam2.registry import MODELS, Registry
from auralsam2.structures import Embeddings, FuserOutput, Prediction, Prompts, VisualPyramid

CHECKPOINTED = ("fuser", "tracker", "losses")
"""Parts whose activations may be computed again in the backward pass."""


@MODELS.register_module()
class AuralSAM2(SAM2Method):
    """Audio-visual segmentation with audio prompts for a frozen SAM2 (arXiv 2506.01015).

    Args:
        backbone: node of ``BACKBONES``.
        audio_encoder: node of ``AUDIO_ENCODERS``.
        pyramid: node of ``PYRAMIDS``; its ``num_levels`` is the depth axis.
        visual_attention: node of ``VISUAL_ATTENTIONS``, built once a level.
        audio_attention: node of ``AUDIO_ATTENTIONS``, built once a level.
        fusion: node of ``FUSIONS``, built once a level.
        injection: node of ``INJECTIONS``.
        tracker: node of ``TRACKERS``.
        mask_loss: node of ``MASK_LOSSES``.
        sparse_prompt: node of ``SPARSE_PROMPTS``; ``None`` is off.
        dense_prompt: node of ``DENSE_PROMPTS``; ``None`` is off.
        projector: node of ``PROJECTORS``; needed by a contrastive loss.
        contrastive_loss: node of ``CONTRASTIVE_LOSSES``; ``None`` is off.
        text_encoder: node of ``TEXT_ENCODERS``; ``None`` is off. The expression's tokens join the
            clip's audio tokens in the fuser, behind them.
        visual_depths: visual blocks a level, finest level first.
        audio_depth: audio blocks a level.
        gradient_checkpointing: those of ``CHECKPOINTED`` that drop their activations and compute
            them again in the backward pass; gradients stay the same, see docs/performance.md for
            what each saves and costs.
        **shared: see :class:`SAM2Method`. Cached features pay where the backbone is frozen, frames
            are not augmented, and the data are small.

    With both prompts and the contrastive loss off nothing listens: neither audio encoder nor
    fuser is built, and the model is the unprompted SAM2.
    """

    checkpointed: ClassVar[Sequence[str]] = CHECKPOINTED
    reads_tokens = True

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
        visual_depths: Sequence[int] = (3, 6, 12),
        audio_depth: int = 3,
        gradient_checkpointing: Sequence[str] = (),
        **shared: Any,
    ) -> None:
        if contrastive_loss is not None and projector is None:
            raise ValueError(
                "model.contrastive_loss needs model.projector, which is None; set it to "
                "dict(type='MLPProjector'), or contrastive_loss to None as well"
            )
        super().__init__(backbone=backbone, tracker=tracker, mask_loss=mask_loss, **shared)
        self.injection = registry.INJECTIONS.build(injection)
        self.contrastive_loss = registry.CONTRASTIVE_LOSSES.build(contrastive_loss)
        self.fuser: AuralFuser | None = None
        self.listens = any(n is not None for n in (sparse_prompt, dense_prompt, contrastive_loss))
        if self.listens:
            self._build_encoders(audio_encoder, text_encoder)
            visual, audio = (visual_attention, visual_depths), (audio_attention, audio_depth)
            self._build_fuser(pyramid, visual, audio, fusion)
            self._build_heads(sparse_prompt, dense_prompt, projector)
        self._checkpoint(gradient_checkpointing)

    def _build_encoders(self, audio_encoder: Node, text_encoder: Node) -> None:
        self.audio_encoder = registry.AUDIO_ENCODERS.build(audio_encoder)
        self.text_encoder = registry.TEXT_ENCODERS.build(text_encoder)
        if self.text_encoder is not None:
            self.text_adapter = TextAdapter(self.text_encoder.out_channels, self.backbone.channels)

    def _build_fuser(
        self,
        pyramid: Node,
        visual: tuple[Node, Sequence[int]],
        audio: tuple[Node, int],
        fusion: Node,
    ) -> None:
        """Of the streams: node of the attention, and its depths."""
        channels, side = self.backbone.channels, self.backbone.embedding_size
        size = {"channels": channels, "embedding_size": side}
        levels = registry.PYRAMIDS.build(pyramid, **size)
        depths = level_depths(visual[1], levels.num_levels)
        see, hear = registry.VISUAL_ATTENTIONS, registry.AUDIO_ATTENTIONS
        self.fuser = self._fuser_class()(
            pyramid=levels,
            visual_attentions=[see.build(visual[0], depth=depth, **size) for depth in depths],
            audio_attentions=[hear.build(audio[0], depth=audio[1], **size) for _ in depths],
            fusions=[registry.FUSIONS.build(fusion, **size) for _ in depths],
            **size,
        )
        self.audio_adapter = AudioAdapter(self.audio_encoder.out_channels, channels)

    def _fuser_class(self) -> type[AuralFuser]:
        return AuralFuser

    def _build_heads(self, sparse_prompt: Node, dense_prompt: Node, projector: Node) -> None:
        assert self.fuser is not None
        channels, num_levels = self.backbone.channels, len(self.fuser.fusions)
        self.injection.dense_levels(num_levels)  # a level that is not there is refused now

        def heads(kind: Registry, node: Node) -> nn.ModuleList:
            count = 0 if node is None else num_levels
            return nn.ModuleList(kind.build(node, channels=channels) for _ in range(count))

        self.sparse_prompts = heads(registry.SPARSE_PROMPTS, sparse_prompt)
        self.dense_prompts = heads(registry.DENSE_PROMPTS, dense_prompt)
        projector = projector if self.contrastive_loss is not None else None
        self.projector = registry.PROJECTORS.build(projector, channels=channels)

    def _checkpoint(self, names: Sequence[str]) -> None:
        problems = [
            unknown_name("part", name, CHECKPOINTED) for name in names if name not in CHECKPOINTED
        ]
        if problems:
            raise ValueError("model.gradient_checkpointing: " + "; ".join(problems))
        if "fuser" in names and self.fuser is not None:
            self.fuser.checkpoint()
        if "tracker" in names:
            self.tracker.checkpoint()
        if "losses" in names:
            heads = [] if not self.listens or self.projector is None else [self.projector]
            checkpoint_layers([self.mask_loss, *(head.visual_head for head in heads)])

    def forward(
        self, mode: str = "loss", **items: Any
    ) -> dict[str, Tensor] | list[dict[str, Any]] | Prediction:
        """As every method, see :meth:`ClipMethod.forward`; the paper's section 3 line by line."""
        batch = ClipBatch(**items)
        pyramid = self.encode(batch.frames)  # section 3.1: features of the frozen SAM2
        fused = self.listen(pyramid, batch.log_mel, batch.text)  # 3.2: the AuralFuser
        prompts = self.prompts(fused)  # 3.3: sparse and dense prompts
        # They enter the decoder step by step, frame after frame.
        prediction = self.tracker(self.backbone.network, pyramid, prompts, self.injection)
        if mode == "loss":
            return self.losses_of(prediction, fused, batch)
        return self.results(prediction, batch, mode)

    def predict_clip(self, batch: ClipBatch) -> Prediction:
        """Masks of what is heard."""
        prediction: Prediction = self(mode="tensor", **batch._asdict())
        return prediction

    def losses(self, batch: ClipBatch) -> dict[str, Tensor]:
        """Of masks and contrast; a subclass with losses of its own extends :meth:`losses_of`."""
        losses: dict[str, Tensor] = self(mode="loss", **batch._asdict())
        return losses

    @property
    def hears(self) -> bool:
        """See :meth:`ClipMethod.hears`; a contrastive loss alone reaches no mask."""
        return self.listens and len(self.sparse_prompts) + len(self.dense_prompts) > 0

    def interactions(self, batch: ClipBatch, heard: bool) -> Sequence[Interaction]:
        """See :meth:`ClipMethod.interactions`; without sound it is SAM2 with clicks alone."""
        if not heard:
            return self.clicked_alone(batch)
        pyramid, network = self.encode(batch.frames), self.backbone.network
        prompts = self.prompts(self.listen(pyramid, batch.log_mel, batch.text))
        return [
            HeardClip(network, maps, self.tracker, prompts_of(prompts, i), self.injection)
            for i, maps in enumerate(clips_of(network, pyramid))
        ]

    def listen(
        self, pyramid: VisualPyramid, log_mel: Tensor, text: Sequence[str] | None = None
    ) -> FuserOutput | None:
        """Both streams of every level, fused; ``None`` where nothing listens."""
        if self.fuser is None:
            return None
        return self.fuser(pyramid, self.heard(log_mel, text))

    def heard(self, log_mel: Tensor, text: Sequence[str] | None = None) -> Tensor:
        """(B, M, C) tokens of the sounds of T seconds.

        The frames' T, then, of an encoder with K > 1 tokens a second, T * K finer ones in order of
        time, then those of B texts.
        """
        if getattr(self.audio_encoder, "tokens", 1) == 1:
            vectors = self.audio_encoder(log_mel)
        else:
            finer = self.audio_encoder.hear(log_mel)  # (B, T, K, D)
            vectors = torch.cat([finer.mean(dim=2), finer.flatten(1, 2)], dim=1)
        tokens = self.audio_adapter(vectors)
        if self.text_encoder is not None:
            check_expressions(text, len(tokens))
            tokens = torch.cat([tokens, self.text_adapter(self.text_encoder(text))], dim=1)
        return tokens

    def prompts(self, fused: FuserOutput | None) -> Prompts:
        """Sparse and dense prompts of every level; empty where switched off."""
        if fused is None:
            return Prompts()
        sparse = zip(self.sparse_prompts, fused.of_frames(), strict=False)
        dense = zip(self.dense_prompts, fused.visual, strict=False)
        return Prompts(
            sparse=tuple(head(audio) for head, audio in sparse),
            dense=tuple(head(visual) for head, visual in dense),
        )

    def parts_to_compile(self) -> dict[str, nn.Module]:
        """The image encoder, and the visual blocks of the fuser."""
        levels = [] if self.fuser is None else self.fuser.visual_attentions
        blocks = {f"visual level {i} of the fuser": level for i, level in enumerate(levels)}
        return super().parts_to_compile() | blocks

    def embed(self, fused: FuserOutput) -> Embeddings:
        """Both streams in the contrastive space."""
        assert self.projector is not None and self.fuser is not None
        source = getattr(fused, self.projector.visual_source)
        if not source:
            raise ValueError(
                f"{type(self.projector).__name__} reads the fusion's {self.projector.visual_source}"
                f", which {type(self.fuser.fusions[0]).__name__} does not give; take "
                "MLPProjector, or a fusion of the TPAVI family"
            )
        return Embeddings(
            visual=tuple(self.projector.visual(v) for v in source),
            audio=tuple(self.projector.audio(a) for a in fused.of_frames()),
        )

    def losses_of(
        self, prediction: Prediction, fused: FuserOutput | None, batch: ClipBatch
    ) -> dict[str, Tensor]:
        """Mask loss, and the contrastive loss where there is one."""
        losses = self.mask_losses(prediction, batch)
        if self.contrastive_loss is not None:
            assert fused is not None
            best, truth = prediction.best.detach(), (batch.masks, batch.supervised)
            embedded = self.embed(fused)
            with torch.autocast(best.device.type, enabled=False):
                losses |= self.contrastive_loss(embedded, best, *truth, self.generator)
        return losses
