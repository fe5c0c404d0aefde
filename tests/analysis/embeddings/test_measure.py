"""From planted points of a grid's runs to files, numbers, and what is said about the rest."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.embeddings import measure as measured_embeddings
from analysis.embeddings.companions import COMPANIONS, companions
from analysis.embeddings.measure import measure
from analysis.embeddings.points import COLUMNS, Points
from analysis.runs.results import Results, load_runs
from auralsam2.engine.embedding_points import NoAudioVisualSpaceError

CELLS = {"SAM2": 0.2, "none": 0.4, "weightless": 0.5, "AudioCon": 0.6}
TRAINED = "model = dict(contrastive_loss=dict(type='AudioConLoss', weight=0.1))\n"
CONFIGS = {
    "none": "model = dict(contrastive_loss=None)\n",
    "weightless": "model = dict(contrastive_loss=dict(type='AudioConLoss', weight=0.0))\n",
}


def points_of(seed: int, spaces: tuple[str, ...], num_levels: int = 2) -> Points:
    rng = np.random.default_rng(seed)
    rows, vectors = [], []
    for space in spaces:
        for level in range(num_levels):
            for clip in range(8):
                category = ("dog", "bell")[clip % 2]
                for kind in ("audio", "foreground", "foreground", "background"):
                    rows.append((f"c{clip}", 0, level, space, kind, True, category))
                    vector = rng.normal(size=4) + (0 if kind == "background" else 1)
                    vectors.append(vector / np.linalg.norm(vector))
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    stacked = np.asarray(vectors, dtype=np.float32)
    return Points(table, {space: stacked[(table["space"] == space)] for space in spaces})


@pytest.fixture(autouse=True)
def no_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files instead of pictures; those are tested with their figures."""

    def save(figure: object, numbers: pd.DataFrame, folder: Path, name: str) -> list[Path]:
        folder.mkdir(parents=True, exist_ok=True)
        paths = [folder / f"{name}.{kind}" for kind in ("pdf", "png", "csv")]
        for path in paths[:2]:
            path.touch()
        numbers.to_csv(paths[2], index=False)
        return paths

    monkeypatch.setattr("analysis.figures.style.save", save)


@pytest.fixture
def results(write_grid: Callable[..., Path], tmp_path: Path) -> Results:
    folder = write_grid(tmp_path / "grid", cells=CELLS)
    for run_dir in (folder / "runs").iterdir():
        (run_dir / "config.py").write_text(CONFIGS.get(run_dir.name.split("-")[0], TRAINED))
    return load_runs(folder)


@pytest.fixture
def captured(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict]]:
    """Plant the points of runs; the calls are listed."""
    calls = []

    def capture(run_dir: Path, **settings: object) -> Points:
        calls.append((run_dir.name, settings))
        cell, seed = run_dir.name.split("-")[0], int(run_dir.name.split("-s")[1][0])
        if cell == "SAM2":
            raise NoAudioVisualSpaceError("SAM2 has no audio-visual space")
        return points_of(seed, ("fused",) if cell == "none" else ("fused", "projected"))

    monkeypatch.setattr(measured_embeddings, "capture_points", capture)
    return calls


def test_all_files_and_what_was_left_out(results, captured, tmp_path: Path) -> None:
    made = measure(results, tmp_path / "out", perplexities=(3, 5, 7), max_clips=8)

    names = {path.name for path in made.paths}
    tsne, four = "embedding_tsne", ("pdf", "png", "csv", "points.csv")
    assert names == {
        *(f"{tsne}.{kind}" for kind in four),
        *(f"{tsne}_fused.{kind}" for kind in four),
        *(f"{tsne}_perplexities.{kind}" for kind in four[:3]),
        *(f"embedding_companions.{kind}" for kind in ("csv", "md", "tex")),
    }
    assert all(path.is_file() for path in made.paths)
    assert made.problems == [
        "SAM2: left out: SAM2 has no audio-visual space",
        "weightless: untrained projector: its projected space is a random projection",
        "none: has no projected space: no projector was built",
    ]
    assert [name.split("-")[0] for name, _ in captured].count("SAM2") == 1
    assert (
        "the first 8 clips of split test" in (tmp_path / "out/embedding_companions.md").read_text()
    )


