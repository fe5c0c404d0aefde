"""The released code's ways that no published part has, each a switch of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from auralsam2.models.auralsam2 import AuralSAM2
from auralsam2.models.decoder_rows import DecoderCalls, DecoderRow
from auralsam2.models.fuser import AuralFuser, ReleasedFuser
from auralsam2.models.interaction import Interaction
from auralsam2.models.methods.base import ClipBatch
from auralsam2.registry import MODELS
from auralsam2.structures import FuserOutput, Prediction, VisualPyramid


@MODELS.register_module()
class ReleasedAuralSAM2(AuralSAM2):
    """AuralSAM2 with what the released model does otherwise; the presets turn both switches on.

    Args:
        join_clips: take the clips of a batch for one long video, in fuser and tracker.
        constant_audio_position: see :class:`ReleasedFuser`.
        **published: see :class:`AuralSAM2`.
    """

    def __init__(
        self, join_clips: bool = False, constant_audio_position: bool = False, **published: Any
    ) -> None:
        # Read while the parts are built, by the constructor below.
        self.constant_audio_position = constant_audio_position
        super().__init__(**published)
        self.join_clips = join_clips

    def _fuser_class(self) -> type[AuralFuser]:
        return ReleasedFuser if self.constant_audio_position else AuralFuser

    def encode(self, frames: Tensor) -> VisualPyramid:
        """(B, T, 3, S, S) -> the pyramid of one video of B T frames."""
        return super().encode(self._joined(frames))

    def listen(
        self, pyramid: VisualPyramid, log_mel: Tensor, text: Sequence[str] | None = None
    ) -> FuserOutput | None:
        """As published, of one video."""
        return super().listen(pyramid, self._joined(log_mel), text)

    def losses_of(
        self, prediction: Prediction, fused: FuserOutput | None, batch: ClipBatch
    ) -> dict[str, Tensor]:
        """As published, of one video."""
        masks, supervised = self._joined(batch.masks), self._joined(batch.supervised)
        joined = batch._replace(masks=masks, supervised=supervised)
        return super().losses_of(prediction, fused, joined)

    def results(
        self, prediction: Prediction, batch: ClipBatch, mode: str
    ) -> list[dict[str, Any]] | Prediction:
        """As published: every clip has its own result."""
        if self.join_clips:
            num_clips = len(batch.clip)
            joined = prediction.tensors
            prediction = Prediction(*(x[0].unflatten(0, (num_clips, -1)) for x in joined))
        return super().results(prediction, batch, mode)

    def interactions(self, batch: ClipBatch, heard: bool) -> Sequence[Interaction]:
        """As published: every clip is a video of its own, as it is in batches of one."""
        if not self.join_clips:
            return super().interactions(batch, heard)
        found: list[Interaction] = []
        for i in range(len(batch.clip)):
            clip = ClipBatch(*(None if field is None else field[i : i + 1] for field in batch))
            found += super().interactions(clip, heard)
        return found

    def decoder_rows(self, masks: Tensor) -> DecoderCalls:
        """See :meth:`ClipMethod.decoder_rows`."""
        num_frames = masks.shape[1]
        return [
            [DecoderRow(row.clip + row.frame // num_frames, row.frame % num_frames) for row in call]
            for call in super().decoder_rows(self._joined(masks))
        ]

    def _joined(self, batch: Tensor) -> Tensor:
        """(B, T, ...) -> (1, B T, ...)."""
        return batch.flatten(0, 1).unsqueeze(0) if self.join_clips else batch
