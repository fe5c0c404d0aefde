"""What all methods share, AuralSAM2 among them: how they are called, supervised and scored.

Axes: B clips, T frames of a clip, S side of the input image, C channels of the SAM2 neck, E side
of its coarsest map.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

import torch
from mmengine.model import BaseDataPreprocessor, BaseModel
from torch import Tensor, nn

from auralsam2 import registry
from auralsam2.messages import unknown_name
from auralsam2.models.decode import EMPTY_LOGIT, clip_results, decode_mode
from auralsam2.models.decoder_rows import CannotProbeError, DecoderCalls, rows_of_frames
from auralsam2.models.feature_cache import BACKBONES, FeatureCache, weights_digest
from auralsam2.models.interaction import CannotClickError, ClickedClip, Interaction, clips_of
from auralsam2.models.one_mask import with_classes
from auralsam2.structures import Prediction, VisualPyramid, Waveform

Node = Mapping[str, Any] | None

# ImageNet statistics on the 0..255 scale, as SAM2 was trained with.
PIXEL_MEAN, PIXEL_STD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)


class ClipBatch(NamedTuple):
    """A batch as the data sets give it."""

    frames: Tensor  # (B, T, 3, S, S) uint8 RGB
    # (B, T, A, 96, 64), A ears: 2, or 1 where the encoder wants their mean; samples (B, T, A, R)
    # where it hears those.
    log_mel: Tensor
    masks: Tensor  # (B, T, S, S) truth in {0, 1}
    supervised: Tensor  # (B, T) bool, frames whose truth is known
    clip: Sequence[str]  # B names
    text: Sequence[str] | None = None  # B referring expressions, where the data have them
    native_masks: Sequence[Tensor] | None = None  # B tensors (T, H, W), the truth at its own size
    # (B, T, S, S) numbers of classes where the data have them, 0 the background, 255 no label.
    semantic: Tensor | None = None
    # B tensors (T, H, W), the same at the labels' own size.
    native_semantic: Sequence[Tensor] | None = None
    waveform: Sequence[Waveform] | None = None  # B sounds, from the data set ``WithWaveform``
    # (B, T) bool, frames that only fill a clip up to the others' length; None where all are real.
    padded: Tensor | None = None


class ClipMethod(BaseModel):
    """A model that answers a batch of clips.

    A subclass registers itself in ``MODELS`` and implements :meth:`predict_clip`; one with losses
    of its own extends :meth:`losses`. Clips of a batch never see each other.

    Args:
        mask_loss: node of ``MASK_LOSSES``; ``None`` for a method that trains nothing.
        decode: which candidate mask is the answer, see :mod:`auralsam2.models.decode`.

    Attributes:
        generator: for what is drawn while training; the engine seeds it anew at every step.
    """

    prompted_by_truth: ClassVar[bool] = False
    """Whether answers are drawn from the truth, so that there are none without labels."""
    reads_tokens: ClassVar[bool] = False
    """Whether it has a use for several tokens a second, where its audio encoder gives them."""

    def __init__(self, mask_loss: Node = None, decode: str = "iou_select") -> None:
        # Copies from pinned memory to a GPU need not be waited for.
        super().__init__(data_preprocessor=BaseDataPreprocessor(non_blocking=True))
        self.decode = decode_mode(decode)
        self.mask_loss = registry.MASK_LOSSES.build(mask_loss)
        self.register_buffer("pixel_mean", torch.tensor(PIXEL_MEAN).view(3, 1, 1), persistent=False)
        self.register_buffer("pixel_std", torch.tensor(PIXEL_STD).view(3, 1, 1), persistent=False)
        self.generator = torch.Generator()

    def forward(
        self, mode: str = "loss", **items: Any
    ) -> dict[str, Tensor] | list[dict[str, Any]] | Prediction:
        """Losses, or one result a clip, or the raw prediction.

        Args:
            mode: ``loss``, ``predict`` or ``tensor``.
            **items: fields of :class:`ClipBatch`.

        Raises:
            ValueError: on an unknown mode.
        """
        batch = ClipBatch(**items)
        if mode == "loss":
            return self.losses(batch)
        return self.results(self.predict_clip(batch), batch, mode)

    def results(
        self, prediction: Prediction, batch: ClipBatch, mode: str
    ) -> list[dict[str, Any]] | Prediction:
        """What :meth:`forward` gives in a ``mode`` other than ``loss``."""
        if mode == "tensor":
            return prediction
        if mode != "predict":
            raise ValueError(f"unknown {mode=}; known: loss, predict, tensor")
        truth = list(batch.masks) if batch.native_masks is None else batch.native_masks
        results = clip_results(prediction, self.decode, truth, batch.supervised, batch.clip)
        semantic = batch.semantic if batch.native_semantic is None else batch.native_semantic
        return with_classes(results, prediction, semantic)

    @classmethod
    def has_class_head(cls, **arguments: Any) -> bool:
        """Whether a method of these arguments of its node tells classes apart; by default none.

        A subclass whose predictions have ``class_logits`` overrides it, as metrics of classes are
        refused before the run where there is no such head.
        """
        return False

    @classmethod
    def cannot_share_encoder(cls, **arguments: Any) -> str:
        """Why a model of these arguments has no use for pyramids that another one has computed.

        Empty where it encodes frames by a frozen SAM2 and nothing else, through
        :meth:`SAM2Method.encode`.
        """
        return "it encodes frames in a way of its own"

    @abstractmethod
    def predict_clip(self, batch: ClipBatch) -> Prediction:
        """The answer for every frame of B clips, in training and evaluation alike.

        Returns:
            As SAM2's decoder gives it. A method with one mask a frame repeats it three times, see
            :func:`~auralsam2.models.one_mask.as_prediction`, one with a class head answers by
            :func:`~auralsam2.models.one_mask.class_prediction`; the side of the logits may differ
            from SAM2's.
        """

    def losses(self, batch: ClipBatch) -> dict[str, Tensor]:
        """Weighted scalars whose names begin with ``loss``; here those of the masks alone."""
        return self.mask_losses(self.predict_clip(batch), batch)

    def mask_losses(self, prediction: Prediction, batch: ClipBatch) -> dict[str, Tensor]:
        """What the mask loss says of a prediction.

        Raises:
            ValueError: where the method was built without a mask loss, or the loss compares
                classes and the data have none.
        """
        if self.mask_loss is None:
            raise ValueError(
                f"{type(self).__name__} cannot be trained with model.mask_loss=None; set it to "
                "dict(type='SAM2MaskLoss')"
            )
        with torch.autocast(batch.masks.device.type, enabled=False):
            return dict(self.mask_loss(prediction, self._truth(batch), batch.supervised))

    def _truth(self, batch: ClipBatch) -> Tensor | Sequence[Tensor]:
        """What the mask loss compares with: masks or classes, at input size or at their own."""
        if getattr(self.mask_loss, "of_classes", False):
            if batch.semantic is None:
                raise ValueError(
                    f"{type(self.mask_loss).__name__} compares classes, and the data set gives "
                    "none; set data.train.semantic to True, on data whose labels have classes "
                    "(AVSBench's semantic release)"
                )
            return batch.semantic
        native = batch.native_masks if getattr(self.mask_loss, "native", False) else None
        return batch.masks.float() if native is None else native

    @property
    def hears(self) -> bool:
        """Whether sound has a part in its masks."""
        return True

    def interactions(self, batch: ClipBatch, heard: bool) -> Sequence[Interaction]:
        """B clips for a person to click on, whose masks so far are the method's own.

        Args:
            batch: B clips.
            heard: False for a person's clicks alone: the sound has no part in any mask.

        Raises:
            CannotClickError: where there is no decoder that a click could enter, or the method
                does not say how.
        """
        raise CannotClickError(f"{type(self).__name__} does not say how clicks enter it")

    def decoder_rows(self, masks: Tensor) -> DecoderCalls:
        """Whose frame, and whose object, every row of every call of SAM2's mask decoder is.

        Args:
            masks: (B, T, S, S) truth of a batch.

        Raises:
            CannotProbeError: where there is no such decoder, or the method does not say.
        """
        raise CannotProbeError(f"{type(self).__name__} has no SAM2 mask decoder to look into")

    def normalise(self, frames: Tensor) -> Tensor:
        """(..., 3, S, S) uint8 -> float, ImageNet mean and standard deviation."""
        return (frames.float() - self.pixel_mean) / self.pixel_std


class SAM2Method(ClipMethod):
    """A method around SAM2: the shared adapter, frozen but for the parts it names.

    Args:
        backbone: node of ``BACKBONES``.
        tracker: node of ``TRACKERS``; ``None`` for a method with an order of frames of its own.
        mask_loss: as in :class:`ClipMethod`.
        trained_parts: children of the SAM2 that are trained, e.g. ``("sam_mask_decoder",)``.
        image_size: S; default: the backbone's own.
        feature_cache_mb: megabytes for the pyramids of clips seen before; used only where the
            image encoder is frozen.
        decode: as in :class:`ClipMethod`.

    Raises:
        ValueError: where ``trained_parts`` names what SAM2 does not have.
    """

    def __init__(
        self,
        backbone: Node,
        tracker: Node = None,
        mask_loss: Node = None,
        trained_parts: Sequence[str] = (),
        image_size: int | None = None,
        feature_cache_mb: int = 0,
        decode: str = "iou_select",
    ) -> None:
        super().__init__(mask_loss=mask_loss, decode=decode)
        self.backbone = registry.BACKBONES.build(backbone, image_size=image_size)
        self.tracker = registry.TRACKERS.build(tracker)
        mean, std = getattr(self.backbone, "pixel_statistics", (PIXEL_MEAN, PIXEL_STD))
        self.pixel_mean[:, 0, 0], self.pixel_std[:, 0, 0] = torch.tensor(mean), torch.tensor(std)
        self._train_parts(trained_parts)
        self.feature_cache: FeatureCache | None = None
        if feature_cache_mb and not is_trained(self.backbone.network.image_encoder):
            digest = weights_digest(self.backbone)
            self.feature_cache = FeatureCache(feature_cache_mb, BACKBONES, digest)

    def _train_parts(self, names: Sequence[str]) -> None:
        if not names:
            return
        known = self.backbone.network.parts
        problems = [unknown_name("trained part", n, known) for n in names if n not in known]
        if problems:
            raise ValueError(f"{type(self).__name__}: " + "; ".join(problems))
        for name in names:
            known[name].requires_grad_(True)

    def decoder_rows(self, masks: Tensor) -> DecoderCalls:
        """See :meth:`ClipMethod.decoder_rows`; by default every frame is decoded once.

        A method without a tracker says itself what its decoder sees.
        """
        if self.tracker is None:
            raise CannotProbeError(
                f"{type(self).__name__} does not say whose rows its mask decoder sees "
                "(decoder_rows): it cannot be looked into"
            )
        return rows_of_frames(self.tracker, masks)

    @classmethod
    def cannot_share_encoder(
        cls, backbone: Node = None, trained_parts: Sequence[str] = (), **arguments: Any
    ) -> str:
        """See :meth:`ClipMethod.cannot_share_encoder`."""
        frozen = (backbone or {}).get("frozen", True) and "image_encoder" not in trained_parts
        return "" if frozen else "its image encoder is trained"

    def clicked_alone(self, batch: ClipBatch) -> list[Interaction]:
        """B clips in which SAM2 sees clicks and nothing else, see :meth:`interactions`."""
        network = self.backbone.network
        return [ClickedClip(network, maps) for maps in clips_of(network, self.encode(batch.frames))]

    def parts_to_compile(self) -> dict[str, nn.Module]:
        """By name what ``runtime.compile`` compiles: parts that are called by shapes alone."""
        return {"the image encoder": self.backbone.network.image_encoder}

    def encode(self, frames: Tensor) -> VisualPyramid:
        """(B, T, 3, S, S) uint8 -> the backbone's pyramid, from the cache where it has it."""
        if self.feature_cache is None:
            return self.backbone(self.normalise(frames))
        return self.feature_cache(frames, lambda new: self.backbone(self.normalise(new)))


def is_trained(module: nn.Module) -> bool:
    """Whether any parameter of a module asks for a gradient."""
    return any(p.requires_grad for p in module.parameters())


def nothing(fine: Tensor, shape: Sequence[int]) -> Prediction:
    """No object in frames of a ``shape``; maps (F, C / 8, 4E, 4E) give the side of the masks."""
    side = fine.shape[-1]
    logits = fine.new_full((*shape, 3, side, side), EMPTY_LOGIT)
    score = fine.new_full((*shape, 1), EMPTY_LOGIT)
    return Prediction(logits, fine.new_zeros(*shape, 3), score, logits[..., 0, :, :])
