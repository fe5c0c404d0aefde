"""Whether objects are found, and how much is segmented that is none."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from auralsam2.metrics.clip_metric import ClipMetric, on_object
from auralsam2.metrics.jaccard import jaccard, predicted_foreground
from auralsam2.registry import METRICS


@METRICS.register_module()
class DetectionMetric(ClipMetric):
    """Detection rate: share of a clip's frames with an object in which it is found.

    An object is found where the frame's J reaches a threshold. Clips without such a frame do not
    count.

    Args:
        least: J that a frame must reach, above 0 and at most 1.
        **shared: of :class:`~auralsam2.metrics.clip_metric.ClipMetric`.

    Raises:
        ValueError: where ``least`` is out of range.
    """

    key = "detection rate"
    bounds = (0.0, 1.0)

    def __init__(self, least: float = 0.5, **shared: Any) -> None:
        super().__init__(**shared)
        if not 0 < least <= 1:
            raise ValueError(f"least must be a J above 0 and at most 1, got {least=}")
        self.least = least

    def score_clip(self, mask_logits: Tensor, masks: Tensor) -> float | None:
        """Return the share, None of a clip whose truth is empty."""
        shown = on_object(masks).flatten(1).any(dim=1)
        if not shown.any():
            return None
        found = jaccard(mask_logits[shown], masks[shown]) >= self.least
        return float(found.double().mean())


@METRICS.register_module()
class FalseAreaMetric(ClipMetric):
    """False-positive area: share of a frame that is predicted and outside the truth.

    Lower is better. Mean over frames, then over clips. In a frame without an object that is all
    that is predicted, so that on clips in which nothing seen sounds it is the area A of
    :class:`~auralsam2.metrics.null_split.AreaMetric`.
    """

    key = "false-positive area"
    higher_is_better = False
    bounds = (0.0, 1.0)

    def score_clip(self, mask_logits: Tensor, masks: Tensor) -> float:
        """Return the share of the clip's supervised frames."""
        return float((predicted_foreground(mask_logits) & ~on_object(masks)).double().mean())
