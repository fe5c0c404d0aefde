"""Answers of networks that give one map a frame: a mask, or logits of classes.

Axes: B clips, T frames of a clip, K classes with the background first, h and w sides of the maps.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from auralsam2.class_maps import foreground_logits, predicted_classes
from auralsam2.structures import Prediction


def as_prediction(mask_logits: Tensor) -> Prediction:
    """One mask a frame (B, T, h, w) in the form of SAM2's answers.

    Nothing but the mask is predicted, so the rest is read off it: its IoU is that with a truth in
    which every pixel is as likely as it is predicted; the object score is the highest logit.
    """
    probability = mask_logits.detach().sigmoid()
    mask = (mask_logits.detach() > 0).to(probability)
    overlap = (probability * mask).sum(dim=(-2, -1))
    union = (probability + mask - probability * mask).sum(dim=(-2, -1))
    return Prediction(
        mask_logits[:, :, None].expand(-1, -1, 3, -1, -1),
        (overlap / union)[..., None].expand(-1, -1, 3),
        mask_logits.flatten(2).amax(dim=-1, keepdim=True),
        mask_logits,
    )


def class_prediction(class_logits: Tensor) -> Prediction:
    """Classes (B, T, K, h, w) in the form of SAM2's answers; for masks, all objects are one."""
    mask_logits = foreground_logits(class_logits)
    return as_prediction(mask_logits)._replace(class_logits=class_logits)


def map_prediction(logits: Tensor) -> Prediction:
    """The one map (B, T, K, h, w) of every frame: a mask where K is 1, else classes."""
    return as_prediction(logits[:, :, 0]) if logits.shape[2] == 1 else class_prediction(logits)


def with_classes(
    results: Sequence[dict[str, Any]],
    prediction: Prediction,
    semantic: Sequence[Tensor] | Tensor | None,
) -> list[dict[str, Any]]:
    """Results of B clips with what metrics of classes read, where the method has a class head.

    Args:
        results: of :func:`~auralsam2.models.decode.clip_results`; classes take the size of their
            ``masks`` (T, H, W).
        prediction: of these clips.
        semantic: B tensors (T, H, W), the true classes, 255 without a label; None where the data
            have none.

    Returns:
        B dicts, also with ``class_logits`` (T, K, h, w), ``predicted_classes`` (T, H, W) and, where
        the data have it, the truth ``semantic`` (T, H, W).
    """
    if prediction.class_logits is None:
        return list(results)
    found = []
    for i, (result, logits) in enumerate(zip(results, prediction.class_logits, strict=True)):
        classes = predicted_classes(logits, result["masks"].shape[-2:])
        found.append({**result, "class_logits": logits.float(), "predicted_classes": classes})
        if semantic is not None:
            found[i]["semantic"] = semantic[i]
    return found
