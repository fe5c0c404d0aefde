"""Which fields a run record may hold: every problem of a file, found at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from auralsam2.engine.metric_scales import is_scale

SCHEMA = 1
STATUSES = ("running", "done", "failed", "stopped")
ADDED = frozenset(
    {
        *("label_source", "skipped", "speed", "curve", "attempts", "stopped_because"),
        *("files", "weights", "start", "epochs_planned", "scales"),
    }
)
"""Fields that records of this schema may lack, having been written before them."""


def find_problems(content: Any, known: Iterable[str]) -> list[str]:
    """Return every unknown, missing and wrongly typed field of a record.

    Args:
        content: what the file holds.
        known: names of a record's fields; those without a check of their own are texts.
    """
    if not isinstance(content, dict):
        return [f"got {type(content).__name__} where a JSON object belongs"]
    known = list(known)
    problems = [f"unknown field {name!r}" for name in content if name not in known]
    for name in known:
        if name not in content:
            problems += [] if name in ADDED else [f"missing field {name!r}"]
            continue
        wanted, check = _CHECKS.get(name, ("a text", _is_text))
        if not check(content[name]):
            problems.append(f"{name}: got {_shortened(content[name])}, wanted {wanted}")
    return problems


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


def _is_validation(entry: Any) -> bool:
    if not isinstance(entry, dict) or entry.keys() != {"epoch", "split", "scores"}:
        return False
    return _is_int(entry["epoch"]) and _is_text(entry["split"]) and _SCORES(entry["scores"])


def _list_of(check: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and all(map(check, value))


_SCORES = _maps_to(_is_score)

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
    "speed": ("a dict of numbers", _maps_to(_is_score)),
    "curve": ("a list of dicts with epoch, split, scores", _list_of(_is_validation)),
    "files": ("a dict of texts", _maps_to(_is_text)),
    "weights": ("a list of dicts", _list_of(lambda entry: isinstance(entry, dict))),
    "start": ("a dict", lambda v: isinstance(v, dict)),
    "epochs_planned": ("an integer or null", lambda v: v is None or _is_int(v)),
    "attempts": ("a list of dicts", _list_of(lambda entry: isinstance(entry, dict))),
    "stopped_because": ("a text or null", lambda v: v is None or _is_text(v)),
    "scales": (
        "a dict of metrics, each with higher_is_better, bounds, subject",
        _maps_to(is_scale),
    ),
}


def _shortened(value: Any, limit: int = 60) -> str:
    text = repr(value)
    return text if len(text) <= limit else text[:limit] + "…"
