"""What the fields of a run record may hold: every problem of a file, found at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from auralsam2.engine.metric_scales import is_scale

SCHEMA = 1
STATUSES = ("running", "done", "failed", "stopped")
ADDED = frozenset(
    {
        *("label_source", "skipped", "speed", "curve", "attempts", "stopped_because"),
        *("files", "weights", "start", "epochs_planned", "scales"),
        *("parameters_by_part", "cost"),
    }
)
"""Fields that records of this schema may lack, having been written before them."""

Check = Callable[[Any], bool]


def find_problems(content: Any, annotations: Mapping[str, str]) -> list[str]:
    """Return every unknown, missing and wrongly typed field of what a record's file holds.

    ``annotations`` are types by name of a field, as `RunRecord` states them.
    """
    if not isinstance(content, dict):
        return [f"got {type(content).__name__} where a JSON object belongs"]
    problems = [f"unknown field {name!r}" for name in content if name not in annotations]
    for name, annotation in annotations.items():
        if name not in content:
            problems += [] if name in ADDED else [f"missing field {name!r}"]
            continue
        wanted, check = _OF_FIELD.get(name) or _OF_TYPE[annotation]
        if not check(content[name]):
            problems.append(f"{name}: got {_shortened(content[name])}, wanted {wanted}")
    return problems


def _is(kind: type) -> Check:
    return lambda value: isinstance(value, kind)


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_score(value: Any) -> bool:
    return value is None or isinstance(value, float) or _is_int(value)


def _or_null(check: Check) -> Check:
    return lambda value: value is None or check(value)


def _maps_to(check: Check) -> Check:
    return lambda value: isinstance(value, dict) and all(map(check, value.values()))


def _list_of(check: Check) -> Check:
    return lambda value: isinstance(value, list) and all(map(check, value))


def _dict_of(**checks: Check) -> Check:
    """Of these keys and no others."""
    return lambda value: (
        isinstance(value, dict)
        and value.keys() == checks.keys()
        and all(check(value[key]) for key, check in checks.items())
    )


_is_text, _is_dict = _is(str), _is(dict)
_SCORES = _maps_to(_is_score)
_CLIP_SCORE = _dict_of(split=_is_text, clip=_is_text, metric=_is_text, value=_is_score)
_VALIDATION = _dict_of(epoch=_is_int, split=_is_text, scores=_SCORES)

_OF_TYPE: dict[str, tuple[str, Check]] = {
    "str": ("a text", _is_text),
    "str | None": ("a text or null", _or_null(_is_text)),
    "int": ("an integer", _is_int),
    "int | None": ("an integer or null", _or_null(_is_int)),
    "float | None": ("a number or null", _is_score),
    "list[str]": ("a list of texts", _list_of(_is_text)),
    "list[dict[str, Any]]": ("a list of dicts", _list_of(_is_dict)),
    "dict[str, Any]": ("a dict", _is_dict),
    "dict[str, str]": ("a dict of texts", _maps_to(_is_text)),
    "dict[str, int]": ("a dict of integers", _maps_to(_is_int)),
    "dict[str, float]": ("a dict of numbers", _SCORES),
    "dict[str, dict[str, float]]": ("a dict of splits, each a dict of scores", _maps_to(_SCORES)),
}
_OF_FIELD: dict[str, tuple[str, Check]] = {
    "schema": (f"{SCHEMA}", lambda v: _is_int(v) and v == SCHEMA),
    "status": ("one of " + ", ".join(STATUSES), lambda v: v in STATUSES),
    "per_clip": ("a list of dicts with split, clip, metric, value", _list_of(_CLIP_SCORE)),
    "curve": ("a list of dicts with epoch, split, scores", _list_of(_VALIDATION)),
    "parameters_by_part": (
        "a dict of parts, each with total and trainable",
        _maps_to(_dict_of(total=_is_int, trainable=_is_int)),
    ),
    "scales": (
        "a dict of metrics, each with higher_is_better, bounds, subject",
        _maps_to(is_scale),
    ),
}


def _shortened(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:60] + "…"
