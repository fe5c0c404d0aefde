"""The repelling half of the contrastive losses: log-sum-exp over points of other labels."""

from __future__ import annotations

import torch
from torch import Tensor

# exp(-2 * 30) is far from float32's smallest normal number.
_SAFE_BOUND = 30.0


def log_sums_of_both_sides(left: Tensor, right: Tensor) -> tuple[Tensor, Tensor]:
    """Log-sum-exp of ``left @ right.T`` over columns and over rows.

    Args:
        left: (R, D), R at least 1.
        right: (C, D), C at least 1.

    Returns:
        (R,) sums over columns and (C,) sums over rows.
    """
    norms = [points.detach().norm(dim=1).max() for points in (left, right)]
    bound = float(norms[0] * norms[1])
    similarity = left @ right.T
    if bound > _SAFE_BOUND:
        return similarity.logsumexp(dim=1), similarity.logsumexp(dim=0)
    # No entry leaves [-bound, bound] (10 for cosines at temperature 0.1), so one exponential,
    # which is most of the cost, serves rows and columns.
    weights = similarity.sub_(bound).exp_()
    return weights.sum(dim=1).log() + bound, weights.sum(dim=0).log() + bound


def log_negative_sums(
    points: Tensor,
    labels: Tensor,
    temperature: float,
    others: Tensor | None = None,
    other_labels: Tensor | None = None,
    among: bool = True,
) -> Tensor:
    """Log of every point's negative mass, ``log sum_j exp(z_i . z_j / temperature)``.

    The sum runs over points (and ``others``) whose label differs. Each pair of classes is
    multiplied once for both sides, so that no matrix over all pairs is formed.

    Args:
        points: (P, D).
        labels: (P,).
        temperature: divisor of the dot products.
        others: (Q, D) further negatives that are not anchors themselves.
        other_labels: (Q,).
        among: points of other labels are negatives; off, ``others`` alone are.

    Returns:
        (P,), minus infinity where there is no negative.
    """
    classes = labels.unique().tolist()
    rows = {label: (labels == label).nonzero().squeeze(1) for label in classes}
    sums: dict[float, list[Tensor]] = {label: [] for label in classes}
    for position, first in enumerate(classes):
        scaled = points[rows[first]] / temperature
        for second in classes[position + 1 :] if among else ():
            of_first, of_second = log_sums_of_both_sides(scaled, points[rows[second]])
            sums[first].append(of_first)
            sums[second].append(of_second)
        if others is not None and len(negatives := others[other_labels != first]):
            sums[first].append((scaled @ negatives.T).logsumexp(dim=1))
    result = points.new_full((len(points),), -torch.inf)
    for label in filter(sums.get, classes):
        total = torch.stack(sums[label]).logsumexp(dim=0)
        result = result.index_put((rows[label],), total)
    return result
