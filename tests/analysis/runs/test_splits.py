"""The mix of seen and unseen clips, and which metric a split shows."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from analysis import tables
from analysis.runs.results import load_runs, write_csv
from analysis.runs.splits import table_columns, table_means
from analysis.tables import make_table

SEEN, UNSEEN, NULL = {"a": 0.2, "b": 0.4, "c": 0.6}, {"a": 1.0}, {"n": 0.3, "m": 0.1}


@pytest.fixture
def write(write_scored: Callable[..., object], tmp_path: Path) -> Callable[..., Path]:
    """Write one run a cell with given scores of its clips, the same for all its metrics."""

    def write_runs(runs: dict[str, dict[str, dict[str, float]]], metrics=("J", "F", "S")) -> Path:
        for cell, held in runs.items():
            scores = {split: dict.fromkeys(metrics, clips) for split, clips in held.items()}
            write_scored(tmp_path / cell, scores)
        return tmp_path

    return write_runs


REF_AVS = {"on": {"test_s": SEEN, "test_u": UNSEEN, "test_n": NULL}}


def test_the_mix_is_the_mean_of_both_splits(write) -> None:
    table = make_table(load_runs(write(REF_AVS)))
    assert table.mean[("mix", "J")].tolist() == pytest.approx([(0.4 + 1.0) / 2])
    assert table.mean[("test_s", "J")].tolist() == pytest.approx([0.4])
    assert "mix: mean of test_s and test_u" in tables.footnote(table)


def test_null_splits_show_s_and_others_do_not(write) -> None:
    results = load_runs(write(REF_AVS))
    assert table_columns(results) == [
        *(("test_s", "J"), ("test_s", "F"), ("test_u", "J"), ("test_u", "F")),
        *(("mix", "J"), ("mix", "F"), ("test_n", "S")),
    ]
    assert make_table(results).mean.columns.to_list() == table_columns(results)


def test_results_csv_keeps_everything_and_invents_nothing(write, tmp_path: Path) -> None:
    text = write_csv(load_runs(write(REF_AVS)), tmp_path / "results.csv").read_text()
    assert "mix" not in text and text.count("\n") == 1 + 6 * 3


def test_a_split_that_would_show_nothing_shows_what_it_has(write) -> None:
    results = load_runs(write(REF_AVS, metrics=("J",)))
    assert ("test_n", "J") in table_columns(results)


def test_no_mix_of_one_half(write) -> None:
    alone = {"test_s": SEEN, "test_n": NULL}
    assert "mix" not in set(table_means(load_runs(write({"on": alone})))["split"])


def test_a_run_without_a_half_has_no_mix(write) -> None:
    results = load_runs(write({**REF_AVS, "off": {"test_s": SEEN, "test_n": NULL}}))
    table = make_table(results)
    assert table.mean[("mix", "J")].isna().to_dict() == {"on": False, "off": True}


def test_a_split_named_mix_is_left_alone(write) -> None:
    results = load_runs(write({"on": {**REF_AVS["on"], "mix": {"a": 0.5}}}))
    table = make_table(results)
    assert table.mean[("mix", "J")].tolist() == [0.5]
    assert "mix: mean" not in tables.footnote(table)


def test_the_lowest_s_is_the_best(write) -> None:
    worse = {**REF_AVS["on"], "test_n": {"n": 0.5, "m": 0.5}}
    best = tables.best_cells(make_table(load_runs(write({**REF_AVS, "off": worse}))))
    assert best[("test_n", "S")].to_dict() == {"on": True, "off": False}
    assert best[("mix", "J")].to_dict() == {"on": True, "off": True}


def test_the_mix_is_traced(write, tmp_path: Path) -> None:
    table = make_table(load_runs(write(REF_AVS)))
    content = json.loads(tables.write_tables(table, tmp_path)[3].read_text())
    assert content["derived_splits"] == {
        "mix": {"parts": ["test_s", "test_u"], "weighting": "splits"}
    }
    (entry,) = (e for e in content["entries"] if (e["split"], e["metric"]) == ("mix", "J"))
    assert [run["run_id"] for run in entry["runs"]] == ["on"]
    assert entry["runs"][0]["value"] == pytest.approx(0.7)


def test_controls_of_a_derived_split(write) -> None:
    held = {f"{split}_audio_silence": clips for split, clips in REF_AVS["on"].items()}
    table = make_table(load_runs(write({"on": {**REF_AVS["on"], **held}})))
    assert table.mean[("mix_audio_silence", "J")].tolist() == pytest.approx([0.7])
    assert ("mix_audio_silence", "S") not in table.mean.columns
    assert ("test_n_audio_silence", "S") in table.mean.columns
    assert "mix_audio_silence: mean of test_s_audio_silence" in tables.footnote(table)