def test_panels_show_the_first_seed_and_its_numbers(results, captured, tmp_path: Path) -> None:
    made = measure(results, tmp_path, perplexities=[5], cells=["AudioCon", "none", "weightless"])
    shown = pd.read_csv(tmp_path / "embedding_tsne.csv")
    fused = pd.read_csv(tmp_path / "embedding_tsne_fused.csv")

    assert list(shown["arm"]) == ["AudioCon", "weightless"]
    assert list(shown["note"]) == ["seed 0", "seed 0, untrained projector"]
    assert list(fused["arm"]) == ["AudioCon", "none", "weightless"]
    assert set(fused["note"]) == {"seed 0"}, "the fused space needs no projector"
    own = companions(*points_of(0, ("fused", "projected")).select("projected", 1))
    table = made.companions.query("cell == 'AudioCon' and seed == 0 and space == 'projected'")
    for key in COMPANIONS:
        assert shown[key].iloc[0] == pytest.approx(own[key])
        assert table[table["coarsest"]][key].item() == pytest.approx(own[key])
    assert len(made.companions) == 2 * 2 * (2 + 1 + 2), "seeds, levels, spaces of the cells"
    assert not (tmp_path / "embedding_tsne_perplexities.pdf").exists()


def test_level_of_shorter_pyramids(results, captured, monkeypatch, tmp_path: Path) -> None:
    def capture(run_dir: Path, **settings: object) -> Points:
        return points_of(0, ("fused",), num_levels=1 if run_dir.name.startswith("none") else 2)

    monkeypatch.setattr(measured_embeddings, "capture_points", capture)
    made = measure(results, tmp_path, cells=["none", "AudioCon"], level=1, perplexities=[5])

    assert "none: has no level 1; it has 1" in made.problems
    assert list(pd.read_csv(tmp_path / "embedding_tsne_fused.csv")["arm"]) == ["AudioCon"]
    with pytest.raises(ValueError, match="no run has a level 2; pyramids have up to 2"):
        measure(results, tmp_path, level=2)


def test_settings_reach_the_capture(results, captured, tmp_path: Path) -> None:
    measure(
        results,
        tmp_path,
        cells=["AudioCon"],
        spaces=["fused"],
        perplexities=[5],
        per_kind=3,
        split="test",
        again=True,
        overrides={"data.root": "x"},
    )

    assert captured[0][1] == {
        "split": "test",
        "per_kind": 3,
        "max_clips": None,
        "again": True,
        "overrides": {"data.root": "x"},
    }


def test_all_that_is_wrong_is_said_at_once(results, tmp_path: Path) -> None:
    with pytest.raises(ValueError) as told:
        measure(results, tmp_path, cells=["AudoiCon", "x"], spaces=["fuse"], perplexities=[0])
    for part in (
        "unknown cell 'AudoiCon'; did you mean 'AudioCon'? known: AudioCon, SAM2, none",
        "unknown cell 'x'",
        "unknown space 'fuse'; did you mean 'fused'?",
        "perplexities must be above 0, got [0]",
    ):
        assert part in str(told.value)
    with pytest.raises(ValueError, match="(?s)cells must be a list of names.*spaces must be"):
        measure(results, tmp_path, cells="none", spaces="fused")


