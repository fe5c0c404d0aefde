"""Symmetric InfoNCE against a loop."""

from __future__ import annotations

import pytest
import torch

from auralsam2.losses.contrastive import JointSet
from auralsam2.losses.info_nce import InfoNCELoss, info_nce_loss
from tests.auralsam2.losses.test_audio_con import points as points_of


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


@pytest.mark.parametrize("labels", [[0, 1, 1, 0, 1, 0], [0, 1, 1, 1, 1, 1], [0, 1, 2, 1, 0, 2]])
def test_equals_naive_loop(labels):
    points, labels = points_of(6, 3), torch.tensor(labels)
    torch.testing.assert_close(info_nce_loss(points, labels, 0.3), naive(points, labels, 0.3))


@pytest.mark.parametrize("labels", [[0, 1], [1, 1]])
def test_zero_with_a_graph_without_a_pair(labels):
    points = points_of(2, 3)
    loss = info_nce_loss(points, torch.tensor(labels))
    loss.backward()
    assert float(loss.detach()) == 0
    assert points.grad.abs().sum() == 0


def test_symmetric_in_the_modalities():
    visual, audio = points_of(5, 3), points_of(4, 3, seed=1)
    visual_labels, audio_labels = torch.tensor([0, 1, 1, 0, 1]), torch.tensor([1, 0, 1, 0])
    loss = InfoNCELoss()
    torch.testing.assert_close(
        loss.joint_loss(JointSet(visual, visual_labels, audio, audio_labels)),
        loss.joint_loss(JointSet(audio, audio_labels, visual, visual_labels)),
    )
