from __future__ import annotations

from pathlib import Path

import pytest

from analysis.resampling import Settings
from analysis.results import load_runs
from analysis.tables import footnote, make_table, notes
from auralsam2.engine import run_record

QUICK = Settings(num_resamples=199)


def note_of(folder: Path, **keys) -> str:
    return footnote(make_table(load_runs(folder), settings=QUICK, **keys))


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


def test_few_seeds_are_said_to_be_too_few(planted) -> None:
    text = note_of(planted({"up": 0.05, "same": 0.0}, num_seeds=2), significance=True)
    assert "† significant for these trained models: clips alone vary." in text
    assert "Fewer than 3 seeds in common are too few" in text and "* significant" not in text


def test_they_are_too_few_where_nothing_is_significant_too(planted) -> None:
    text = note_of(planted({"same": 0.0}, num_seeds=1), significance=True)
    assert "Nothing is." in text and "Fewer than 3 seeds" in text


def test_three_seeds_make_intervals_short(planted) -> None:
    text = note_of(planted({"up": 0.05}, num_seeds=3), significance=True)
    assert "With 3 seeds the intervals are somewhat too short." in text


@pytest.mark.parametrize(
    ("seeds", "part"), [(1, "over clips alone (fewer than 3 seeds)"), (5, "over clips and seeds;")]
)
def test_what_an_interval_covers(planted, seeds: int, part: str) -> None:
    text = note_of(planted({"up": 0.05}, num_seeds=seeds), spread="interval")
    assert f"95% BCa bootstrap interval {part}" in text


def test_no_test_no_claim(planted) -> None:
    text = note_of(planted({"up": 0.05}))
    assert "Compared" not in text and "significant" not in text


def test_only_splits_that_are_shown_are_counted(exact) -> None:
    folder = exact({("b", 0): 0.5})
    assert "1 clips of test, 1 clips of test_audio_swapped" in note_of(folder)
    assert "(1 clips of test)" in note_of(folder, scores=["test:J"])


def test_pairs_that_are_missing_are_noted(exact) -> None:
    nan = float("nan")
    held = {"x": 0.5, "y": 0.4, "z": 0.3}
    scores = {("b", seed): {"test": {"J": held}} for seed in (0, 1)}
    scores |= {("a", seed): {"test": {"J": held}} for seed in (0, 1, 2)}
    scores[("b", 0)] = {"test": {"J": {**held, "x": nan}}}
    table = make_table(load_runs(exact(scores)), significance=True, settings=QUICK)
    assert (
        notes(table)[-1]
        == "a is compared on 2 of 3 clips of test, 2 of 3 seeds, which both cells have"
    )


def test_too_few_permutations_are_noted(planted) -> None:
    folder = planted(dict.fromkeys("cdefgh", 0.05), num_seeds=1)
    table = make_table(load_runs(folder), significance=True, settings=QUICK)
    assert "199 permutations are too few for 6 cells" in notes(table)[-1]
    assert "below 0.060" in notes(table)[-1]
    assert notes(make_table(load_runs(folder), significance=True)) == []


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
