"""Points of an untrained model on tiny clips: drawn, kept, read back, refused."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.embeddings.points import COLUMNS, PROJECTED, SPACES, Points, RunPoints
from auralsam2 import config as configs
from auralsam2.data.synthetic.writer import Plan, write_clips
from auralsam2.engine import embedding_points, run_record
from auralsam2.engine.embedding_points import NoAudioVisualSpaceError


@pytest.fixture(scope="module")
def write_run(
    write_scored: Callable[..., object], tiny_model: dict[str, object]
) -> Callable[..., Path]:
    def write(folder: Path, trainable: int = 0, **overrides: object) -> Path:
        write_scored(folder, {}, num_parameters={"trainable": trainable})
        cfg = configs.load("auralsam2/mini_v1m", {**tiny_model, **overrides})
        configs.dump(cfg, folder / "config.py")
        return folder

    return write


def test_spaces_are_those_that_points_are_drawn_from() -> None:
    assert set(SPACES) == set(embedding_points.SPACES) and embedding_points.PROJECTED == PROJECTED


@pytest.fixture(scope="module")
def made(
    tmp_path_factory: pytest.TempPathFactory, write_run: Callable[..., Path]
) -> tuple[Path, Points]:
    """A run that trained nothing, and its points; its data are gone."""
    folder = tmp_path_factory.mktemp("points")
    write_clips(folder / "clips", Plan("v1m", (1, 1, 3), seed=2, size=48, num_frames=2))
    run_dir = write_run(folder / "run", **{"data.root": str(folder / "nowhere")})
    root = {"data.root": str(folder / "clips")}
    points = RunPoints(per_kind=3).of(run_dir, overrides=root)
    with pytest.raises(ValueError, match=r"unknown test split 'tset'; did you mean 'test'\?"):
        RunPoints(split="tset").of(run_dir, overrides=root)
    off = {f"model.{part}": None for part in ("sparse_prompt", "dense_prompt", "projector")}
    deaf = write_run(folder / "deaf", **off, **{"model.contrastive_loss": None})
    with pytest.raises(NoAudioVisualSpaceError, match="has no audio-visual space"):
        RunPoints().of(deaf, overrides=root)
    record = run_record.read(deaf)
    run_record.add_scores(record, "test", {"J": 1.0}, {"J": {"another": 1.0}})
    run_record.write(record, deaf)
    with pytest.raises(ValueError, match=r"other data than the run was tested on.*\(another\)"):
        RunPoints().of(deaf, overrides=root)
    shutil.rmtree(folder / "clips")
    return run_dir, points


def test_every_point_has_a_row_and_a_vector(made: tuple[Path, Points]) -> None:
    _, points = made
    assert list(points.table) == list(COLUMNS) and points.num_levels == 3
    for space in ("fused", "projected"):
        for level in range(3):
            rows, vectors = points.select(space, level)
            assert len(rows) == len(vectors) and rows["clip"].nunique() == 3
            assert (rows["kind"] == "audio").sum() == 3 * 2
            np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-4)


def test_points_are_read_back_where_the_data_are_gone(made: tuple[Path, Points]) -> None:
    run_dir, points = made
    again = RunPoints(per_kind=3).of(run_dir, overrides={"data.root": "/elsewhere"})

    pd.testing.assert_frame_equal(again.table, points.table, check_dtype=False)
    for space, vectors in points.vectors.items():
        np.testing.assert_array_equal(again.vectors[space], vectors)
    with pytest.raises(FileNotFoundError, match="nowhere"):
        RunPoints(per_kind=4).of(run_dir)


def test_all_wrong_settings_are_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(ValueError) as told:
        RunPoints(per_kind=0, max_clips=0, split="test_audio_swapped").of(tmp_path)
    for part in ("per_kind must be at least 1", "max_clips must be", "take 'test'"):
        assert part in str(told.value)


def test_points_of_a_space_and_level_stay_with_their_vectors(tmp_path: Path) -> None:
    rows = [("a", 0, level, space, "audio", True, "dog") for level in (0, 1) for space in "xy"]
    points = Points(
        pd.DataFrame(rows, columns=list(COLUMNS)),
        {"x": np.array([[0.0], [1.0]]), "y": np.array([[2.0], [3.0]])},
    )

    for space, level, wanted in (("x", 1, 1.0), ("y", 0, 2.0)):
        chosen, vectors = points.select(space, level)
        assert vectors.tolist() == [[wanted]] and len(chosen) == 1
