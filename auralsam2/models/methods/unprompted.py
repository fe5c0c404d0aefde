"""SAM2 without any prompt: the lower line of every comparison."""

from __future__ import annotations

from typing import Any

from auralsam2.models.methods.base import ClipBatch, Node, SAM2Method
from auralsam2.registry import MODELS
from auralsam2.structures import Prediction, Prompts


@MODELS.register_module()
class UnpromptedSAM2(SAM2Method):
    """SAM2 as it is, asked for a mask without being told of what; trains nothing, hears nothing.

    The decoder sees its own output tokens only, as AuralSAM2's does where both prompts are off:
    the two give the same numbers.

    Args:
        backbone: node of ``BACKBONES``.
        tracker: node of ``TRACKERS``.
        **shared: see :class:`SAM2Method`.
    """

    def __init__(self, backbone: Node, tracker: Node, **shared: Any) -> None:
        super().__init__(backbone=backbone, tracker=tracker, **shared)

    def predict_clip(self, batch: ClipBatch) -> Prediction:
        """Masks of frames alone."""
        pyramid = self.encode(batch.frames)
        prediction: Prediction = self.tracker(self.backbone.network, pyramid, Prompts())
        return prediction