def test_runs_without_data_or_diverged(results, monkeypatch, captured, tmp_path: Path) -> None:
    planted = measured_embeddings.capture_points

    def capture(run_dir: Path, **settings: object) -> Points:
        points = planted(run_dir, **settings)
        if run_dir.name.startswith("AudioCon-s0"):
            raise KeyError("no data")
        if run_dir.name.startswith("weightless-s0"):
            points.vectors["fused"][0] = np.nan
        return points

    monkeypatch.setattr(measured_embeddings, "capture_points", capture)
    made = measure(results, tmp_path, cells=["weightless", "AudioCon"], perplexities=[5])

    assert "AudioCon, seed 0: left out: no data" in made.problems
    assert made.lost == [problem for problem in made.problems if "left out" in problem]
    assert "weightless, seed 0: left out: its vectors are not finite" in made.problems
    assert set(pd.read_csv(tmp_path / "embedding_tsne.csv")["note"]) == {
        "seed 1",
        "seed 1, untrained projector",
    }


def test_nothing_to_show_and_nothing_that_could_be_read(
    results, captured, monkeypatch, tmp_path: Path
) -> None:
    made = measure(results, tmp_path, cells=["SAM2"])
    assert made.paths == [] and made.companions.empty and len(made.problems) == 1
    assert made.lost == []

    def gone(run_dir: Path, **settings: object) -> Points:
        raise FileNotFoundError(f"no data at {run_dir.name[:6]}")

    monkeypatch.setattr(measured_embeddings, "capture_points", gone)
    with pytest.raises(ValueError, match="(?s)no run's points could be drawn.*seed 1: left out"):
        measure(results, tmp_path, cells=["none"])


def test_a_collapsed_space_is_measured_and_not_drawn(
    results, captured, monkeypatch, tmp_path: Path
) -> None:
    def capture(run_dir: Path, **settings: object) -> Points:
        points = points_of(0, ("fused",))
        points.vectors["fused"][:] = (1, 0, 0, 0)
        return points

    monkeypatch.setattr(measured_embeddings, "capture_points", capture)
    (tmp_path / "embedding_tsne_fused.png").write_text("of an earlier call")
    made = measure(results, tmp_path, cells=["none"])

    assert not (tmp_path / "embedding_tsne_fused.png").exists()
    assert "none: not drawn in the fused space: all its points coincide" in made.problems
    assert {path.name for path in made.paths} == {
        f"embedding_companions.{kind}" for kind in ("csv", "md", "tex")
    }
    assert (made.companions["uniformity"] == 0).all()


def test_a_space_that_no_run_has(results, captured, tmp_path: Path) -> None:
    made = measure(results, tmp_path, cells=["none"], spaces=["projected"])
    assert made.paths == [] and made.companions.empty
    assert made.problems == ["none: has no projected space: no projector was built"]


def test_a_cell_is_not_taken_for_one_whose_name_begins_alike(
    write_grid, captured, tmp_path: Path
) -> None:
    folder = write_grid(tmp_path / "grid", cells={"none: x": 0.1, "none": 0.2}, seeds=(0,))
    for run_dir in (folder / "runs").iterdir():
        (run_dir / "config.py").write_text(CONFIGS["none"])
    points = {"none": points_of(0, ("fused", "projected")), "none: x": points_of(0, ("fused",))}
    problems: list[str] = []

    captures = {(cell, 0): points[cell] for cell in ("none: x", "none")}
    arms = measured_embeddings._arms(captures, "projected", -1, problems)

    assert list(arms) == ["none"] and len(problems) == 1
    caption = measured_embeddings._caption
    made = measure(load_runs(folder), tmp_path / "out", spaces=["fused"], perplexities=[5])
    assert caption(made.companions, -1, "test", None).endswith("8 clips of split test; one seed.")
    twice = pd.concat([made.companions, made.companions.assign(seed=1)])
    assert caption(twice, -1, "test", None).endswith("mean ± standard deviation over 2 seeds.")


def test_more_cells_than_a_page_holds(results, captured, monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setattr(measured_embeddings.embedding_tsne, "MOST_ARMS", 1)
    made = measure(results, tmp_path, spaces=["fused"], perplexities=[5])

    assert list(pd.read_csv(tmp_path / "embedding_tsne_fused.csv")["arm"]) == ["none"]
    assert any("shows 1 of 3 cells" in problem for problem in made.problems)
    assert set(made.companions["cell"]) == {"none", "weightless", "AudioCon"}
