from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from analysis.runs.results import load_runs
from analysis.statistics.crossed_means import Settings
from analysis.tables import footnote, make_table, notes
from auralsam2.engine import run_record


def note_of(folder: Path, **keys) -> str:
    return footnote(make_table(load_runs(folder), **keys))


def test_what_is_compared_and_how(planted) -> None:
    text = note_of(planted({"up": 0.05}), significance=True)
    for part in (
        "Mean over seeds of the mean over clips (30 clips of test), ± sample standard deviation",
        "Compared with 'b', paired by clip and seed; significant: p < 0.05 after Holm's correction",
        "* significant, clips and seeds vary.",
        "Differences that 80% of repetitions would find: J 0.0",
    ):
        assert part in text
    assert "†" not in text and "too few" not in text and "too short" not in text


def test_one_seed_is_said_to_be_too_few(planted) -> None:
    text = note_of(planted({"up": 0.05, "same": 0.0}, num_seeds=1), significance=True)
    assert "† significant for these trained models: clips alone vary." in text
    assert "Fewer than 2 seeds in common are too few" in text and "* significant" not in text


def test_it_is_too_few_where_nothing_is_significant_too(planted) -> None:
    text = note_of(planted({"same": 0.0}, num_seeds=1), significance=True)
    assert "Nothing is." in text and "Fewer than 2 seeds" in text


def test_no_difference_is_called_detectable_that_the_metric_cannot_have(exact, tmp_path) -> None:
    """Two seeds that lie far apart: Student's quantile at Holm's level is in the hundreds."""
    levels = {("b", 0): 0.2, ("b", 1): 0.3, ("far", 0): 0.7, ("far", 1): 0.3}
    clips = {f"clip{n}": 0.01 * n for n in range(5)}
    scores = {run: {c: level + v for c, v in clips.items()} for run, level in levels.items()}
    table = make_table(load_runs(exact(scores)), significance=True)
    assert table.comparison["detectable"].tolist() == [np.inf]
    assert "of repetitions would find: J none that it can have." in footnote(table)


def test_clips_alone_are_not_said_to_be_for_want_of_seeds(planted) -> None:
    over = Settings(over="clips")
    results = load_runs(planted({"up": 0.05}, num_seeds=3))
    text = footnote(make_table(results, significance=True, spread="interval", settings=over))
    assert "95% interval over clips alone, for these trained models;" in text
    assert "Comparisons cover the choice of clips and not the randomness of training." in text
    assert "†" in text and "too few" not in text


def test_few_seeds_and_few_clips_are_noted(planted) -> None:
    def said(**sizes: int) -> list[str]:
        return notes(make_table(load_runs(planted({"up": 0.05}, **sizes)), spread="interval"))

    assert said(num_seeds=1, num_clips=30) == said(num_seeds=5, num_clips=30) == []
    # Runs of the larger grid are still below the folder.
    assert said(num_seeds=4, num_clips=29)[1:] == [
        "4 seeds say little of how training varies: intervals over them are wide",
        "intervals over 29 clips are too short where scores are skewed, as near the ends of a "
        "metric",
    ]


@pytest.mark.parametrize(
    ("seeds", "part"), [(1, "over clips alone (fewer than 2 seeds)"), (5, "over clips and seeds;")]
)
def test_what_an_interval_covers(planted, seeds: int, part: str) -> None:
    text = note_of(planted({"up": 0.05}, num_seeds=seeds), spread="interval")
    assert f"95% interval {part}" in text


def test_no_test_no_claim(planted) -> None:
    text = note_of(planted({"up": 0.05}))
    assert "Compared" not in text and "significant" not in text


def test_only_splits_that_are_shown_are_counted(exact) -> None:
    folder = exact({("b", 0): 0.5})
    assert "1 clips of test, 1 clips of test_audio_swapped" in note_of(folder)
    assert "(1 clips of test)" in note_of(folder, scores=["test:J"])


def of_seeds(cell: str, seeds: range, **clips: float) -> dict:
    rng = np.random.default_rng(len(cell) + len(seeds))
    return {(cell, seed): {c: v + 0.1 * rng.random() for c, v in clips.items()} for seed in seeds}


def said_of(folder: Path, **keys) -> list[str]:
    """Notes without those on few seeds and clips."""
    listed = notes(make_table(load_runs(folder), **keys))
    return [n for n in listed if "say little" not in n and "too short" not in n]


