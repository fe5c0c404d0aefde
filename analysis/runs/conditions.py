"""What a reader of several runs' numbers must know: how they were trained and scored, if unlike."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd

from analysis.runs.comparable import Runs, grouped, listed
from analysis.runs.controls import Column, base_split, is_control
from analysis.runs.folders import RunEntry
from auralsam2.engine.run_record import RunRecord

_MOST_NAMED = 4


def condition_notes(done: Runs) -> list[str]:
    """Return what runs of one table went on without, and what no setting tells of unlike ones.

    Records of older code that do not state something are left out of that comparison.
    """
    notes = [*_lacks(done, _left_out), *_lacks(done, _partial_weights)]
    notes += [
        f"the runs were trained {what} ({listed(groups, _first_named)}): their numbers differ by "
        "rounding too"
        for what, read in _ROUNDING.items()
        if len(groups := grouped(done, read)) > 1
    ]
    if early := grouped(done, _stopped_early):
        notes.append(f"stopped early, {listed(early, _first_named)}")
    starts = grouped(done, start_in_words)
    return notes + [f"{start}: {_first_named(whose)}" for start, whose in starts.items()]


def unequal_columns(scores: pd.DataFrame) -> dict[Column, dict[int, list[str]]]:
    """Return the columns whose runs have numbers of different clips, so that means do not compare.

    Returns:
        (split, metric) -> number of clips -> runs.
    """
    known = scores.dropna(subset=["value"])
    unequal = {}
    for (split, metric), column in known.groupby(["split", "metric"], sort=False):
        runs = column.groupby(["cell", "seed"], sort=False)["clip"]
        held = {f"{cell}, seed {seed}": frozenset(clips) for (cell, seed), clips in runs}
        if len(set(held.values())) > 1:
            counts: dict[int, list[str]] = {}
            for where, clips in held.items():
                counts.setdefault(len(clips), []).append(where)
            unequal[str(split), str(metric)] = counts
    return unequal


def unequal_notes(scores: pd.DataFrame) -> list[str]:
    """Return notes on means over different clips: of the runs of a column, and of controls."""
    notes = [
        f"{metric} of {split} is a mean over different clips ("
        + "; ".join(f"{count}: {', '.join(runs)}" for count, runs in counts.items())
        + "): no best is marked, and only differences on common clips compare"
        for (split, metric), counts in unequal_columns(scores).items()
    ]
    for split in filter(is_control, dict.fromkeys(scores["split"])):
        runs = scores[scores["split"].isin([split, base_split(split)])].groupby(["cell", "seed"])
        fewer = []
        for (cell, seed), run in runs:
            own, base = (
                set(run.loc[run["split"] == name, "clip"]) for name in (split, base_split(split))
            )
            if base and own != base:
                fewer.append(f"{cell}, seed {seed}: {len(own & base)} of {len(base)}")
        if fewer:
            notes.append(f"{split} lacks clips of {base_split(split)} ({'; '.join(fewer)})")
    return notes


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


def _lacks(done: Runs, read: Callable[[RunRecord], Sequence[str]]) -> list[str]:
    """Return each text that is read from records once, with whom it is about."""
    said: dict[str, list[RunEntry]] = {}
    for entry, record in done:
        for text in read(record):
            said.setdefault(text, []).append(entry)
    return [
        f"{text} in " + (f"all {len(done)} runs" if len(whose) == len(done) > 1 else _listed(whose))
        for text, whose in said.items()
    ]


def _left_out(record: RunRecord) -> list[str]:
    return [
        f"clips that could not be read were replaced {number} times in training"
        if split == "train"
        else f"{number} {'clip' if number == 1 else 'clips'} of {split} left out, which could not "
        "be read,"
        for split, number in record.skipped.items()
        if number
    ]


def _partial_weights(record: RunRecord) -> list[str]:
    texts = []
    for loaded in record.weights:
        counts = {kind: loaded.get(kind, 0) for kind in ("missing", "misshapen", "unexpected")}
        if any(counts.values()):
            lacking = ", ".join(f"{n} {kind}" for kind, n in counts.items() if n)
            texts.append(
                f"{loaded.get('file')} covers {loaded.get('part')} only in part "
                f"({loaded.get('matched', 0)} names matched, {lacking})"
            )
    return texts


def _stopped_early(record: RunRecord) -> str | None:
    planned = record.epochs_planned
    if planned is None or not 0 < record.epochs < planned:
        return None
    return f"after {record.epochs} of {planned} epochs"


def _stated(key: str) -> Callable[[RunRecord], str | None]:
    return lambda record: _text(record.environment.get(key))


def _precision(record: RunRecord) -> str | None:
    return (record.environment.get("amp") or "float32") if "amp" in record.environment else None


def _torch(record: RunRecord) -> str | None:
    packages = record.environment.get("packages")
    return _text(packages.get("torch")) if isinstance(packages, Mapping) else None


def _text(stated: Any) -> str | None:
    return None if stated is None else str(stated)


_ROUNDING: dict[str, Callable[[RunRecord], str | None]] = {
    "on different devices": _stated("device"),
    "with different numbers of threads": _stated("num_threads"),
    "by different numbers of processes": _stated("processes"),
    "in different precision": _precision,
    "with different versions of torch": _torch,
    "with different versions of CUDA": _stated("cuda"),
}


def _listed(whose: Sequence[RunEntry]) -> str:
    return "; ".join(map(str, whose))


def _first_named(whose: Sequence[RunEntry]) -> str:
    more = len(whose) - _MOST_NAMED
    return _listed(whose[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
