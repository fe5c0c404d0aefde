"""What no other choice beats in everything."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


def pareto_front(losses: ArrayLike) -> NDArray[Any]:
    """Return which points no other one dominates.

    A point dominates another where it is no worse in every objective and better in one; of equal
    points none does.

    Args:
        losses: (N, K), lower is better in each of the K objectives.

    Returns:
        (N,) booleans.
    """
    values = np.asarray(losses, dtype=float)
    no_worse = (values[:, None] <= values[None]).all(axis=2)
    better = (values[:, None] < values[None]).any(axis=2)
    return np.asarray(~(no_worse & better).any(axis=0))
