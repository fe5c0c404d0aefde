"""What a run leaves behind: one ``record.json`` in its folder, whole or not at all.

Training, grids and analysis meet in records and in the files that lie beside them. A record needs
no torch, is read strictly, and says where every number came from.
"""

from __future__ import annotations

import itertools
import json
import math
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from auralsam2.engine.provenance import code_version, environment
from auralsam2.engine.record_schema import SCHEMA, find_problems
from auralsam2.text_files import json_text, write_text

FILE_NAME = "record.json"
WEIGHTS = "best.safetensors"
"""The selected weights, beside the record of a run that trains something."""
LAST_WEIGHTS = "last.safetensors"
"""Weights of the last epoch, kept where none could be selected."""


@dataclass
class RunRecord:
    """The record of one run.

    A score that is not a number is null in the file and NaN here.

    Attributes:
        schema: version of this layout.
        status: ``"running"``, ``"done"``, ``"failed"`` or ``"stopped"``; a killed run stays
            ``"running"``.
        name: of the cell in a grid.
        axes: axis name -> label of the cell's value.
        seed: of the run.
        run_id: identity in a grid.
        config_hash: `auralsam2.config.config_hash`.
        data_fingerprint: of all splits together.
        label_source: releases that the labels come from, joined by commas; empty where unknown.
        code_version: `auralsam2.engine.provenance.code_version` when the run began.
        started: ISO 8601, UTC.
        finished: ISO 8601, UTC.
        duration_s: seconds of the last session of the run.
        num_parameters: ``total`` and ``trainable``.
        parameters_by_part: part -> the same of it; see `auralsam2.engine.parameter_parts`.
        epochs: trained, which is fewer than planned after an early stop.
        best_epoch: whose weights were tested.
        selection: ``split``, ``metric`` and ``value`` that chose it.
        metrics: split -> metric -> mean over clips.
        per_clip: ``split``, ``clip``, ``metric``, ``value`` of every score.
        environment: versions and machine; of a training also ``device``, ``num_threads``, ``amp``
            (the precision that was used, null for float32), ``processes`` and, on a GPU, ``cuda``.
        error: traceback of a failed run.
        notes: whatever a reader of the numbers must know.
        skipped: split -> how often a corrupt clip was skipped, where the config allows it: draws
            of the last session in ``train``, clips elsewhere.
        speed: measure -> value, larger is faster, e.g. ``fps``.
        cost: of a frame ``gflops`` and ``decoder_gflops`` (`auralsam2.engine.efficiency`), of a
            training step ``step_seconds`` and, on a GPU, ``step_gpu_bytes``
            (`auralsam2.engine.hooks.record_hooks`); ``environment`` says of what sizes.
        curve: ``epoch``, ``split`` and ``scores`` of every validation, in order.
        attempts: what was tried before, e.g. a larger batch that did not fit into memory.
        stopped_because: why a ``"stopped"`` run was ended before its last epoch.
        files: dotted key of the config -> SHA-256 of the file, or folder, that it names.
        weights: what of each weight file met the part that it is for: ``part``, ``file``, how many
            names were ``matched``, ``missing``, ``unexpected``, ``misshapen``, and ``examples``.
        start: what the training began from, where that was another run: see
            `auralsam2.engine.start`.
        epochs_planned: by the config; None in records of older code.
        scales: metric -> how to read it, `MetricScale.to_json`; empty in records of older code.
    """

    schema: int = SCHEMA
    status: str = "running"
    name: str = ""
    axes: dict[str, str] = field(default_factory=dict)
    seed: int = 0
    run_id: str = ""
    config_hash: str = ""
    data_fingerprint: str = ""
    label_source: str = ""
    code_version: str = ""
    started: str = ""
    finished: str | None = None
    duration_s: float | None = None
    num_parameters: dict[str, int] = field(default_factory=dict)
    epochs: int = 0
    best_epoch: int | None = None
    selection: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, dict[str, float]] = field(default_factory=dict)
    per_clip: list[dict[str, Any]] = field(default_factory=list)
    environment: dict[str, Any] = field(default_factory=dict)
    error: str | None = None
    notes: list[str] = field(default_factory=list)
    skipped: dict[str, int] = field(default_factory=dict)
    speed: dict[str, float] = field(default_factory=dict)
    curve: list[dict[str, Any]] = field(default_factory=list)
    attempts: list[dict[str, Any]] = field(default_factory=list)
    stopped_because: str | None = None
    files: dict[str, str] = field(default_factory=dict)
    weights: list[dict[str, Any]] = field(default_factory=list)
    start: dict[str, Any] = field(default_factory=dict)
    epochs_planned: int | None = None
    scales: dict[str, dict[str, Any]] = field(default_factory=dict)
    parameters_by_part: dict[str, dict[str, int]] = field(default_factory=dict)
    cost: dict[str, float] = field(default_factory=dict)

    def to_json(self) -> str:
        """Return the file's text, strict JSON."""
        return json_text(asdict(self))

    @classmethod
    def from_json(cls, text: str, source: str | os.PathLike[str] = FILE_NAME) -> RunRecord:
        """Read the text of a record file; ``source`` is its path, for errors.

        Raises:
            ValueError: listing every unknown, missing and wrongly typed field.
        """
        where = os.fspath(source)
        try:
            # Not JSON's, but Python writes them: NaN, Infinity.
            content = json.loads(text, parse_constant=lambda _: None)
        except (json.JSONDecodeError, RecursionError) as error:
            raise ValueError(f"{where}: no JSON ({error}); delete the file to run again") from error
        problems = find_problems(content, {f.name: str(f.type) for f in fields(cls)})
        if problems:
            listed = "\n".join(f"  - {problem}" for problem in problems)
            raise ValueError(f"{where}: not a run record of schema {SCHEMA}\n{listed}")
        record = cls(**content)
        record.metrics = {s: _null_to_nan(scores) for s, scores in record.metrics.items()}
        record.per_clip = [_null_to_nan(entry) for entry in record.per_clip]
        record.selection = _null_to_nan(record.selection)
        record.speed = _null_to_nan(record.speed)
        record.cost = _null_to_nan(record.cost)
        record.curve = [{**e, "scores": _null_to_nan(e["scores"])} for e in record.curve]
        return record


