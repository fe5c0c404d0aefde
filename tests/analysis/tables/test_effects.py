from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from analysis.statistics.crossed_means import CLIPS, Settings
from analysis.statistics.effects import grid_effects
from analysis.tables.effects import footnote, to_frame, to_texts, write

AXES = {"size": ("s", "m", "l"), "loss": ("off", "on")}


def planted(size: str, loss: str) -> float:
    return 0.4 + 0.1 * (size == "m") + 0.02 * (size == "l") + 0.2 * (loss == "on" and size == "m")


def test_rows_are_effects_and_tests_of_all_levels(grid_of) -> None:
    held = grid_effects(grid_of(AXES, planted, num_seeds=4, num_clips=40))
    texts = to_texts(held)
    assert list(texts) == ["", "level", "J"]
    assert texts[["", "level"]].to_numpy().tolist() == [
        ["size", "m − s"],
        ["size", "l − s"],
        ["size", "together"],
        ["loss", "on − off"],
        ["size × loss", "(m − s) × (on − off)"],
        ["size × loss", "(l − s) × (on − off)"],
        ["size × loss", "together"],
    ]
    row = held.found.iloc[0]
    numbers = [f"+{row[name]:.3f}" for name in ("difference", "low", "high")]
    assert texts["J"][0] == f"{numbers[0]} [{numbers[1]}, {numbers[2]}]*"
    assert texts["J"][2].startswith("F ") and texts["J"][2].endswith(", p < 0.001")
    assert "*" not in texts["J"][5]
    assert footnote(held) == (
        "Main effect: a level minus the reference level, averaged over the other axes; "
        "interaction: the difference of such differences. In brackets the 95% interval over clips "
        "and 4 seeds, not corrected. *: p < 0.05 after Holm's correction over the main effects, or "
        "the interactions, of a column. Together: F-test of all of them over the same clips and "
        "seeds, which takes it that they vary alike; its p is corrected likewise."
    )


def test_files_and_numbers(grid_of, tmp_path: Path) -> None:
    results = grid_of(AXES, planted, left_out=["l, on"], num_seeds=1)
    paths = write(results, tmp_path / "out")
    assert [path.name for path in paths] == ["effects.md", "effects.tex", "effects.csv"]
    held = grid_effects(results)
    frame = pd.read_csv(paths[2])
    assert len(frame) == len(to_frame(held)) == 4
    assert frame.loc[1, ["kind", "axes", "levels", "against"]].tolist() == [
        *("main effect", "size", "l", "s")
    ]
    assert frame[["averaged", "of"]].to_numpy().tolist() == [[2, 2], [1, 2], [2, 3], [1, 1]]
    text = paths[0].read_text()
    assert "| size        | l − s                |        1 of 2 |" in text
    assert "- the grid is not full: 1 of 6 combinations have no finished cell (l, on" in text
    assert "†" in text and "over clips alone, not corrected" in text
    latex = paths[1].read_text()
    assert "% note: the grid is not full" in latex and r"\label{tab:effects-a-b-c}" in latex


def test_clips_alone_where_that_is_asked_for(grid_of, tmp_path: Path) -> None:
    paths = write(grid_of(AXES, planted), tmp_path, Settings(over=CLIPS))
    assert "over clips alone, not corrected" in paths[0].read_text()


@pytest.mark.slow
def test_latex_is_on_the_page(grid_of, tmp_path: Path, typeset) -> None:
    write(grid_of(AXES, planted), tmp_path / "out")
    typeset((tmp_path / "out" / "effects.tex").read_text())


def test_clips_alone_may_vary(grid_of, tmp_path: Path) -> None:
    (path, *_) = write(grid_of(AXES, planted), tmp_path, Settings(over=CLIPS))
    assert "over clips alone, not corrected" in path.read_text()


def test_nothing_of_one_axis(grid_of, tmp_path: Path) -> None:
    assert write(grid_of({"size": ("s", "m")}, lambda *_: 0.5), tmp_path / "out") == []
    assert not (tmp_path / "out").exists()


def test_nasty_levels_stand_as_they_are(grid_of, tmp_path: Path) -> None:
    results = grid_of(AXES, planted)
    axes = {c: {"a|b": f"x_{own['size']}_", "$5": own["loss"]} for c, own in results.axes.items()}
    paths = write(replace(results, axes=axes, title="50% _ours_"), tmp_path)
    markdown, latex = (path.read_text() for path in paths[:2])
    assert r"**50% \_ours\_: main effects" in markdown and r"a\|b × \$5" in markdown
    assert r"x\_m\_ $-$ x\_s\_" in latex and r"a\textbar{}b $\times$ \$5" in latex
