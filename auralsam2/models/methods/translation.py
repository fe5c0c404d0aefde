"""From what is heard and what is detected to the boxes that SAM2 gets, and back to one mask.

Axes: B clips, T frames, D boxes of a frame, K classes, R chosen boxes of all frames together.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from auralsam2.models.detection.base import NO_BOX, Detections

RULES = ("threshold", "argmax")


class Rule(NamedTuple):
    """Which boxes sound."""

    # ``threshold``: every class with a probability of ``sound_threshold``, several or none;
    # ``argmax``: the most probable one, where it reaches the threshold.
    rule: str = "threshold"
    sound_threshold: float = 0.5  # probability from which a class is heard
    box_threshold: float = 0.1  # score from which a box counts
    boxes_per_class: int = 1  # of a class that is heard, so many boxes of the highest scores

    def problems(self) -> list[str]:
        """What is wrong with it."""
        found = []
        if self.rule not in RULES:
            found.append(f"rule got {self.rule!r}; known: {', '.join(RULES)}")
        for name in ("sound_threshold", "box_threshold"):
            value = getattr(self, name)
            if not 0 <= value <= 1:
                found.append(f"{name} must be from 0 to 1, got {value}")
        if self.boxes_per_class < 1:
            found.append(f"boxes_per_class must be at least 1, got {self.boxes_per_class}")
        return found


def heard_classes(probabilities: Tensor, rule: Rule) -> Tensor:
    """(B, T, K) bool from probabilities of the same shape; nothing where it is silent."""
    heard = probabilities >= rule.sound_threshold
    if rule.rule == "argmax":
        top = probabilities.argmax(dim=-1, keepdim=True)
        heard &= torch.zeros_like(heard).scatter(-1, top, True)
    return heard


def sounding_boxes(detections: Detections, heard: Tensor, rule: Rule) -> Tensor:
    """Choose the boxes whose label is heard.

    Args:
        detections: of B clips, in any order.
        heard: (B, T, K) bool.
        rule: thresholds and how many boxes a class.

    Returns:
        (B, T, D) bool.
    """
    labels, scores = detections.labels, detections.scores
    real = labels != NO_BOX
    told = heard.gather(-1, labels.clamp(min=0)) if labels.shape[-1] else real
    candidate = real & told & (scores >= rule.box_threshold)
    # How many candidates of the same class stand before a box: of equal scores the first one.
    earlier = torch.arange(scores.shape[-1], device=scores.device)
    tie = (scores[..., None, :] == scores[..., :, None]) & (earlier[None] < earlier[:, None])
    better = (scores[..., None, :] > scores[..., :, None]) | tie
    rivals = (labels[..., None, :] == labels[..., :, None]) & candidate[..., None, :]
    return candidate & ((better & rivals).sum(-1) < rule.boxes_per_class)


def join_boxes(values: Tensor, frame: Tensor, num_frames: int, empty: float) -> Tensor:
    """The largest of each frame's values: of logits, the union of its boxes' masks.

    Args:
        values: (R, ...), one entry a box.
        frame: (R,) long.
        num_frames: F.
        empty: what stands in frames without a box.

    Returns:
        (F, ...).
    """
    joined = values.new_full((num_frames, *values.shape[1:]), empty)
    index = frame.view(-1, *[1] * (values.dim() - 1)).expand_as(values)
    return joined.scatter_reduce(0, index, values, "amax")


def mean_of_boxes(values: Tensor, frame: Tensor, num_frames: int) -> Tensor:
    """(R, ...) -> (F, ...): mean of each frame's values, 0 in frames without a box."""
    count = torch.bincount(frame, minlength=num_frames).clamp(min=1)
    total = values.new_zeros(num_frames, *values.shape[1:]).index_add(0, frame, values)
    return total / count.view(-1, *[1] * (values.dim() - 1))
