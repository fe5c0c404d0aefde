"""Splits made of a split: its clips under another sound (controls), or after clicks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from auralsam2.clicked_splits import parse_clicked

Column = tuple[str, str]
"""Split and metric."""

KINDS = {
    "silence": "muted {metric}",
    "swapped": "{metric}, audio swapped",
    "noise": "{metric}, noise as audio",
    "offscreen": "{metric}, offscreen sound",
}
"""Kind -> header of a metric's column. A split's control is named ``SPLIT_audio_KIND``; other
kinds are called by their names."""

MUTE_KINDS = frozenset({"silence", "offscreen"})
"""Kinds in which nothing that can be seen sounds, so that every predicted pixel is a false one."""

_NAME = re.compile(r"(?P<base>.+)_audio_(?P<kind>[^_]+)")


class Control(NamedTuple):
    """A control split."""

    base: str  # split whose clips it shows
    kind: str  # one of `KINDS`, or one from elsewhere


def parse_control(split: str) -> Control | None:
    """Return what a control split controls; None for any other split."""
    match = _NAME.fullmatch(split)
    return Control(match["base"], match["kind"]) if match else None


def is_control(split: str) -> bool:
    """Return whether a split is a control, where a higher score is not a better one."""
    return parse_control(split) is not None


def base_split(split: str) -> str:
    """Return the split whose clips are shown: its own name unless it is made of another."""
    made = parse_control(split) or parse_clicked(split)
    return made.base if made else split


def metric_header(split: str, metric: str) -> str:
    """Return a column's header without the name of its base split.

    Returns:
        ``J``, ``muted J``, ``J, audio swapped``, ``J, 1 click``.
    """
    if clicked := parse_clicked(split):
        return f"{metric}, {clicked.words}"
    control = parse_control(split)
    return _words(control.kind, metric) if control else metric


def split_header(split: str) -> str:
    """Return a split's name in words: ``test``, ``test, muted``, ``test, 2 clicks``."""
    if clicked := parse_clicked(split):
        return f"{split_header(clicked.base)}, {clicked.words}"
    control = parse_control(split)
    if control is None:
        return split.replace("_", " ")
    words = _words(control.kind, "").strip(" ,")
    return f"{control.base.replace('_', ' ')}, {words}"


def flat_headers(columns: Sequence[Column]) -> list[str]:
    """Return headers of one line for (split, metric); of a single base split, without its name."""
    names = [metric_header(split, metric) for split, metric in columns]
    bases = [split_header(base_split(split)) for split, _ in columns]
    if len(set(bases)) == 1:
        return names
    return [f"{base} {name}" for base, name in zip(bases, names, strict=True)]


def _words(kind: str, metric: str) -> str:
    # Both are names, in which braces may stand.
    return KINDS.get(kind, f"{{metric}}, audio {kind}").replace("{metric}", metric, 1)
