"""Points of the audio-visual space in the plane: t-SNE, and how far to trust it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.manifold import TSNE, trustworthiness
from threadpoolctl import threadpool_limits

from analysis.embeddings.points import Vectors

MOST_OF_A_KIND = 300
SHOWN_COLUMNS = ("clip", "frame", "kind", "sounding", "category")
# Where the cost is within 2 % of what 1000 steps reach, with the same trustworthiness.
_STEPS = 500
_FEWEST_POINTS, _COINCIDE = 12, 1e-6
_SEED = 0
"""Of t-SNE, and of the choice of points where there are more than `MOST_OF_A_KIND`."""


class Plane(NamedTuple):
    """Points in the plane."""

    points: pd.DataFrame  # columns `SHOWN_COLUMNS`, x and y
    perplexity: float  # that was taken; fewer points allow less
    # Share of neighbourhoods that the plane has kept, 0 to 1 (Venna & Kaski 2001), of the 5 nearest
    # by cosine
    trustworthiness: float


class Wanted(NamedTuple):
    """Points of one space and level, to be placed with one perplexity."""

    rows: pd.DataFrame
    vectors: Vectors  # finite
    perplexity: float


def choose(rows: pd.DataFrame) -> NDArray[np.intp]:
    """Return positions of at most 300 points a kind, the same ones for the same rows."""
    generator = np.random.default_rng(_SEED)
    chosen = [np.empty(0, dtype=np.intp)]
    for kind in sorted(set(rows["kind"])):
        own = np.flatnonzero(rows["kind"] == kind)
        many = len(own) > MOST_OF_A_KIND
        chosen.append(generator.choice(own, MOST_OF_A_KIND, replace=False) if many else own)
    return np.sort(np.concatenate(chosen))


def misplaced(wanted: Wanted) -> str | None:
    """Say why points have no picture; None where they have."""
    if len(wanted.vectors) < _FEWEST_POINTS:
        return f"{len(wanted.vectors)} points are too few for t-SNE"
    if float(np.ptp(wanted.vectors, axis=0).max()) < _COINCIDE:
        return "all its points coincide"
    return None


def place(wanted: Wanted) -> Plane:
    """Place points by t-SNE (van der Maaten & Hinton 2008): cosine, begun at the first two PCs."""
    assert misplaced(wanted) is None
    chosen = choose(wanted.rows)
    vectors = np.asarray(wanted.vectors[chosen], dtype=float)
    perplexity = min(wanted.perplexity, (len(vectors) - 1) / 3)
    # One thread: several of OpenMP's wait for each other busily, and ten times as long where the
    # cores have other work.
    with threadpool_limits(1, user_api="openmp"):
        plane = TSNE(
            init="pca", perplexity=perplexity, metric="cosine", random_state=_SEED, max_iter=_STEPS
        ).fit_transform(vectors)
    shown = wanted.rows.iloc[chosen].reset_index(drop=True)[list(SHOWN_COLUMNS)]
    kept = float(trustworthiness(vectors, plane, metric="cosine"))
    return Plane(shown.assign(x=plane[:, 0], y=plane[:, 1]), perplexity, kept)


def place_all(wanted: Sequence[Wanted]) -> list[Plane]:
    """Place several, a thread a core; each as `place` would alone."""
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        return list(pool.map(place, wanted))
