"""A score per clip, averaged over the clips of a data set."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from mmengine.evaluator import BaseMetric
from torch import Tensor

from auralsam2.shapes import check_shape


class ClipMetric(BaseMetric):
    """Base of metrics that score whole clips.

    A subclass sets ``key`` and implements :meth:`score_clip`.

    Attributes:
        key: name of the score in the returned dict.
        per_clip: score of each clip after evaluation, on the main process; clips that do not
            count are left out.

    Args:
        collect_device: where results of several processes meet, ``"cpu"`` or ``"gpu"``.
        prefix: put in front of ``key`` with a slash; None for none.
    """

    key: str

    def __init__(self, collect_device: str = "cpu", prefix: str | None = None) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)
        self.per_clip: dict[str, float] = {}

    @abstractmethod
    def score_clip(self, mask_logits: Tensor, masks: Tensor) -> float | None:
        """Score the supervised frames of one clip.

        Args:
            mask_logits: (T, H, W), T at least 1.
            masks: (T, H, W) truth, above 0 on the object.

        Returns:
            The score, or None for a clip that does not count.
        """

    def process(self, data_batch: Any, data_samples: Sequence[Mapping[str, Any]]) -> None:
        """Score the clips of one batch.

        Args:
            data_batch: not used.
            data_samples: a dict per clip with ``clip`` (its name), ``mask_logits`` (T, H, W) at
                native resolution, ``masks`` (T, H, W) and ``supervised`` (T,) bool, which says
                whose frames have a truth.

        Raises:
            ValueError: if shapes differ or a clip has no supervised frame.
        """
        for sample in data_samples:
            clip, logits, masks = sample["clip"], sample["mask_logits"], sample["masks"]
            sizes = check_shape(logits, "T H W", f"mask_logits of clip {clip!r}")
            check_shape(masks, "T H W", f"masks of clip {clip!r}", **sizes)
            supervised = sample["supervised"].to(logits.device).bool()
            check_shape(supervised, "T", f"supervised of clip {clip!r}", T=sizes["T"])
            if not supervised.any():
                raise ValueError(f"clip {clip!r} has no frame with a truth to score against")
            truth = masks.to(logits.device)
            self.results.append((clip, self.score_clip(logits[supervised], truth[supervised])))

    def compute_metrics(self, results: list[tuple[str, float | None]]) -> dict[str, float]:
        """Average over clips.

        Args:
            results: name and score of every clip.

        Returns:
            ``{key: mean}``, not-a-number where no clip counts.

        Raises:
            ValueError: if two clips share a name.
        """
        names = [clip for clip, _ in results]
        repeated = sorted({name for name in names if names.count(name) > 1})
        if repeated:
            raise ValueError(f"clips need unique names, got several of {', '.join(repeated)}")
        self.per_clip = {clip: value for clip, value in results if value is not None}
        if not self.per_clip:
            return {self.key: math.nan}
        return {self.key: sum(self.per_clip.values()) / len(self.per_clip)}
