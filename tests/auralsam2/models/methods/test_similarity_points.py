"""Points from maps whose peaks are known."""

from __future__ import annotations

import torch

from auralsam2.models.methods.similarity_points import (
    dense_points,
    peak_points,
    similarity_map,
    top_points,
)


def a_map() -> torch.Tensor:
    """14 x 14 with two hills, (x 9, y 3) and (x 4, y 11), a dale at (x 2, y 2) and a low border."""
    similarity = torch.full((14, 14), 0.5)
    similarity[3, 9], similarity[11, 4], similarity[2, 2] = 0.9, 0.7, 0.1
    similarity[0, 13] = 0.0
    return similarity


def test_the_map_is_scaled_before_it_is_enlarged() -> None:
    visual = torch.eye(4)[None].view(1, 4, 2, 2)
    low = similarity_map(torch.tensor([[1.0, 0, 0, 0]]), visual, size=4)
    assert low.shape == (4, 4) and low[0, 0] == 0 and low[3, 3] == 1
    high = similarity_map(torch.tensor([[1.0, 0, 0, 0]]), visual, size=4, reverse=False)
    torch.testing.assert_close(low + high, torch.ones(4, 4))


def test_highest_and_lowest() -> None:
    points, labels = top_points(a_map())
    assert points.tolist() == [[9.5, 3.5], [13.5, 0.5]] and labels.tolist() == [1, 0]


def test_peaks_are_inside() -> None:
    points, labels = peak_points(a_map(), threshold=0.6)
    assert points.tolist() == [[9, 3], [4, 11], [2, 2]] and labels.tolist() == [1, 1, 0]
    assert peak_points(a_map(), threshold=0.8)[0].tolist() == [[9, 3], [2, 2]]
    released, _ = peak_points(a_map(), threshold=0.6, column_twice=True)
    assert released.tolist() == [[9, 9], [4, 4], [2, 2]]


def test_a_grid_of_points() -> None:
    similarity = torch.linspace(0, 1, 21).expand(21, 21)
    points, labels = dense_points(similarity, threshold=0.99)
    assert labels.tolist() == [1] * 3 + [0] * 3
    assert set(points[:3, 0].tolist()) == {17.5} and set(points[3:, 0].tolist()) == {3.5}
    points, labels = dense_points(similarity, threshold=0.0)
    assert labels.tolist() == [1] * 4 + [0] * 4, "at most half of nine"
