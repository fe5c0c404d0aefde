"""Whether the numbers of several runs may stand in one table."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from analysis.runs.controls import base_split, is_control
from analysis.runs.folders import RunEntry
from auralsam2.engine.metric_scales import MetricScale
from auralsam2.engine.run_record import RunRecord

Runs = Sequence[tuple[RunEntry, RunRecord]]
Column = tuple[str, str]
"""Split and metric."""


class MixedDataError(ValueError):
    """Runs whose numbers must not stand in one table."""


class MixedLabelSourcesError(MixedDataError):
    """Runs whose labels come from different releases."""


def metric_scales(done: Runs, allowed: bool) -> tuple[dict[str, MetricScale], list[str]]:
    """Return metric -> how to read it, as the records say, and notes.

    Records of older code say nothing; `auralsam2.engine.metric_scales.scale_of_older` does.

    Raises:
        MixedDataError: where runs read one metric in different ways, unless ``allowed``: then the
            first one counts.
    """
    said: dict[str, dict[MetricScale, list[str]]] = {}
    for entry, record in done:
        for metric, held in record.scales.items():
            runs = said.setdefault(metric, {}).setdefault(MetricScale.from_json(held), [])
            runs.append(f"{entry.cell}, seed {entry.seed}")
    notes = [
        f"metric {metric} is not the same one in all runs ("
        + "; ".join(f"{scale}, {scale.subject}: {', '.join(runs)}" for scale, runs in ways.items())
        + ")"
        for metric, ways in said.items()
        if len(ways) > 1
    ]
    if notes and not allowed:
        raise MixedDataError(
            "; ".join(notes) + "; such numbers do not compare: separate the folders, give one of "
            "the two metrics another key, or ask for it (--allow-mixed-data)"
        )
    first = {metric: next(iter(ways)) for metric, ways in said.items()}
    return first, [f"{note}: read as the first of them" for note in notes]


def check_data(done: Runs, allowed: bool) -> list[str]:
    """Return notes about runs that do not share data and code.

    Raises:
        MixedDataError: where they have different data or the same split holds different clips,
            unless ``allowed``.
    """
    data: dict[str, list[str]] = {}
    clips: dict[str, dict[frozenset[str], list[str]]] = {}
    for entry, record in done:
        where = _where(entry)
        data.setdefault(record.data_fingerprint[:10], []).append(where)
        held: dict[str, set[str]] = {split: set() for split in record.metrics}
        for score in record.per_clip:
            held.setdefault(score["split"], set()).add(score["clip"])
        for split in record.metrics:
            clips.setdefault(split, {}).setdefault(frozenset(held[split]), []).append(where)
    problems = []
    if len(data) > 1:
        listed = "; ".join(f"{key}: {', '.join(runs)}" for key, runs in data.items())
        problems.append(f"the runs are on different data ({listed})")
    for split, groups in clips.items():
        if len(groups) > 1:
            listed = "; ".join(f"{len(k)} clips: {', '.join(runs)}" for k, runs in groups.items())
            problems.append(f"split {split!r} holds different clips ({listed})")
    if problems and not allowed:
        raise MixedDataError(
            "; ".join(problems) + "; numbers on different clips do not compare: separate the "
            "folders, or ask for it (--allow-mixed-data)"
        )
    versions = sorted({record.code_version for _, record in done})
    if len(versions) > 1:
        problems.append(f"the runs were made by different code ({', '.join(versions)})")
    return problems


def check_label_sources(done: Runs, allowed: bool) -> list[str]:
    """Return notes about runs whose labels come from elsewhere, or from nobody knows where.

    Raises:
        MixedLabelSourcesError: where they come from different releases, unless ``allowed``.
    """
    runs: dict[str, list[str]] = {}
    for entry, record in done:
        runs.setdefault(record.label_source, []).append(_where(entry))
    unknown = runs.pop("", [])
    notes = []
    if len(runs) > 1:
        listed = "; ".join(f"{source}: {', '.join(those)}" for source, those in runs.items())
        notes.append(f"the labels come from different sources ({listed})")
        if not allowed:
            raise MixedLabelSourcesError(
                f"{notes[0]}; the same clips have other masks there, so that the numbers do not "
                "compare: separate the folders, or ask for it (--mix-label-sources)"
            )
    if runs and unknown:
        notes.append(f"no source of the labels is recorded for {', '.join(unknown)}")
    return notes


def left_out_notes(done: Runs) -> list[str]:
    """Return what runs could not read and went on without."""
    said: dict[str, list[str]] = {}
    for entry, record in done:
        for split, number in record.skipped.items():
            if number:
                said.setdefault(_left_out(split, number), []).append(_where(entry))
    return [f"{text} in {_listed(whose, len(done))}" for text, whose in said.items()]


def weight_notes(done: Runs) -> list[str]:
    """Return what of weight files did not meet the networks of runs."""
    said: dict[str, list[str]] = {}
    for entry, record in done:
        for loaded in record.weights:
            counts = {kind: loaded.get(kind, 0) for kind in ("missing", "misshapen", "unexpected")}
            if any(counts.values()):
                lacking = ", ".join(f"{n} {kind}" for kind, n in counts.items() if n)
                text = f"{loaded.get('file')} covers {loaded.get('part')} only in part"
                text += f" ({loaded.get('matched', 0)} names matched, {lacking})"
                said.setdefault(text, []).append(_where(entry))
    return [f"{text} in {_listed(whose, len(done))}" for text, whose in said.items()]


def unequal_columns(scores: pd.DataFrame) -> dict[Column, dict[int, list[str]]]:
    """Return the columns whose runs have numbers of different clips, so that means do not compare.

    Args:
        scores: tidy, as of `analysis.runs.results.Results`.

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


def _where(entry: RunEntry) -> str:
    return f"{entry.cell}, seed {entry.seed}"


def _left_out(split: str, number: int) -> str:
    if split == "train":
        return f"clips that could not be read were replaced {number} times in training"
    clips = "1 clip" if number == 1 else f"{number} clips"
    return f"{clips} of {split} left out, which could not be read,"


def _listed(whose: Sequence[str], num_runs: int) -> str:
    return f"all {num_runs} runs" if len(whose) == num_runs > 1 else "; ".join(whose)
