"""A, the share of the frame that is predicted: false where nothing is to be found."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from auralsam2.metrics.clip_metric import ClipMetric
from auralsam2.metrics.jaccard import THRESHOLD, predicted_foreground
from auralsam2.registry import METRICS


@METRICS.register_module()
class AreaMetric(ClipMetric):
    """A: share of the frame that is predicted, mean over frames, then clips; lower is better.

    The truth is not read. On control splits on which nothing that is heard belongs to anything in
    view (silence, noise, a sound from off the screen) a model that listens segments nothing, and
    this is the *false-positive area*. There the evaluation adds it by itself; elsewhere, on real
    sound or where another object of the clip may be heard (swapped), a larger area is no worse
    than a smaller one. The masks of such a split are those of the real sound: its J is *muted J*
    on silence and *swapped J* on swapped sound, how much of the score stays without the sound that
    belongs to the clip.

    With referring expressions that need no sound ("the ring"), the area under silence is not
    false.

    Args:
        threshold: probability above which a pixel is predicted, in (0, 1).
        **shared: of :class:`~auralsam2.metrics.clip_metric.ClipMetric`.

    Raises:
        ValueError: if the threshold is no probability.
    """

    key = "A"
    higher_is_better = False
    bounds = (0.0, 1.0)
    subject = "area"

    def __init__(self, threshold: float = THRESHOLD, **shared: Any) -> None:
        super().__init__(**shared)
        if not 0 < threshold < 1:
            raise ValueError(f"threshold must be a probability between 0 and 1, got {threshold=}")
        self.threshold = threshold

    def score_clip(self, mask_logits: Tensor, masks: Tensor) -> float:
        """Return the predicted share of the clip's supervised frames."""
        return float(predicted_foreground(mask_logits, self.threshold).double().mean())