def test_pairs_that_are_missing_are_noted(exact) -> None:
    held = {"x": 0.5, "y": 0.4, "z": 0.3}
    scores = of_seeds("b", range(2), **held) | of_seeds("a", range(3), **held)
    scores["b", 0]["x"] = float("nan")
    assert said_of(exact(scores), significance=True)[-1] == (
        "a is compared on 2 of 3 clips of test, 2 of 3 seeds, 2 of b's 3 clips of test: what both "
        "cells have; its difference is not that of the two means"
    )


def test_more_seeds_of_the_reference_are_noted(exact) -> None:
    held = {"x": 0.5, "y": 0.4, "z": 0.3}
    scores = of_seeds("b", range(5), **held) | of_seeds("a", range(3), **held)
    scores |= of_seeds("c", range(7, 9), **held)
    table = make_table(load_runs(exact(scores)), significance=True)
    assert table.comparison["num_seeds"].tolist() == [3]
    listed = said_of(exact(scores), significance=True)
    assert listed == [
        "a is compared on 3 of b's 5 seeds: what both cells have; its difference is not that of "
        "the two means",
        "c is not compared in J on test: it shares no seed and clip with b",
    ]


def test_an_interval_over_fewer_clips_than_its_mean_is_noted(exact) -> None:
    scores = of_seeds("b", range(3), x=0.5, y=0.4, z=0.3)
    scores["b", 0]["x"] = float("nan")
    assert said_of(exact(scores), spread="interval")[-1] == (
        "b, J on test: the interval is over 2 of 3 clips and 3 of 3 seeds, those that have every "
        "score"
    )


def test_what_has_no_interval_says_why(exact) -> None:
    alike = {("b", s): {"x": 0.5, "y": 0.4 + 0.1 * s} for s in range(3)}
    alike |= {("a", s): {"x": 0.6, "y": 0.5 + 0.1 * s} for s in range(3)}
    listed = said_of(exact(alike), significance=True, spread="interval", difference=True)
    assert listed[-1] == (
        "the difference in J on test, a: no interval, no test, the same on every clip and with "
        "every seed: how it would vary is not known"
    )
    text = note_of(exact(alike), significance=True, difference=True)
    assert "Nothing is." in text and "Differences that" not in text and "0.000" not in text


def test_a_single_clip_says_why(exact) -> None:
    single = {(cell, s): 0.3 + 0.1 * s for cell in "ab" for s in range(3)}
    listed = said_of(exact(single), significance=True, spread="interval", scores=["test:J"])
    assert listed == [
        "J on test, a, b: no interval, of a single clip nothing can be said",
        "the difference in J on test, a: no interval, no test, of a single clip nothing can be "
        "said",
    ]


def test_an_interval_that_differences_cannot_fill_is_cut(exact) -> None:
    far = {("b", s): {"x": 0.1, "y": 0.2} for s in range(2)}
    far |= {("a", s): {"x": 0.9 - s / 2, "y": 0.9} for s in range(2)}
    table = make_table(load_runs(exact(far)), significance=True)
    (row,) = table.comparison.to_dict("records")
    assert row["high"] == 1 and -1 < row["low"] < 0 and not row["significant"]
    assert said_of(exact(far), significance=True)[-1] == (
        "the difference in J on test, a: an interval is cut, it would go on where the metric cannot"
    )


def test_how_speeds_were_measured(grid_folder: Path) -> None:
    paths = sorted(grid_folder.rglob("record.json"))
    for threads, path in zip([1] * 7 + [2], paths, strict=True):
        record = run_record.read(path)
        record.speed = {"fps": 3.0}
        record.environment["speed"] = {"device": "cpu", "num_threads": threads, "repeats": {}}
        run_record.write(record, path.parent)
    (note,) = notes(make_table(load_runs(grid_folder), columns=["fps"]))
    assert note == (
        "speeds were measured under different conditions "
        "(device cpu, num_threads 1 | device cpu, num_threads 2)"
    )
    assert notes(make_table(load_runs(grid_folder), columns=["params"])) == []


def test_cells_without_a_common_run(exact) -> None:
    text = note_of(exact({("b", 0): 0.5, ("a", 1): 0.4}), significance=True)
    assert text.endswith("No cell shares a run with 'b': nothing is compared.")
