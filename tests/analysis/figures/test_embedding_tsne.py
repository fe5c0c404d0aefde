from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.embeddings import COLUMNS, Points, companions
from analysis.figures import embedding_tsne


@pytest.fixture
def points() -> Points:
    rng = np.random.default_rng(0)
    rows, vectors = [], []
    for clip in range(12):
        category = ("dog", "bell")[clip % 2]
        for kind, centre in (("audio", 2.0), ("foreground", 2.0), ("background", -2.0)):
            for _ in range(1 if kind == "audio" else 3):
                rows.append((f"c{clip}", 0, 0, "projected", kind, clip > 1, category))
                vector = rng.normal(size=4) + centre
                vectors.append(vector / np.linalg.norm(vector))
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    return Points(table, {"projected": np.asarray(vectors, dtype=np.float32)})


def test_numbers_are_those_of_the_original_vectors(points: Points) -> None:
    numbers = embedding_tsne.collect({"ours": points}, perplexity=5)
    (arm,) = numbers.arms

    own = companions(*points.select("projected", 0))
    assert {key: arm.numbers[key] for key in own} == pytest.approx(own, nan_ok=True)
    assert 0.5 < arm.numbers["trustworthiness"] <= 1
    assert len(arm.points) == len(points.table)


def test_the_same_seed_gives_the_same_picture(points: Points) -> None:
    one, two = (embedding_tsne.collect({"a": points}, perplexity=5, seed=4) for _ in range(2))

    pd.testing.assert_frame_equal(one.arms[0].points, two.arms[0].points)


def test_files(points: Points, tmp_path) -> None:
    paths = embedding_tsne.make({"none": points, "AudioCon": points}, tmp_path, perplexity=5)

    assert [p.name for p in paths] == [f"embedding_tsne.{k}" for k in ("pdf", "png", "csv")]
    assert list(pd.read_csv(paths[2])["arm"]) == ["none", "AudioCon"]


def test_arms_without_the_space_are_left_out(points: Points, tmp_path) -> None:
    assert embedding_tsne.make({"none": points}, tmp_path, space="fused") == []
