from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from analysis.figures import breakdown
from analysis.runs.results import Results, load_runs

CLASSES = [f"class {n:02}" for n in range(30)]


@pytest.fixture
def results(grid_of: Callable[..., Results], monkeypatch: pytest.MonkeyPatch) -> Results:
    """Three cells; the labels of their 20 clips are planted."""
    held = grid_of({"arm": ("old", "new", "worse")}, planted, num_clips=20, num_seeds=3)
    table = pd.DataFrame(
        {
            "clip": [f"c{n:03}" for n in range(20)],
            "size": np.linspace(0.01, 0.4, 20),
            "empty": [0.0, 0.2] * 10,
            "classes": [[CLASSES[n], CLASSES[(n + 1) % 2]][: 1 + n % 2] for n in range(20)],
            "seen": [None] * 20,
        }
    )
    found = lambda _, cells, splits, overrides: (dict.fromkeys(splits, table), [])  # noqa: E731
    monkeypatch.setattr(breakdown, "clip_labels", found)
    return held


def planted(arm: str) -> float:
    return {"old": 0.5, "new": 0.6, "worse": 0.3}[arm]


def test_the_reference_is_compared_with_the_best_other_cell_that_was_trained(
    results: Results,
) -> None:
    numbers = breakdown.collect(results)
    assert numbers is not None and numbers.cells == ("old", "new")
    assert numbers.found.loc[0, "difference"] == pytest.approx(-0.1, abs=0.02)
    assert numbers.notes == ("no breakdown by training: the data do not tell",)
    named = breakdown.collect(results, other="worse")
    assert named is not None and named.cells == ("old", "worse")
    with pytest.raises(ValueError, match="unknown cell 'wors'"):
        breakdown.collect(results, other="wors")
    results.runs["num_trainable"] = results.runs["cell"].map({"old": 1, "new": 0, "worse": 1})
    trained = breakdown.collect(results)
    assert trained is not None and trained.cells == ("old", "worse")


def test_what_is_drawn(results: Results) -> None:
    numbers = breakdown.collect(results)
    assert numbers is not None
    panels = list(Figure().subplots(1, 2, sharey=True))
    breakdown.draw(numbers, panels)
    names = [label.get_text() for label in panels[0].get_yticklabels()]
    # All clips, thirds, one source or two, silence or not, and 20 classes.
    assert names[0] == "all clips (20)" and len(names) == 1 + 3 + 2 + 2 + 20
    assert [text.get_text() for text in panels[0].texts] == [
        *("object size", "sources", "silence", "class")
    ]
    filled = [line for line in panels[0].lines if line.get_marker() == "o"]
    faces = [line.get_markerfacecolor() == breakdown.style.BLUE for line in filled]
    assert faces == numbers.found["significant"].tolist()


def test_files_are_written_once_each(results: Results, tmp_path: Path) -> None:
    paths = breakdown.make(results, tmp_path)
    assert [path.name for path in paths] == [
        *(f"breakdown.{kind}" for kind in ("pdf", "png", "csv", "md", "tex"))
    ]
    assert len(pd.read_csv(paths[2])) == 28
    assert "**old minus new: which clips carry the difference**" in paths[3].read_text()


def test_few_classes_are_drawn_and_all_are_in_the_table(results: Results, monkeypatch) -> None:
    monkeypatch.setattr(breakdown, "_MOST_CLASSES", 2)
    numbers = breakdown.collect(results)
    assert numbers is not None
    rows, headings = breakdown._rows(numbers.found)
    assert [row["bin"] for row in rows if row["attribute"] == "class"] == CLASSES[:2]
    assert len(numbers.found) == 28 and headings.tolist()[-1] == 4


def test_without_data_seen_and_unseen_splits_are_left(
    exact: Callable[..., Path], tmp_path: Path
) -> None:
    held = {part: {"J": {f"c{n}": 0.1 * n for n in range(5)}} for part in ("test_s", "test_u")}
    better = {part: {"J": {f"c{n}": 0.1 * n + 0.01 * n for n in range(5)}} for part in held}
    results = load_runs(exact({("b", 0): held, ("a", 0): better}))
    paths = breakdown.make(results, tmp_path / "out")
    assert len(results.lost) == 2 and results.notes[-2:] == results.lost
    assert results.lost[0].startswith("nothing is known of the clips of test_s: ")
    frame = pd.read_csv(paths[2])
    assert frame["bin"].tolist() == ["all clips", "test s", "test u"]
    plain = load_runs(
        exact({("b", 0): {"test": held["test_s"]}, ("a", 0): {"test": held["test_u"]}})
    )
    assert breakdown.make(plain, tmp_path / "none") == []
    assert len(plain.lost) == 1 and not (tmp_path / "none").exists()


def test_one_cell_has_nothing_to_be_compared_with(results: Results) -> None:
    alone = results.scores[results.scores["cell"] == "old"]
    assert breakdown.collect(replace(results, scores=alone)) is None
