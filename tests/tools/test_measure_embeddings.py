from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.embeddings.points import COLUMNS, Points, RunPoints
from auralsam2.config import parse_overrides
from auralsam2.engine.embedding_points import NoAudioVisualSpaceError


@pytest.fixture
def folder(
    write_scored: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """Two runs; the points of ``b`` are planted, ``a`` has none."""
    for cell in ("a", "b"):
        write_scored(tmp_path / "runs" / cell, {"test": {"J": {"x": 0.5}}})
        (tmp_path / "runs" / cell / "config.py").write_text("model = dict()\n")

    def of(self: RunPoints, run_dir: Path, **how: object) -> Points:
        if run_dir.name == "a":
            raise NoAudioVisualSpaceError("it is deaf")
        rng = np.random.default_rng(0)
        kinds = ["audio", "foreground", "foreground", "background"] * 5
        rows = [(f"c{i // 4}", 0, 0, "fused", kind, True, "dog") for i, kind in enumerate(kinds)]
        vectors = rng.normal(size=(20, 4)).astype(np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return Points(pd.DataFrame(rows, columns=list(COLUMNS)), {"fused": vectors})

    monkeypatch.setattr(RunPoints, "of", of)
    return tmp_path


def test_numbers_notes_and_paths(folder: Path, run) -> None:
    shown = run(
        "measure-embeddings", folder, "--perplexities", "4", "--set", "data.root=/elsewhere"
    )

    assert "audio→pixel AUROC" in shown and "note: a: left out: it is deaf" in shown
    paths = [Path(line) for line in shown.splitlines() if line.startswith(str(folder))]
    assert len(paths) == 7 and all(path.parent == folder / "figures" for path in paths)
    assert all(path.is_file() for path in paths)


def test_elsewhere(run, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analysis.figures.embedding_tsne.make", lambda *args, **rest: [])
    elsewhere = ["--cells", "b", "--perplexities", "4", "--out", tmp_path / "o"]
    run("measure-embeddings", folder, *elsewhere)
    assert (tmp_path / "o/embedding_companions.csv").is_file()
    assert not (folder / "figures").exists()


def test_errors_say_what_to_do(folder: Path, run) -> None:
    told = run("measure-embeddings", folder, "--cells", "bb", status=2)
    assert "unknown cell 'bb'; did you mean 'b'?" in told
    told = run("measure-embeddings", folder, "--cells", "a", status=2)
    assert "no run has an audio-visual space\na: left out: it is deaf" in told
    assert "write KEY=VALUE" in run("measure-embeddings", folder, "--set", "data.root", status=2)


def test_all_options_together(
    run, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    planted = RunPoints.of

    def of(self: RunPoints, run_dir: Path, **how: object) -> Points:
        seen.append((run_dir.name, asdict(self) | how))
        return planted(self, run_dir, **how)

    drawn = []
    monkeypatch.setattr(RunPoints, "of", of)
    monkeypatch.setattr(
        "analysis.figures.embedding_tsne.collect", lambda arms, **settings: drawn.append(settings)
    )
    for name in ("embedding_tsne.make", "embedding_tsne.make_perplexities"):
        monkeypatch.setattr(f"analysis.figures.{name}", lambda *args, **rest: [])
    said = "--cells b a --perplexities 3 4.5 --max-clips 2 --split held --level 0 --per-kind 3"
    sets = ["--set", "data.root=/else where", "data.batch_size=2", "--out", f"{tmp_path}/new"]

    run("measure-embeddings", folder, *said.split(), *sets, "--again")

    assert [name for name, _ in seen] == ["b", "a"]
    assert seen[0][1] == {
        "per_kind": 3,
        "max_clips": 2,
        "split": "held",
        "seed": 0,
        "again": True,
        "overrides": parse_overrides(["data.root=/else where", "data.batch_size=2"]),
    }
    assert drawn[0]["perplexities"] == [3, 4.5] and drawn[0]["level"] == 0
    assert (tmp_path / "new/embedding_companions.md").is_file()
