from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

from auralsam2.engine import run_record
from auralsam2.engine.record_schema import ADDED
from auralsam2.engine.run_record import RunRecord


@pytest.fixture
def record() -> RunRecord:
    made = run_record.start(
        name="sparse+dense",
        axes={"prompts": "sparse+dense"},
        seed=1,
        run_id="0123456789",
        config_hash="c" * 64,
        data_fingerprint="d" * 64,
    )
    run_record.add_scores(
        made, "test", {"J": 0.5, "F": math.nan}, {"J": {"a": 0.25, "b": 0.75}, "F": {}}
    )
    return made


def test_round_trip(record: RunRecord, tmp_path: Path) -> None:
    record.selection = {"split": "val", "metric": "J", "value": 0.4}
    run_record.write(run_record.finish(record, 12.34567), tmp_path)
    back = run_record.read(tmp_path)
    assert math.isnan(back.metrics["test"].pop("F"))
    record.metrics["test"].pop("F")
    assert back == record
    assert (back.status, back.duration_s) == ("done", 12.346)
    assert back.per_clip[0] == {"split": "test", "clip": "a", "metric": "J", "value": 0.25}
    assert run_record.read(tmp_path / "record.json").seed == 1


def test_the_file_is_strict_json(record: RunRecord) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    content = json.loads(record.to_json(), parse_constant=refuse)
    assert content["metrics"]["test"]["F"] is None


def test_failed_record_keeps_its_error(record: RunRecord) -> None:
    failed = RunRecord.from_json(run_record.fail(record, "Traceback\nValueError: x").to_json())
    assert failed.status == "failed" and failed.error.endswith("ValueError: x")


def test_all_problems_are_listed_with_the_path(record: RunRecord, tmp_path: Path) -> None:
    content = json.loads(record.to_json())
    content.update(seed="1", status="finished", epochs=True, colour="red", per_clip=[{"clip": 3}])
    content["metrics"]["test"]["J"] = "high"
    del content["run_id"]
    path = tmp_path / "record.json"
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError) as caught:
        run_record.read(tmp_path)
    message = str(caught.value)
    for part in (
        str(path),
        "unknown field 'colour'",
        "missing field 'run_id'",
        "seed: got '1', wanted an integer",
        "status: got 'finished', wanted one of running, done, failed, stopped",
        "epochs: got True",
        "per_clip: got",
        "metrics: got",
    ):
        assert part in message


@pytest.mark.parametrize("text", ["", "[1, 2]", '{"schema": 1'])
def test_what_is_no_record_names_its_file(text: str, tmp_path: Path) -> None:
    (tmp_path / "record.json").write_text(text)
    with pytest.raises(ValueError, match=r"record\.json"):
        run_record.read(tmp_path)


def test_missing_record(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"record\.json"):
        run_record.read(tmp_path)


def test_a_write_that_fails_leaves_the_old_record(
    record: RunRecord, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_record.write(record, tmp_path)
    before = (tmp_path / "record.json").read_text()

    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fail)
    record.seed = 7
    with pytest.raises(OSError, match="disk full"):
        run_record.write(record, tmp_path)
    assert (tmp_path / "record.json").read_text() == before
    assert [path.name for path in tmp_path.iterdir()] == ["record.json"]


def test_write_makes_the_folder(record: RunRecord, tmp_path: Path) -> None:
    assert run_record.write(record, tmp_path / "a" / "b").is_file()


def test_records_need_no_torch() -> None:
    program = "import sys, auralsam2.engine.run_record; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "False", done.stderr


def test_records_from_before_a_field_was_added_still_read(record: RunRecord) -> None:
    content = json.loads(record.to_json())
    for name in ADDED:
        del content[name]
    back = RunRecord.from_json(json.dumps(content))
    assert (back.label_source, back.skipped, back.curve, back.speed) == ("", {}, [], {})
    assert (back.attempts, back.stopped_because) == ([], None)


def test_large_records_are_read_without_their_clips(tmp_path: Path) -> None:
    made = RunRecord(status="done", notes=["a\n ],\n"], duration_s=1.0)
    scores = {f'clip "{i}"\n ],': 0.5 for i in range(3)}
    run_record.add_scores(made, "test", {"J": 0.5}, {"J": scores})
    run_record.write(made, tmp_path)
    whole, light = run_record.read(tmp_path), run_record.read_without_clips(tmp_path)
    assert len(whole.per_clip) == 3 and light.per_clip == []
    whole.per_clip = []
    assert light == whole
    run_record.write(RunRecord(), tmp_path)
    assert run_record.read_without_clips(tmp_path) == RunRecord()


def test_a_curve_has_every_epoch_once(record: RunRecord) -> None:
    for epoch, score in ((1, 0.1), (2, 0.2), (3, 0.3), (2, 0.25)):
        run_record.add_validation(record, epoch, {"J": score})
    assert record.curve == [
        {"epoch": 1, "split": "val", "scores": {"J": 0.1}},
        {"epoch": 2, "split": "val", "scores": {"J": 0.25}},
    ]
    run_record.add_validation(record, 3, {"J": math.nan})
    back = RunRecord.from_json(record.to_json())
    assert math.isnan(back.curve[2]["scores"]["J"]) and back.curve[:2] == record.curve[:2]


def test_a_stopped_record_says_why(record: RunRecord) -> None:
    stopped = RunRecord.from_json(run_record.stop(record, "pruned", 2.0).to_json())
    assert (stopped.status, stopped.stopped_because, stopped.duration_s) == ("stopped", "pruned", 2)
    assert stopped.error is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("curve", [{"epoch": 1, "scores": {}}]),
        ("curve", [{"epoch": 1, "split": "val", "scores": {"J": "high"}}]),
        ("speed", {"fps": "fast"}),
        ("attempts", ["one"]),
        ("stopped_because", 3),
    ],
)
def test_fields_of_wrong_kinds_are_named(record: RunRecord, field: str, value: object) -> None:
    content = {**json.loads(record.to_json()), field: value}
    with pytest.raises(ValueError, match=f"  - {field}: got"):
        RunRecord.from_json(json.dumps(content))
