"""Which classes are taken to sound, which of their boxes become prompts, and how masks are joined.

Axes: B clips, T frames, D boxes of a frame, K classes, R chosen boxes of all frames together.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from auralsam2.messages import too_small, unknown_values
from auralsam2.models.detection.base import NO_BOX, Detections


class Rule(NamedTuple):
    """Which boxes sound."""

    # ``threshold``: every class with a probability of ``sound_threshold``, several or none;
    # ``argmax``: the most probable one, where it reaches the threshold;
    # ``top_k``: the ``top_k`` most probable ones, silence too (SAM4AVS).
    rule: str = "threshold"
    sound_threshold: float = 0.5  # probability from which a class is heard
    box_threshold: float = 0.1  # score from which a box counts
    # Of a class that is heard, so many boxes of the highest scores; None: all.
    boxes_per_class: int | None = 1
    top_k: int = 1

    def problems(self) -> list[str]:
        """What is wrong with it."""
        found = unknown_values(rule=(self.rule, RULES))
        found += too_small(boxes_per_class=(self.boxes_per_class, 1), top_k=(self.top_k, 1))
        for name in ("sound_threshold", "box_threshold"):
            value = getattr(self, name)
            if not 0 <= value <= 1:
                found.append(f"{name} must be from 0 to 1, got {value}")
        return found


def _above(probabilities: Tensor, rule: Rule) -> Tensor:
    return probabilities >= rule.sound_threshold


def _top_k(probabilities: Tensor, rule: Rule) -> Tensor:
    best = probabilities.topk(min(rule.top_k, probabilities.shape[-1])).indices
    return torch.zeros_like(probabilities, dtype=torch.bool).scatter(-1, best, True)


def _argmax(probabilities: Tensor, rule: Rule) -> Tensor:
    return _above(probabilities, rule) & _top_k(probabilities, rule._replace(top_k=1))


RULES: dict[str, Callable[[Tensor, Rule], Tensor]] = {
    "threshold": _above,
    "argmax": _argmax,
    "top_k": _top_k,
}


def heard_classes(probabilities: Tensor, rule: Rule) -> Tensor:
    """(B, T, K) bool from probabilities of the same shape."""
    return RULES[rule.rule](probabilities, rule)


def sounding_boxes(detections: Detections, heard: Tensor, rule: Rule) -> Tensor:
    """Choose the boxes whose label is heard, (B, T, D) bool from (B, T, K) bool."""
    labels, scores = detections.labels, detections.scores
    real = labels != NO_BOX
    told = heard.gather(-1, labels.clamp(min=0)) if labels.shape[-1] else real
    candidate = real & told & (scores >= rule.box_threshold)
    if rule.boxes_per_class is None:
        return candidate
    # How many candidates of the same class stand before a box: of equal scores the first one.
    earlier = torch.arange(scores.shape[-1], device=scores.device)
    tie = (scores[..., None, :] == scores[..., :, None]) & (earlier[None] < earlier[:, None])
    better = (scores[..., None, :] > scores[..., :, None]) | tie
    rivals = (labels[..., None, :] == labels[..., :, None]) & candidate[..., None, :]
    return candidate & ((better & rivals).sum(-1) < rule.boxes_per_class)


class Choice(NamedTuple):
    """What a language model chose for one name of a clip, both counted from 1."""

    frame: int
    box: int = 1  # among the frame's boxes of that name, best first


def box_of_clip(
    found: Detections, label: int, rule: Rule, choice: Choice | None = None
) -> tuple[int, Tensor] | None:
    """The one box of a class in a clip, and the frame that it is in (AL-Ref-SAM2).

    Args:
        found: of one clip, (T, D, 4), (T, D), (T, D).
        label: the class.
        rule: boxes below its threshold do not count, nor those behind its ``boxes_per_class``
            best of the frame.
        choice: a frame that the clip does not have stands for the first one, such a box for the
            best; without a choice, the best box of all frames.

    Returns:
        The frame from 0 on and (4,) shares of its sides; ``None`` where there is no such box.
    """
    counts = (found.labels == label) & (found.scores >= rule.box_threshold)
    if not counts.any():
        return None
    scores = torch.where(counts, found.scores, -1.0)
    if choice is None:
        choice = Choice(frame=1 + int(scores.amax(dim=1).argmax()))
    frame = choice.frame - 1 if 1 <= choice.frame <= len(scores) else 0
    best = scores[frame].argsort(descending=True, stable=True)[: int(counts[frame].sum())]
    best = best[: rule.boxes_per_class]
    if not len(best):
        return None
    number = choice.box - 1 if 1 <= choice.box <= len(best) else 0
    return frame, found.boxes[frame, best[number]]


def join_boxes(values: Tensor, frame: Tensor, num_frames: int, empty: float) -> Tensor:
    """The largest of each frame's values: of logits, the union of its boxes' masks.

    (R, ...), one entry a box, become (F, ...) with ``empty`` in frames without a box.
    """
    joined = values.new_full((num_frames, *values.shape[1:]), empty)
    index = frame.view(-1, *[1] * (values.dim() - 1)).expand_as(values)
    return joined.scatter_reduce(0, index, values, "amax")


def mean_of_boxes(values: Tensor, frame: Tensor, num_frames: int) -> Tensor:
    """(R, ...) -> (F, ...): mean of each frame's values, 0 in frames without a box."""
    count = torch.bincount(frame, minlength=num_frames).clamp(min=1)
    total = values.new_zeros(num_frames, *values.shape[1:]).index_add(0, frame, values)
    return total / count.view(-1, *[1] * (values.dim() - 1))
