"""Analytic gradients against differences, in double precision, for every contrastive loss."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from auralsam2.losses.audio_con import ANCHORS, audio_con_loss
from auralsam2.losses.info_nce import info_nce_loss
from auralsam2.losses.released_audio_con import released_audio_con
from auralsam2.registry import CONTRASTIVE_LOSSES
from auralsam2.structures import Embeddings

FRAMES, SIDE, CHANNELS, NUM_LEVELS = 2, 2, 3, 2


def raw(*shape, seed):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64).requires_grad_()


def features():
    """Un-normalised visual (L, T, N, D) and audio (L, T, D)."""
    visual = raw(NUM_LEVELS, FRAMES, SIDE * SIDE, CHANNELS, seed=0)
    return visual, raw(NUM_LEVELS, FRAMES, CHANNELS, seed=1)


def truth(ignore=False):
    """One frame with an object, one silent."""
    masks = torch.zeros(FRAMES, SIDE, SIDE)
    masks[0, 0, 1] = masks[0, 1, 0] = 1
    if ignore:
        masks[0, 1] = 255
    logits = torch.tensor([[[1.0, -1.0], [2.0, -2.0]], [[-1.0, 0.0], [-1.0, 1.0]]])
    return logits, masks


@pytest.mark.parametrize("name", CONTRASTIVE_LOSSES.names())
@pytest.mark.parametrize("max_samples", [1, 128])
def test_whole_loss_down_to_the_features(name, max_samples):
    loss = CONTRASTIVE_LOSSES.build(dict(type=name, max_samples=max_samples, temperature=0.5))
    logits, masks = truth()

    def value(visual, audio):
        levels = Embeddings(
            tuple(F.normalize(x, dim=-1)[None] for x in visual),
            tuple(F.normalize(x, dim=-1)[None] for x in audio),
        )
        supervised = torch.ones(1, FRAMES, dtype=torch.bool)
        generator = torch.Generator().manual_seed(3)
        return loss(levels, logits[None], masks[None], supervised, generator)["loss_contrastive"]

    assert torch.autograd.gradcheck(value, features())


@pytest.mark.parametrize("ignore", [False, True])
@pytest.mark.parametrize(
    "switches",
    [
        dict(),
        dict(labels="own"),
        dict(prediction="thresholded"),
        dict(quota="filled"),
        dict(silent_rule="empty"),
        dict(ignore_class=False),
        dict(max_anchors=6),
        dict(max_anchors=6, truncation="random"),
        dict(repel_audio=False, reduction="anchors_with_positive"),
    ],
    ids=lambda switches: "-".join(switches) or "released",
)
def test_released_loss_and_each_repair(switches, ignore):
    logits, masks = truth(ignore)

    def value(visual, audio):
        generator = torch.Generator().manual_seed(3)
        levels = [F.normalize(x, dim=-1) for x in visual], [F.normalize(x, dim=-1) for x in audio]
        return released_audio_con(
            *levels, logits, masks, generator, temperature=0.5, max_samples=1, **switches
        )

    visual, audio = features()
    assert torch.autograd.gradcheck(value, (visual, audio))
    assert value(visual, audio).requires_grad


@pytest.mark.parametrize("anchors", ANCHORS)
@pytest.mark.parametrize("repel_audio", [False, True])
@pytest.mark.parametrize("reduction", ["anchors_with_positive", "all_anchors"])
@pytest.mark.parametrize("visual_positives", [(), (255,)])
@pytest.mark.parametrize("temperature", [0.02, 0.5])
def test_audio_con(anchors, repel_audio, reduction, visual_positives, temperature):
    visual_labels = torch.tensor([0, 1, 1, 255, 0, 255, 255])
    audio_labels = torch.tensor([1, 0, 255])

    def value(visual, audio):
        return audio_con_loss(
            visual,
            visual_labels,
            audio,
            audio_labels,
            temperature,
            repel_audio,
            reduction,
            visual_positives,
            anchors,
        )

    # Below a temperature of 1/30 the negative sums take their other branch.
    points = [F.normalize(raw(n, 3, seed=n).detach(), dim=-1).requires_grad_() for n in (7, 3)]
    assert torch.autograd.gradcheck(value, points)


@pytest.mark.parametrize("labels", [[0, 1, 1, 0, 2], [0, 0, 0, 0, 0], [0, 1, 2, 3, 4]])
def test_info_nce(labels):
    labels = torch.tensor(labels)
    assert torch.autograd.gradcheck(lambda x: info_nce_loss(x, labels, 0.5), (raw(5, 3, seed=2),))
