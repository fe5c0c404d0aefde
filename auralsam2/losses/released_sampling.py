"""The joint set as the released code draws it, with its defects behind named rules."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from auralsam2.losses.contrastive import JointSet
from auralsam2.losses.precision import at_least_float32
from auralsam2.losses.sampling import quotas, reduce_logits, reduce_masks
from auralsam2.messages import unknown_values

# White in the labels of AVSBench's V1S, and all of a frame without a label.
IGNORE = 255
# Rule -> what the release does, what was meant.
CHOICES = {
    "labels": ("looked_up", "own"),
    "prediction": ("logits", "thresholded"),
    "quota": ("added", "filled"),
    "silent_rule": ("one_value", "empty"),
    "truncation": ("prefix", "random"),
}


class SamplingRules(NamedTuple):
    """How pixels and sounds enter the joint set; the defaults are the released code's."""

    # ``looked_up`` gives the k-th pixel of a class and kind the mask's value at position k of the
    # whole frame; ``own`` its own value.
    labels: str = "looked_up"
    # ``logits`` calls a pixel easy where its raw logit equals its mask value, which practically
    # never happens; ``thresholded`` compares logit > 0.
    prediction: str = "logits"
    # ``added`` tops a scarce pair of kinds up on what the larger one already has, to 3K at most;
    # ``filled`` stops at 2K, see `quotas`.
    quota: str = "added"
    # ``one_value`` calls a frame silent whose mask on the token grid has a single value, so also
    # one that is all object or whose object vanishes there; ``empty`` one without an object.
    silent_rule: str = "one_value"
    # 255 is a class of its own, with its own audio entry; False leaves its pixels out, and the
    # sound of frames that hold nothing else.
    ignore_class: bool = True


RELEASED = SamplingRules()


def choice_problems(**chosen: str) -> list[str]:
    """Return one message for every rule with an unknown value."""
    return unknown_values(**{name: (value, CHOICES[name]) for name, value in chosen.items()})


def take_counts(num_hard: int, num_easy: int, max_samples: int, quota: str) -> tuple[int, int]:
    """Return how many hard and easy pixels of a class to take, each at most what there is."""
    if quota == "filled":
        hard, easy = quotas(torch.tensor(num_hard), torch.tensor(num_easy), max_samples)
        return int(hard), int(easy)
    hard, easy = min(max_samples, num_hard), min(max_samples, num_easy)
    if hard + easy < 2 * max_samples:
        # The smaller one's places are counted from 2K, not from K, and a tie goes to easy.
        if hard > easy:
            hard += 2 * max_samples - easy
        else:
            easy += 2 * max_samples - hard
    return min(hard, num_hard), min(easy, num_easy)


def draw_pixels(
    values: Tensor,
    predictions: Tensor,
    max_samples: int,
    rules: SamplingRules = RELEASED,
    generator: torch.Generator | None = None,
) -> tuple[Tensor, Tensor]:
    """Draw the pixels of one frame and level: classes ascending, hard ones before easy ones.

    Args:
        values: (N,) int64 mask values on the token grid.
        predictions: (N,) compared with ``values`` as they are; a pixel is easy where they agree.
        max_samples: K.
        rules: ``labels``, ``quota`` and ``ignore_class`` count here.
        generator: None is torch's default one. Each class takes two permutations from it, of its
            hard and of its easy pixels, also of none.

    Returns:
        (P,) positions in the frame and (P,) labels.
    """
    positions, labels = [values.new_empty(0)], [values.new_empty(0)]
    for value in values.unique().tolist():
        if value == IGNORE and not rules.ignore_class:
            continue
        agrees = predictions == value
        kinds = [((values == value) & kind).nonzero().squeeze(1) for kind in (~agrees, agrees)]
        counts = take_counts(len(kinds[0]), len(kinds[1]), max_samples, rules.quota)
        for pixels, count in zip(kinds, counts, strict=True):
            rank = permutation(len(pixels), generator)[:count]
            positions.append(pixels[rank])
            # Ranks run over the pixels of a kind, yet the release reads the whole mask there.
            own = rules.labels == "own"
            labels.append(values[positions[-1] if own else rank])
    return torch.cat(positions), torch.cat(labels)


