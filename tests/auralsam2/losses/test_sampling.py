"""Hard and easy pixels of each class."""

from __future__ import annotations

import pytest
import torch

from auralsam2.losses.sampling import pixel_labels, pixel_predictions, quotas, sample_pixels


@pytest.mark.parametrize(
    "hard, easy, expected",
    [
        (10, 10, (4, 4)),
        (1, 10, (1, 7)),
        (10, 1, (7, 1)),
        (3, 2, (3, 2)),
        (0, 10, (0, 8)),
        (10, 0, (8, 0)),
        (4, 3, (4, 3)),
        (0, 0, (0, 0)),
    ],
)
def test_quotas_fill_up_without_exceeding_twice_the_limit(hard, easy, expected):
    taken = quotas(torch.tensor(hard), torch.tensor(easy), 4)
    assert (int(taken[0]), int(taken[1])) == expected


@pytest.fixture
def frames():
    generator = torch.Generator().manual_seed(0)
    labels = (torch.rand(6, 100, generator=generator) > 0.7).long()
    labels[0], labels[1] = 0, 1
    predictions = torch.rand(6, 100, generator=generator) > 0.4
    return labels, predictions


@pytest.mark.parametrize("max_samples", [1, 7, 128])
def test_each_class_and_kind_gets_its_quota(frames, max_samples):
    labels, predictions = frames
    drawn = sample_pixels(labels, predictions, max_samples, torch.Generator().manual_seed(1))
    for row in range(len(labels)):
        for label in (0, 1):
            is_hard = (labels[row] == label) & (predictions[row] != bool(label))
            is_easy = (labels[row] == label) & (predictions[row] == bool(label))
            expected = quotas(is_hard.sum(), is_easy.sum(), max_samples)
            taken = (drawn[row] & is_hard).sum(), (drawn[row] & is_easy).sum()
            assert taken == expected


def test_draws_are_reproducible_and_vary_with_the_generator(frames):
    def draw(seed):
        return sample_pixels(*frames, 5, torch.Generator().manual_seed(seed))

    assert torch.equal(draw(0), draw(0))
    assert not torch.equal(draw(0), draw(1))


def test_every_pixel_of_a_kind_is_equally_likely():
    labels = torch.zeros(4000, 8, dtype=torch.long)
    predictions = torch.arange(8).expand(4000, 8) < 4
    drawn = sample_pixels(labels, predictions, 1, torch.Generator().manual_seed(0))
    share = drawn.double().mean(dim=0)
    assert torch.allclose(share, torch.full((8,), 0.25, dtype=torch.double), atol=0.04)


def test_reduction_to_the_token_grid():
    masks = torch.zeros(1, 1, 4, 4)
    masks[0, 0, 2:, :2] = 1
    assert pixel_labels(masks, 2).tolist() == [[[0, 0, 1, 0]]]
    assert pixel_predictions(2 * masks - 1, 2).tolist() == [[[False, False, True, False]]]
