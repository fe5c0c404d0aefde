from __future__ import annotations

import json
from pathlib import Path

from analysis.runs.training_log import loss_terms, read_log, score_names, series
from auralsam2.engine.run_record import RunRecord


def test_what_is_no_number_or_no_score_is_left_out(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "vis_data"
    folder.mkdir(parents=True)
    lines = [
        {"iter": 1, "step": 1, "loss": 3.0, "loss_mask": 1.0, "lr": 0.1, "note": "text"},
        {"iter": 2, "step": 2, "loss": float("inf"), "loss_mask": 2.0, "time": 1.0},
        {"step": 1, "J": 0.5, "data_time": 0.1},
    ]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (folder / "scalars.json").write_text(text + '[1]\n{"iter": 3, "ste')
    log = read_log(RunRecord(), tmp_path)
    assert series(log.training, "loss") == ((1,), (3.0,))
    assert series(log.training, "note") == ((), ())
    assert loss_terms(log.training) == {"loss_mask": "mask"}
    assert score_names(log.validation) == ["J"]
    assert series(log.validation, "J") == ((1,), (0.5,))


def test_the_record_s_validations_come_first_and_nothing_needs_a_folder(tmp_path: Path) -> None:
    record = RunRecord(curve=[{"epoch": 3, "split": "val", "scores": {"J": 0.4}}])
    log = read_log(record, tmp_path / "nowhere")
    assert log.training == [] and series(log.validation, "J") == ((3,), (0.4,))
