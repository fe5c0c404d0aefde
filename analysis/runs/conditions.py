"""How runs were trained, where that was not alike: what a reader of their numbers must know."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from analysis.runs.comparable import Runs
from analysis.runs.folders import RunEntry
from auralsam2.engine.run_record import RunRecord

_MOST_NAMED = 4


def condition_notes(done: Runs) -> list[str]:
    """Return notes on runs of one table that differ in what is no setting of their config.

    Records of older code that do not state something are left out of that comparison.
    """
    notes = [
        f"the runs were trained {what} ("
        + "; ".join(f"{value}: {_named(whose)}" for value, whose in groups.items())
        + "): their numbers differ by rounding too"
        for what, read in _ROUNDING.items()
        if len(groups := _grouped(done, read)) > 1
    ]
    early = _grouped(done, _stopped_early)
    if early:
        listed = "; ".join(f"{how}: {_named(whose)}" for how, whose in early.items())
        notes.append(f"stopped early, {listed}")
    starts = _grouped(done, start_in_words)
    return notes + [f"{start}: {_named(whose)}" for start, whose in starts.items()]


def trained_on(record: RunRecord) -> str:
    """Return device, threads, processes and precision of a training in words; "" where unknown."""
    held = record.environment
    if not held.get("device"):
        return ""
    parts = [str(held["device"]), f"{held.get('num_threads', '?')} threads"]
    if held.get("processes", 1) > 1:
        parts.append(f"{held['processes']} processes")
    parts.append(held.get("amp") or "float32")
    return ", ".join(parts)


def start_in_words(record: RunRecord) -> str | None:
    """Return what a training began from; None where that was nothing."""
    start = record.start
    if not start:
        return None
    digest = str(start.get("sha256", ""))[:10]
    if start.get("how") == "extended":
        return f"goes on with run {start.get('run')} after {start.get('epochs')} epochs ({digest})"
    return f"began with the weights of run {start.get('run')} ({digest})"


def _grouped(done: Runs, read: Callable[[RunRecord], Any]) -> dict[str, list[RunEntry]]:
    groups: dict[str, list[RunEntry]] = {}
    for entry, record in done:
        if (value := read(record)) is not None:
            groups.setdefault(str(value), []).append(entry)
    return groups


def _stopped_early(record: RunRecord) -> str | None:
    planned = record.epochs_planned
    if planned is None or not 0 < record.epochs < planned:
        return None
    return f"after {record.epochs} of {planned} epochs"


def _stated(key: str) -> Callable[[RunRecord], Any]:
    return lambda record: record.environment.get(key)


def _precision(record: RunRecord) -> str | None:
    return (record.environment.get("amp") or "float32") if "amp" in record.environment else None


def _package(name: str) -> Callable[[RunRecord], Any]:
    def read(record: RunRecord) -> Any:
        packages = record.environment.get("packages")
        return packages.get(name) if isinstance(packages, Mapping) else None

    return read


_ROUNDING: dict[str, Callable[[RunRecord], Any]] = {
    "on different devices": _stated("device"),
    "with different numbers of threads": _stated("num_threads"),
    "by different numbers of processes": _stated("processes"),
    "in different precision": _precision,
    "with different versions of torch": _package("torch"),
    "with different versions of CUDA": _stated("cuda"),
}


def _where(entry: RunEntry) -> str:
    return f"{entry.cell}, seed {entry.seed}"


def _named(whose: Sequence[RunEntry]) -> str:
    shown = "; ".join(_where(entry) for entry in whose[:_MOST_NAMED])
    more = len(whose) - _MOST_NAMED
    return f"{shown} and {more} more" if more > 0 else shown