def permutation(count: int, generator: torch.Generator | None) -> Tensor:
    """Return a random permutation on the CPU, whatever the generator's device."""
    device = None if generator is None else generator.device
    return torch.randperm(count, generator=generator, device=device).cpu()


def audio_labels(mask: Tensor, values: Tensor, rules: SamplingRules = RELEASED) -> list[int]:
    """Return the labels under which a frame's sound enters the joint set, one entry each.

    ``mask`` is (S, S) at full resolution, ``values`` (N,) the same on the token grid.
    """
    by_grid = rules.silent_rule == "one_value"
    found = [int(value) for value in (values if by_grid else mask).unique().tolist()]
    if not rules.ignore_class:
        found = [value for value in found if value != IGNORE]
        if not found:
            return []
    objects = found[1:] if by_grid else [value for value in found if value > 0]
    return objects or [0]


def released_joint_set(
    visual: Sequence[Tensor],
    audio: Sequence[Tensor],
    mask_logits: Tensor,
    masks: Tensor,
    max_samples: int = 128,
    rules: SamplingRules = RELEASED,
    generator: torch.Generator | None = None,
) -> JointSet:
    """Sample the joint set of one clip, frame by frame and level by level.

    Args:
        visual: one (T, N, D) a level, N a square number.
        audio: one (T, D) a level.
        mask_logits: (T, h, w).
        masks: (T, S, S) in {0, 1} or 255, which is ignored at will.
        max_samples: K.
        rules: what is drawn, and under which labels.
        generator: see :func:`draw_pixels`.
    """
    values, predictions = _on_grid(masks, mask_logits, math.isqrt(visual[0].shape[1]), rules)
    device = visual[0].device
    pixels, pixel_labels = [visual[0][:0, 0]], [values.new_empty(0)]
    sounds, sound_labels = [audio[0][:0]], []
    for frame in range(len(masks)):
        entries = audio_labels(masks[frame], values[frame], rules)
        for level in range(len(visual)):
            drawn = draw_pixels(values[frame], predictions[frame], max_samples, rules, generator)
            pixels.append(visual[level][frame][drawn[0].to(device)])
            pixel_labels.append(drawn[1])
            sounds += [audio[level][frame, None]] * len(entries)
            sound_labels += entries
    return JointSet(
        visual=at_least_float32(torch.cat(pixels)),
        visual_labels=torch.cat(pixel_labels).to(device),
        audio=at_least_float32(torch.cat(sounds)),
        audio_labels=torch.tensor(sound_labels, dtype=torch.long, device=device),
    )


def _on_grid(
    masks: Tensor, mask_logits: Tensor, size: int, rules: SamplingRules
) -> tuple[Tensor, Tensor]:
    """Labels and predictions of T frames, (T, size, size); few and small: on the CPU."""
    values = reduce_masks(masks[:, None], size)[:, 0].long().cpu()
    predictions = reduce_logits(mask_logits[:, None], size)[:, 0].cpu()
    thresholded = rules.prediction == "thresholded"
    return values, (predictions > 0).float() if thresholded else predictions


def keep_prefix(joint: JointSet, max_anchors: int, generator: torch.Generator | None) -> JointSet:
    """Cut the pixels where there are more than ``max_anchors`` to a prefix of random length.

    The release slices with the entry ``max_anchors`` of a permutation where its first
    ``max_anchors`` entries were meant as indices: the length is uniform below the number of
    pixels, it may exceed the cap or be 0, and early frames are favoured.
    """
    if len(joint.visual) <= max_anchors:
        return joint
    length = int(permutation(len(joint.visual), generator)[max_anchors])
    return joint._replace(visual=joint.visual[:length], visual_labels=joint.visual_labels[:length])
