"""What a run leaves behind: one ``record.json`` in its folder, whole or not at all.

The record is the only thing that training, grids and analysis share, so it needs no torch, is read
strictly, and says where every number came from.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from auralsam2.engine.provenance import code_version, environment

SCHEMA = 1
FILE_NAME = "record.json"
STATUSES = ("running", "done", "failed")
ADDED = frozenset({"label_source", "skipped"})
"""Fields that records of this schema may lack, having been written before them."""


@dataclass
class RunRecord:
    """The record of one run.

    A score that is not a number is null in the file and NaN here.

    Attributes:
        schema: version of this layout.
        status: ``"running"``, ``"done"`` or ``"failed"``; a killed run stays ``"running"``.
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
        epochs: trained.
        best_epoch: whose weights were tested.
        selection: ``split``, ``metric`` and ``value`` that chose it.
        metrics: split -> metric -> mean over clips.
        per_clip: ``split``, ``clip``, ``metric``, ``value`` of every score.
        environment: versions and machine.
        error: traceback of a failed run.
        notes: whatever a reader of the numbers must know.
        skipped: split -> how often a corrupt clip was skipped, where the config allows it: draws
            of the last session in ``train``, clips elsewhere.
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

    def to_json(self) -> str:
        """Return the file's text, strict JSON."""
        return json.dumps(_nan_to_null(asdict(self)), indent=1, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str, source: str | os.PathLike[str] = FILE_NAME) -> RunRecord:
        """Read a record.

        Args:
            text: the file's text.
            source: the file's path, for errors.

        Raises:
            ValueError: listing every unknown, missing and wrongly typed field.
        """
        where = os.fspath(source)
        try:
            content = json.loads(text)
        except json.JSONDecodeError as error:
            raise ValueError(f"{where}: no JSON ({error}); delete the file to run again") from error
        problems = _problems(content)
        if problems:
            listed = "\n".join(f"  - {problem}" for problem in problems)
            raise ValueError(f"{where}: not a run record of schema {SCHEMA}\n{listed}")
        record = cls(**content)
        record.metrics = {s: _null_to_nan(scores) for s, scores in record.metrics.items()}
        record.per_clip = [_null_to_nan(entry) for entry in record.per_clip]
        record.selection = _null_to_nan(record.selection)
        return record


def start(
    *,
    name: str,
    axes: Mapping[str, str],
    seed: int,
    run_id: str,
    config_hash: str,
    data_fingerprint: str,
    label_source: str = "",
) -> RunRecord:
    """Return the record of a run that begins now."""
    return RunRecord(
        name=name,
        axes=dict(axes),
        seed=seed,
        run_id=run_id,
        config_hash=config_hash,
        data_fingerprint=data_fingerprint,
        label_source=label_source,
        code_version=code_version(),
        started=_now(),
        environment=environment(),
    )


def add_scores(
    record: RunRecord,
    split: str,
    metrics: Mapping[str, float],
    per_clip: Mapping[str, Mapping[str, float]],
) -> None:
    """Enter the scores of one split.

    Args:
        record: changed in place.
        split: name of the test set.
        metrics: metric -> mean over clips.
        per_clip: metric -> clip -> score.
    """
    record.metrics[split] = {metric: float(value) for metric, value in metrics.items()}
    record.per_clip += [
        {"split": split, "clip": clip, "metric": metric, "value": float(value)}
        for metric, scores in per_clip.items()
        for clip, value in scores.items()
    ]


def finish(record: RunRecord, duration_s: float) -> RunRecord:
    """Mark a run as done after ``duration_s`` seconds."""
    record.status, record.finished = "done", _now()
    record.duration_s = round(duration_s, 3)
    return record


def fail(record: RunRecord, error: str) -> RunRecord:
    """Mark a run as failed; ``error`` is its traceback."""
    record.status, record.finished, record.error = "failed", _now(), error
    return record


def write(record: RunRecord, run_dir: str | os.PathLike[str]) -> Path:
    """Write ``record.json`` whole or not at all, and return its path."""
    folder = Path(run_dir)
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / FILE_NAME
    handle, temporary = tempfile.mkstemp(prefix=f".{FILE_NAME}.", dir=folder)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(record.to_json())
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)  # mkstemp's files are private; a grid's folder may be shared
        os.replace(temporary, target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return target


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


def combine_fingerprints(fingerprints: Iterable[str]) -> str:
    """Return one fingerprint of several, which depends on their order."""
    return hashlib.sha256("\n".join(fingerprints).encode()).hexdigest()


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def _nan_to_null(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _nan_to_null(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_nan_to_null(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _null_to_nan(scores: Mapping[str, Any]) -> dict[str, Any]:
    return {key: math.nan if value is None else value for key, value in scores.items()}


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, float) or _is_int(value)


def _is_score(value: Any) -> bool:
    return value is None or _is_number(value)


def _maps_to(check: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, dict) and all(map(check, value.values()))


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_clip_score(entry: Any) -> bool:
    if not isinstance(entry, dict) or entry.keys() != {"split", "clip", "metric", "value"}:
        return False
    return all(_is_text(entry[k]) for k in ("split", "clip", "metric")) and _is_score(
        entry["value"]
    )


def _list_of(check: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and all(map(check, value))


_CHECKS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "schema": (f"{SCHEMA}", lambda v: _is_int(v) and v == SCHEMA),
    "status": ("one of " + ", ".join(STATUSES), lambda v: v in STATUSES),
    "axes": ("a dict of texts", _maps_to(_is_text)),
    "seed": ("an integer", _is_int),
    "finished": ("a text or null", lambda v: v is None or _is_text(v)),
    "duration_s": ("a number or null", _is_score),
    "num_parameters": ("a dict of integers", _maps_to(_is_int)),
    "epochs": ("an integer", _is_int),
    "best_epoch": ("an integer or null", lambda v: v is None or _is_int(v)),
    "selection": ("a dict", lambda v: isinstance(v, dict)),
    "metrics": ("a dict of splits, each a dict of scores", _maps_to(_maps_to(_is_score))),
    "per_clip": ("a list of dicts with split, clip, metric, value", _list_of(_is_clip_score)),
    "environment": ("a dict", lambda v: isinstance(v, dict)),
    "error": ("a text or null", lambda v: v is None or _is_text(v)),
    "skipped": ("a dict of integers", _maps_to(_is_int)),
    "notes": ("a list of texts", _list_of(_is_text)),
}


def _problems(content: Any) -> list[str]:
    if not isinstance(content, dict):
        return [f"got {type(content).__name__} where a JSON object belongs"]
    known = [f.name for f in fields(RunRecord)]
    problems = [f"unknown field {name!r}" for name in content if name not in known]
    for name in known:
        if name not in content:
            problems += [] if name in ADDED else [f"missing field {name!r}"]
            continue
        wanted, check = _CHECKS.get(name, ("a text", _is_text))
        if not check(content[name]):
            problems.append(f"{name}: got {_shortened(content[name])}, wanted {wanted}")
    return problems


def _shortened(value: Any, limit: int = 60) -> str:
    text = repr(value)
    return text if len(text) <= limit else text[:limit] + "…"
