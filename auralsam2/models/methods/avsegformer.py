"""AVSegFormer: queries that heard the sound read every frame by themselves, without SAM2."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from auralsam2 import registry
from auralsam2.messages import unnamed
from auralsam2.models.methods.avsegformer_head import AVSegFormerHead, HeadOutput
from auralsam2.models.methods.base import ClipBatch, ClipMethod, Node
from auralsam2.models.one_mask import as_prediction, map_prediction
from auralsam2.registry import MODELS
from auralsam2.shapes import check_shape
from auralsam2.structures import Prediction


def mean_mask(answer: HeadOutput) -> Prediction:
    """The mean over channels of what left the mixer, taken for a mask's logits."""
    return as_prediction(answer.mask_feature.mean(dim=2))


@MODELS.register_module()
class AVSegFormer(ClipMethod):
    """Image encoder, deformable encoder, audio queries, decoder, one map (Gao et al., AAAI 2024).

    Frames are independent: no layer sees two of them, but for batch norms of an image encoder
    that is trained. Two modules that the released head holds and never computes, for masks
    between the layers (2.10 M parameters), are not built.

    Args:
        image_encoder: node of ``IMAGE_ENCODERS``.
        audio_encoder: node of ``AUDIO_ENCODERS``; one vector a frame becomes one token.
        mask_loss: node of ``MASK_LOSSES``.
        mixer_loss: another, for the mean over channels of what leaves the mixer, as a mask.
        num_classes: 1 for a mask, else K classes with the background first.
        channels: C of the tokens, a multiple of 32.
        num_queries: Q.
        num_layers: of encoder, decoder and query generator.
        num_heads: of all attention.
        hidden_channels: in the MLPs of encoder and decoder; half as many in the generator's.
        map_channels: in the MLP over the queries' maps.
        head_channels: of the two inner maps of the output head.
        enlargement: of a quarter of the frames' side in the output head; 4 is the whole side.
        dropout: of encoder and decoder.
        gradient_checkpointing: less memory in their layers, for time; image encoders have an
            argument of their own.
        image_size: S, to which frames are held; ``None`` takes any.
        decode: as in :class:`ClipMethod`; all modes answer the one mask.

    Raises:
        ImportError: where transformers is missing, whose deformable sampling the encoder takes.
        ValueError: listing every argument that is out of range.
    """

    def __init__(
        self,
        image_encoder: Node,
        audio_encoder: Node,
        mask_loss: Node,
        mixer_loss: Node = None,
        num_classes: int = 1,
        channels: int = 256,
        num_queries: int = 300,
        num_layers: Sequence[int] = (6, 6, 6),
        num_heads: int = 8,
        hidden_channels: int = 2048,
        map_channels: int = 2048,
        head_channels: Sequence[int] = (128, 32),
        enlargement: int = 4,
        dropout: float = 0.1,
        gradient_checkpointing: bool = False,
        image_size: int | None = None,
        decode: str = "iou_select",
    ) -> None:
        if absent := unnamed(image_encoder=image_encoder, audio_encoder=audio_encoder):
            raise ValueError("AVSegFormer: " + "; ".join(absent))
        super().__init__(mask_loss=mask_loss, decode=decode)
        self.sides = {} if image_size is None else {"S": image_size}
        self.image_encoder = registry.IMAGE_ENCODERS.build(image_encoder, image_size=image_size)
        self.audio_encoder = registry.AUDIO_ENCODERS.build(audio_encoder)
        self.audio_projection = nn.Linear(self.audio_encoder.out_channels, channels)
        self.mixer_loss = registry.MASK_LOSSES.build(mixer_loss)
        self.head = AVSegFormerHead(
            self.image_encoder.channels, num_classes=num_classes, channels=channels,
            num_queries=num_queries, num_layers=num_layers, num_heads=num_heads,
            audio_heads=num_heads, hidden_channels=hidden_channels,
            query_hidden_channels=hidden_channels // 2, map_channels=map_channels,
            head_channels=head_channels, enlargement=enlargement, dropout=dropout,
            gradient_checkpointing=gradient_checkpointing,
        )  # fmt: skip

    @classmethod
    def has_class_head(cls, num_classes: int = 1, **arguments: Any) -> bool:
        """Whether there are more than the one mask."""
        return num_classes > 1

    def encode(self, frames: Tensor) -> tuple[Tensor, ...]:
        """(B, T, 3, S, S) uint8 -> the image encoder's four maps of F frames, finest first."""
        check_shape(frames, "B T 3 S S", name="frames", **self.sides)
        maps: tuple[Tensor, ...] = self.image_encoder(self.normalise(frames.flatten(0, 1)))
        return maps

    def answer(self, frames: Tensor, log_mel: Tensor) -> HeadOutput:
        """One pass over B clips, frames (B, T, 3, S, S) uint8 and log-mels (B, T, A, 96, 64).

        Returns:
            ``logits`` (B, T, K, H, H) and ``mask_feature`` (B, T, C, h, h).
        """
        maps = self.encode(frames)
        audio = self.audio_projection(self.audio_encoder(log_mel)).flatten(0, 1)[:, None]
        out = self.head(maps, audio)
        return HeadOutput(*(x.float().unflatten(0, frames.shape[:2]) for x in out))

    def predict_clip(self, batch: ClipBatch) -> Prediction:
        """Masks, or classes, of every frame."""
        return map_prediction(self.answer(batch.frames, batch.log_mel).logits)

    def losses(self, batch: ClipBatch) -> dict[str, Tensor]:
        """Those of the mask loss, and ``loss_mixer``."""
        answer = self.answer(batch.frames, batch.log_mel)
        losses = self.mask_losses(map_prediction(answer.logits), batch)
        if self.mixer_loss is not None:
            terms = self.mixer_loss(mean_mask(answer), batch.masks.float(), batch.supervised)
            losses["loss_mixer"] = terms["loss_mask"]
        return losses
