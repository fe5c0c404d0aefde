from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.embeddings.plane import Wanted, choose, misplaced, place, place_all
from analysis.embeddings.points import COLUMNS


def points(num_clips: int = 12, pixels: int = 4) -> Wanted:
    """Two clusters by class, far apart in eight dimensions."""
    rng = np.random.default_rng(0)
    rows, vectors = [], []
    for clip in range(num_clips):
        centre = np.eye(8)[clip % 2]
        for kind, count in (("audio", 1), ("foreground", pixels)):
            for _ in range(count):
                rows.append((f"c{clip}", 0, 0, "fused", kind, clip > 1, ("dog", "bell")[clip % 2]))
                vectors.append(centre + rng.normal(0, 0.1, 8))
    stacked = np.asarray(vectors)
    stacked /= np.linalg.norm(stacked, axis=1, keepdims=True)
    return Wanted(pd.DataFrame(rows, columns=list(COLUMNS)), stacked.astype(np.float32), 5)


def test_clusters_stay_apart_and_each_alone_is_the_same() -> None:
    wanted = points()
    one = place(wanted)
    places = one.points[["x", "y"]].to_numpy()
    dogs = (one.points["category"] == "dog").to_numpy()
    centres = places[dogs].mean(0), places[~dogs].mean(0)
    radius = max(
        np.linalg.norm(places[m] - c, axis=1).max() for m, c in zip((dogs, ~dogs), centres)
    )

    assert np.linalg.norm(centres[0] - centres[1]) > 1.5 * radius
    assert 0.8 < one.trustworthiness <= 1
    for other in place_all([wanted, wanted]):
        pd.testing.assert_frame_equal(other.points, one.points)


def test_no_kind_is_drowned_by_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analysis.embeddings.plane.MOST_OF_A_KIND", 10)
    rows = points(num_clips=8, pixels=50).rows
    chosen = choose(rows)

    assert rows.loc[chosen, "kind"].value_counts().to_dict() == {"foreground": 10, "audio": 8}
    assert np.array_equal(chosen, choose(rows)) and (np.diff(chosen) > 0).all()


def test_few_points_lower_the_perplexity() -> None:
    wanted = points(num_clips=4)._replace(perplexity=50)
    assert place(wanted).perplexity == pytest.approx(19 / 3)


def test_what_has_no_picture_says_why() -> None:
    wanted = points()
    same = np.tile(wanted.vectors[:1], (len(wanted.vectors), 1))

    assert misplaced(wanted) is None
    assert misplaced(wanted._replace(vectors=same)) == "all its points coincide"
    few = Wanted(wanted.rows[:5], wanted.vectors[:5], 5)
    assert misplaced(few) == "5 points are too few for t-SNE"
