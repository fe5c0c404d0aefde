"""Which files are written of a grid's audio-visual spaces, of which runs, and what is said."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from analysis.embeddings.companions import COMPANIONS, companions
from analysis.embeddings.measure import MeasuredEmbeddings
from analysis.embeddings.points import SPACES, Points, RunPoints
from analysis.embeddings.table import companions_of_runs
from analysis.figures import embeddings
from analysis.measured_runs import MeasuredRuns
from tests.analysis.planted import points_of

KINDS = ("pdf", "png", "csv", "points.csv")


@pytest.fixture(autouse=True)
def no_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files instead of pictures; those are tested with their figures."""

    def save(figure: object, numbers: pd.DataFrame, folder: Path, name: str) -> list[Path]:
        folder.mkdir(parents=True, exist_ok=True)
        paths = [folder / f"{name}.{kind}" for kind in KINDS[:3]]
        for path in paths[:2]:
            path.touch()
        numbers.to_csv(paths[2], index=False)
        return paths

    monkeypatch.setattr("analysis.figures.style.save", save)


@pytest.fixture
def three() -> dict[str, Points]:
    """The first seed of three arms, the first of which has no projector."""
    return {
        "none": points_of(spaces=("fused",)),
        "weightless": points_of(spaces=SPACES),
        "AudioCon": points_of(spaces=SPACES),
    }


def measured(
    arms: dict[str, Points],
    *,
    level: int = -1,
    max_clips: int | None = None,
) -> MeasuredEmbeddings:
    found = {(cell, seed): points for cell, points in arms.items() for seed in (3, 4)}
    return MeasuredEmbeddings(
        RunPoints(max_clips=max_clips),
        MeasuredRuns(found),
        companions_of_runs(found),
        level,
        ("weightless",),
    )


def test_all_files_and_what_is_not_drawn(three: dict[str, Points], tmp_path: Path) -> None:
    shown = measured(three, max_clips=8)
    paths = embeddings.make(shown, tmp_path / "out", perplexities=(3, 5, 7))

    tsne = "embedding_tsne"
    assert {path.name for path in paths} == {
        *(f"{tsne}.{kind}" for kind in KINDS),
        *(f"{tsne}_fused.{kind}" for kind in KINDS),
        *(f"{tsne}_perplexities.{kind}" for kind in KINDS[:3]),
        *(f"embedding_companions.{kind}" for kind in ("csv", "md", "tex")),
    }
    assert all(path.is_file() for path in paths)
    assert shown.runs.notes == ["none: has no projected space: no projector was built"]
    text = (tmp_path / "out/embedding_companions.md").read_text()
    assert "the first 8 clips of split test; mean ± standard deviation over 2 seeds." in text


def test_panels_show_the_first_seed_and_its_numbers(
    three: dict[str, Points], tmp_path: Path
) -> None:
    embeddings.make(measured(dict(reversed(three.items()))), tmp_path, perplexities=[5])
    shown = pd.read_csv(tmp_path / "embedding_tsne.csv")
    fused = pd.read_csv(tmp_path / "embedding_tsne_fused.csv")

    assert list(shown["arm"]) == ["AudioCon", "weightless"]
    assert list(shown["note"]) == ["seed 3", "seed 3, untrained projector"]
    assert list(fused["arm"]) == ["AudioCon", "weightless", "none"]
    assert set(fused["note"]) == {"seed 3"}, "the fused space needs no projector"
    own = companions(*three["AudioCon"].select("projected", 1))
    for key in COMPANIONS:
        assert shown[key].iloc[0] == pytest.approx(own[key])
    assert not (tmp_path / "embedding_tsne_perplexities.pdf").exists()


def test_level_of_shorter_pyramids(tmp_path: Path) -> None:
    arms = {
        "none": points_of(spaces=("fused",), num_levels=1),
        "AudioCon": points_of(spaces=("fused",)),
    }
    shown = measured(arms, level=1)
    embeddings.make(shown, tmp_path, perplexities=[5])

    assert "none: has no level 1; it has 1" in shown.problems
    assert list(pd.read_csv(tmp_path / "embedding_tsne_fused.csv")["arm"]) == ["AudioCon"]


def test_a_collapsed_space_is_measured_and_not_drawn(tmp_path: Path) -> None:
    points = points_of(spaces=("fused",))
    points.vectors["fused"][:] = (1, 0, 0, 0)
    (tmp_path / "embedding_tsne_fused.png").write_text("of an earlier call")
    shown = measured({"none": points})
    paths = embeddings.make(shown, tmp_path)

    assert not (tmp_path / "embedding_tsne_fused.png").exists()
    assert "none: not drawn in the fused space: all its points coincide" in shown.runs.notes
    assert {path.name for path in paths} == {
        f"embedding_companions.{kind}" for kind in ("csv", "md", "tex")
    }
    assert (pd.read_csv(tmp_path / "embedding_companions.csv")["uniformity"] == 0).all()


def test_a_space_that_no_run_has(three: dict[str, Points], tmp_path: Path) -> None:
    one = measured({"none": three["none"]})
    paths = embeddings.make(one, tmp_path, perplexities=[5])
    assert one.runs.notes == ["none: has no projected space: no projector was built"]
    assert {path.stem.split(".")[0] for path in paths} == {
        *("embedding_tsne_fused", "embedding_companions")
    }
    nothing = measured({})
    assert embeddings.make(nothing, tmp_path) == []


def test_a_cell_is_not_taken_for_one_whose_name_begins_alike(tmp_path: Path) -> None:
    arms = {"none: x": points_of(spaces=("fused",)), "none": points_of(spaces=SPACES)}
    shown = measured(arms)
    embeddings.make(shown, tmp_path, perplexities=[5])
    assert list(pd.read_csv(tmp_path / "embedding_tsne.csv")["arm"]) == ["none"]
    assert shown.runs.notes == ["none: x: has no projected space: no projector was built"]


def test_more_cells_than_a_page_holds(
    three: dict[str, Points], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(embeddings.embedding_tsne, "MOST_ARMS", 1)
    shown = measured(three)
    embeddings.make(shown, tmp_path, perplexities=[5])

    assert list(pd.read_csv(tmp_path / "embedding_tsne_fused.csv")["arm"]) == ["none"]
    assert any("shows 1 of 3 cells" in note for note in shown.runs.notes)
    numbers = pd.read_csv(tmp_path / "embedding_companions.csv")
    assert set(numbers["cell"]) == {"none", "weightless", "AudioCon"}


@pytest.mark.parametrize("perplexities", [[], [0], [5, -1]])
def test_perplexities_that_cannot_be(perplexities: list[float], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="perplexities must be above 0, got"):
        embeddings.make(measured({}), tmp_path, perplexities=perplexities)
