"""Symmetric InfoNCE against a loop."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from auralsam2.losses.contrastive import JointSet
from auralsam2.losses.info_nce import InfoNCELoss, info_nce_loss


def naive(points, labels, temperature):
    losses = []
    for i in range(len(points)):
        scores = torch.exp(points @ points[i] / temperature)
        positives = [j for j in range(len(points)) if labels[j] == labels[i] and j != i]
        mass = scores[labels != labels[i]].sum()
        if positives:
            terms = [-torch.log(scores[j] / (scores[j] + mass)) for j in positives]
            losses.append(sum(terms) / len(terms))
    return sum(losses) / len(losses)


def make_points(count, seed=0):
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randn(count, 3, generator=generator, dtype=torch.float64)
    return F.normalize(drawn, dim=-1).requires_grad_()


@pytest.mark.parametrize("labels", [[0, 1, 1, 0, 1, 0], [0, 1, 1, 1, 1, 1], [0, 1, 2, 1, 0, 2]])
def test_equals_naive_loop(labels):
    points, labels = make_points(6), torch.tensor(labels)
    torch.testing.assert_close(info_nce_loss(points, labels, 0.3), naive(points, labels, 0.3))


@pytest.mark.parametrize("labels", [[0, 1], [1, 1]])
def test_zero_with_a_graph_without_a_pair(labels):
    points = make_points(2)
    loss = info_nce_loss(points, torch.tensor(labels))
    loss.backward()
    assert float(loss.detach()) == 0
    assert points.grad.abs().sum() == 0


def test_symmetric_in_the_modalities():
    visual, audio = make_points(5), make_points(4, seed=1)
    visual_labels, audio_labels = torch.tensor([0, 1, 1, 0, 1]), torch.tensor([1, 0, 1, 0])
    loss = InfoNCELoss()
    torch.testing.assert_close(
        loss.joint_loss(JointSet(visual, visual_labels, audio, audio_labels)),
        loss.joint_loss(JointSet(audio, audio_labels, visual, visual_labels)),
    )
