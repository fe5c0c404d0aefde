"""The released code's way with several clips: one after the other, as one long video."""

from __future__ import annotations

from torch import Tensor

from auralsam2.structures import Prediction


def join(batch: Tensor) -> Tensor:
    """(B, T, ...) -> (1, B * T, ...)."""
    return batch.flatten(0, 1).unsqueeze(0)


def separate(prediction: Prediction, num_clips: int) -> Prediction:
    """Inverse of :func:`join` for every tensor of a prediction."""
    return Prediction(*(x[0].unflatten(0, (num_clips, -1)) for x in prediction))