def start(**stated: Any) -> RunRecord:
    """Return the record of a run that begins now; what is stated are fields of it."""
    known = dict(code_version=code_version(), started=_now(), environment=environment())
    return RunRecord(**known, **stated)


def add_scores(
    record: RunRecord,
    split: str,
    metrics: Mapping[str, float],
    per_clip: Mapping[str, Mapping[str, float]],
) -> None:
    """Enter the scores of one split: by metric the mean over clips, and of every clip."""
    record.metrics[split] = {metric: float(value) for metric, value in metrics.items()}
    record.per_clip += [
        {"split": split, "clip": clip, "metric": metric, "value": float(value)}
        for metric, scores in per_clip.items()
        for clip, value in scores.items()
    ]


def finish(record: RunRecord, duration_s: float) -> RunRecord:
    """Mark a run as done after ``duration_s`` seconds."""
    return _end(record, "done", duration_s=round(duration_s, 3))


def fail(record: RunRecord, error: str) -> RunRecord:
    """Mark a run as failed; ``error`` is its traceback."""
    return _end(record, "failed", error=error)


def stop(record: RunRecord, reason: str, duration_s: float) -> RunRecord:
    """Mark a run as stopped before its last epoch, after ``duration_s`` seconds."""
    return _end(record, "stopped", stopped_because=reason, duration_s=round(duration_s, 3))


def _end(record: RunRecord, status: str, **stated: Any) -> RunRecord:
    for name, value in {"status": status, "finished": _now(), **stated}.items():
        setattr(record, name, value)
    return record


def add_validation(record: RunRecord, epoch: int, scores: Mapping[str, float]) -> None:
    """Enter the scores of one validation; those of the same or a later epoch are replaced."""
    record.curve = [entry for entry in record.curve if entry["epoch"] < epoch]
    plain = {metric: float(value) for metric, value in scores.items()}
    record.curve.append({"epoch": epoch, "split": "val", "scores": plain})


def write(record: RunRecord, run_dir: str | os.PathLike[str]) -> Path:
    """Write ``record.json`` whole or not at all, and return its path."""
    return write_text(Path(run_dir) / FILE_NAME, record.to_json())


def read(path: str | os.PathLike[str]) -> RunRecord:
    """Read the record of a run folder, or a record file.

    Raises:
        FileNotFoundError: where there is none.
        ValueError: where it is not a record; all problems are listed.
    """
    file = Path(path)
    if file.is_dir():
        file = file / FILE_NAME
    return RunRecord.from_json(file.read_text(encoding="utf-8"), source=file)


def read_without_clips(run_dir: str | os.PathLike[str]) -> RunRecord:
    """Like `read`, without the scores of single clips, which are nearly all of a large file."""
    file = Path(run_dir) / FILE_NAME
    text = file.read_text(encoding="utf-8")
    # As `to_json` indents it; a text in JSON has no line break of its own.
    begin = text.find('\n "per_clip": [\n')
    end = text.find("\n ],", begin)
    if 0 <= begin < end:
        text = text[:begin] + '\n "per_clip": [' + text[end + len("\n ") :]
    return RunRecord.from_json(text, source=file)


def find(run_dir: str | os.PathLike[str]) -> RunRecord | None:
    """Like `read_without_clips`; None where there is no record, or none that can be read."""
    try:
        return read_without_clips(run_dir)
    except (FileNotFoundError, ValueError):
        return None


def set_aside(run_dir: str | os.PathLike[str]) -> Path:
    """Give a record that cannot be read another name, so that nothing overwrites it."""
    folder = Path(run_dir)
    names = (folder / f"record.damaged-{number}.json" for number in itertools.count(1))
    free = next(name for name in names if not name.exists())
    return (folder / FILE_NAME).rename(free)


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def _null_to_nan(scores: Mapping[str, Any]) -> dict[str, Any]:
    return {key: math.nan if value is None else value for key, value in scores.items()}
