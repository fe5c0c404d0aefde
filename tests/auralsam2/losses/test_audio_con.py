"""AudioCon: against a loop, and what its anchors pull."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F

from auralsam2.losses.audio_con import ANCHORS, AudioConLoss, audio_con_loss


def naive(visual, visual_labels, audio, audio_labels, temperature, repel_audio, reduction, anchors):
    losses = []
    pixels = list(zip(visual, visual_labels.tolist(), strict=True))
    sounds = list(zip(audio, audio_labels.tolist(), strict=True))
    own, opposite = (pixels, sounds) if anchors == "visual" else (sounds, pixels)
    for anchor, label in own:
        repelling = pixels + sounds if repel_audio else pixels
        negatives = [z for z, other in repelling if other != label]
        mass = sum((torch.exp(anchor @ n / temperature) for n in negatives), torch.tensor(0.0))
        terms = [
            -torch.log(torch.exp(s) / (torch.exp(s) + mass))
            for z, other in opposite
            if other == label
            for s in [anchor @ z / temperature]
        ]
        if terms:
            losses.append(sum(terms) / len(terms))
    count = len(own) if reduction == "all_anchors" else len(losses)
    return sum(losses) / count


def points(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randn(*shape, generator=generator, dtype=torch.float64)
    return F.normalize(drawn, dim=-1).requires_grad_()


def test_one_pair_and_one_negative():
    visual = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    audio = torch.tensor([[1.0, 0.0]])
    loss = audio_con_loss(visual, torch.tensor([1, 0]), audio, torch.tensor([1]), temperature=1.0)
    assert float(loss) == pytest.approx(-math.log(math.e / (math.e + 1)))


@pytest.mark.parametrize("anchors", ANCHORS)
@pytest.mark.parametrize("repel_audio", [False, True])
@pytest.mark.parametrize("reduction", ["anchors_with_positive", "all_anchors"])
@pytest.mark.parametrize("audio_labels", [[1, 1, 1], [1, 0, 1], [2, 0, 1]])
def test_equals_naive_loop(anchors, repel_audio, reduction, audio_labels):
    arguments = (
        points(7, 4),
        torch.tensor([0, 1, 1, 0, 0, 1, 0]),
        points(3, 4, seed=1),
        torch.tensor(audio_labels),
        0.3,
        repel_audio,
        reduction,
    )
    found = audio_con_loss(*arguments, anchors=anchors)
    torch.testing.assert_close(found, naive(*arguments, anchors))


def test_with_sounds_as_anchors_no_two_pixels_meet():
    visual, audio = points(5, 3), points(2, 3, seed=1)
    labels = torch.tensor([1, 1, 0, 2, 0]), torch.tensor([1, 1])
    loss = audio_con_loss(visual, labels[0], audio, labels[1], anchors="audio")
    pulled = torch.autograd.grad(loss, visual)[0]
    # Every pixel's gradient is made of sounds alone: pixels of their label come nearer, the others
    # go away, whatever class they are of.
    basis = audio.detach().T
    weights = torch.linalg.lstsq(basis, pulled.T).solution
    torch.testing.assert_close(basis @ weights, pulled.T)
    assert (weights[:, :2] < 0).all() and (weights[:, 2:] > 0).all()
    loss = audio_con_loss(visual, labels[0], audio, labels[1])
    pulled = torch.autograd.grad(loss, visual)[0]
    weights = torch.linalg.lstsq(basis, pulled.T).solution
    assert not torch.allclose(basis @ weights, pulled.T, atol=1e-3), "pixels as anchors meet others"


@pytest.mark.parametrize("anchors", ANCHORS)
@pytest.mark.parametrize(
    "visual_labels, audio_labels",
    [([1, 1], [0]), ([0, 0], [0]), ([0, 0], [])],
)
def test_zero_with_a_graph_without_a_pair(anchors, visual_labels, audio_labels):
    visual, audio = points(2, 3), points(len(audio_labels), 3, seed=1)
    labels = torch.tensor(visual_labels), torch.tensor(audio_labels)
    loss = audio_con_loss(visual, labels[0], audio, labels[1], anchors=anchors)
    loss.backward()
    assert float(loss.detach()) == 0
    assert visual.grad.abs().sum() == 0


def test_stable_at_low_temperature():
    visual, audio = points(6, 4), points(2, 4, seed=1)
    labels = torch.tensor([0, 1, 0, 1, 0, 1])
    loss = audio_con_loss(
        visual.float(), labels, audio.float(), torch.tensor([1, 0]), temperature=1e-3
    )
    loss.backward()
    assert loss.isfinite() and visual.grad.isfinite().all() and float(loss.detach()) > 10


def test_errors_list_what_is_wrong():
    with pytest.raises(
        ValueError, match="temperature=0(.|\n)*max_samples .* got 0(.|\n)*pool='world'"
    ):
        AudioConLoss(temperature=0, max_samples=0, pool="world")
    with pytest.raises(ValueError, match="reduction='x'.*all_anchors\nunknown anchors='text'"):
        AudioConLoss(reduction="x", anchors="text")
