"""Numbers of runs that are no scores: what they are, where they stand, what is missing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from analysis.runs.measures import (
    EACH_PART,
    EXTRA_COLUMNS,
    chosen_columns,
    columns_in_words,
    epochs_to_nearly_best,
)
from analysis.runs.results import load_runs
from analysis.tables import make_table, measured_columns, notes, to_latex, to_markdown
from auralsam2.engine.parameter_parts import PARTS
from auralsam2.engine.run_record import RunRecord, add_validation

ROOT = Path(__file__).resolve().parents[3]
NEW = ("gflops", "decoder_gflops", "epochs_to_95", "step_seconds", "step_memory")
MEASURED = dict(
    num_parameters={"total": 4_000_000, "trainable": 1_500_000},
    parameters_by_part={
        "image_encoder": {"total": 2_500_000, "trainable": 0},
        "fuser": {"total": 1_500_000, "trainable": 1_500_000},
    },
    cost={"gflops": 0.5, "decoder_gflops": 0.25, "step_seconds": 0.125},
    environment={
        "device": "cpu: X",
        "num_threads": 1,
        "operations": {"num_frames": 5, "image_size": 128},
        "step": {"batch_size": 4, "num_frames": 5, "image_size": 128, "steps": 70},
    },
)


def trained(scores: list[float], metric: str = "J", **fields: object) -> RunRecord:
    record = RunRecord(selection={"split": "val", "metric": metric}, **fields)
    for number, score in enumerate(scores, start=1):
        add_validation(record, 2 * number, {metric: score})
    return record


@pytest.mark.parametrize(
    ("scores", "epoch"),
    [
        ([0.2, 0.76, 0.7, 0.8], 4),  # 0.95 of 0.8, to the digit
        ([0.2, 0.7599, 0.7, 0.8], 8),
        ([0.8, 0.1], 2),
        ([float("nan"), 0.5], 4),
        ([0.0, 0.0], None),
        ([], None),
    ],
)
def test_first_epoch_that_is_nearly_the_best(scores: list[float], epoch: int | None) -> None:
    assert epochs_to_nearly_best(trained(scores)) == epoch


def test_lower_may_be_better_and_validations_of_older_runs_need_not_be_there() -> None:
    lower = {"E": dict(higher_is_better=False, bounds=None, subject="object")}
    assert epochs_to_nearly_best(trained([0.5, 0.4, 0.39, 0.38], "E", scales=lower)) == 4
    assert epochs_to_nearly_best(RunRecord()) is None


def test_columns_of_runs(exact) -> None:
    results = load_runs(exact({("a", 0): 0.2, ("b", 0): 0.5}, **MEASURED))
    table = make_table(results, columns=[*NEW, *EACH_PART])
    parts = ["params:fuser", "total_params:image_encoder", "total_params:fuser"]
    assert list(table.extras) == [*NEW, *parts]
    assert table.extras.loc["a", parts].tolist() == [1.5, 2.5, 1.5]
    assert table.extras.loc["a", ["gflops", "step_seconds"]].tolist() == [0.5, 0.125]
    said = notes(table)
    assert "operations: num_frames 5, image_size 128" in said
    steps = "training steps: device cpu: X, num_threads 1, batch_size 4, num_frames 5"
    assert f"{steps}, image_size 128" in said
    assert "no run has recorded epochs to 95 %, GiB/step" in said
    # Where notes are comments, times still say where they were measured.
    assert "Operations: num\\_frames 5, image\\_size 128. Training steps: device" in to_latex(table)
    header = to_markdown(table).splitlines()[2]
    assert "| trained fuser (M) | image encoder (M) | fuser (M) |" in header
    assert measured_columns(results) == ["params"]


def test_runs_of_older_code_have_gaps_and_a_note(exact) -> None:
    folder = exact({("a", 0): 0.2, ("b", 0): 0.5}, **MEASURED)
    record = folder / "runs/1/record.json"
    text = re.sub(r'"cost": \{[^}]*\}', '"cost": {}', record.read_text())
    text = re.sub(
        r'"parameters_by_part": \{.*?\n \},', '"parameters_by_part": {},', text, flags=re.S
    )
    record.write_text(text)
    table = make_table(load_runs(folder), columns=["gflops", "params:fuser"])
    assert table.extras["gflops"].isna().tolist() == [False, True]
    assert "no run of b has recorded GFLOPs, trained fuser (M)" in notes(table)
    assert re.search(r"\| b +\|.*\| +– \| +– \|", to_markdown(table))


def test_unknown_columns_are_told_at_once_with_the_known_ones() -> None:
    with pytest.raises(ValueError) as caught:
        chosen_columns(["gflop", "params:fusor", "fps"], ())
    message = str(caught.value)
    for said in ("did you mean 'gflops'", "did you mean 'params:fuser'", *EXTRA_COLUMNS):
        assert said in message
    assert "'fps'; did" not in message


def test_help_and_docs_name_every_column() -> None:
    text = (ROOT / "docs/statistics.md").read_text(encoding="utf-8")
    for name in (*EXTRA_COLUMNS, *EACH_PART, *PARTS):
        kind, _, part = name.partition(":")
        for where in (text, columns_in_words()):
            assert re.search(rf"\b{kind}\b", where) and part in where, name
    assert all(f"`{name}`" in text for name in (*PARTS, *EACH_PART))
