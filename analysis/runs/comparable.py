"""Whether the numbers of several runs may stand in one table, or beside other data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from analysis.runs.folders import RunEntry
from auralsam2.engine import run_record
from auralsam2.engine.metric_scales import MetricScale
from auralsam2.engine.run_record import RunRecord

Runs = Sequence[tuple[RunEntry, RunRecord]]
Key = TypeVar("Key")
_SHOWN = 3


class MixedDataError(ValueError):
    """Runs whose numbers must not stand in one table."""


class MixedLabelSourcesError(MixedDataError):
    """Runs whose labels come from different releases."""


def grouped(done: Runs, read: Callable[[RunRecord], Key | None]) -> dict[Key, list[RunEntry]]:
    """Return the runs by what is read from their records; those of which it is None stay out."""
    groups: dict[Key, list[RunEntry]] = {}
    for entry, record in done:
        if (value := read(record)) is not None:
            groups.setdefault(value, []).append(entry)
    return groups


def named(whose: Iterable[RunEntry]) -> str:
    """Return the names of runs in one line."""
    return ", ".join(map(str, whose))


def listed(
    groups: Mapping[Any, Sequence[RunEntry]],
    names: Callable[[Sequence[RunEntry]], str] = named,
) -> str:
    """Return what runs have in common, and which these are, in one line."""
    return "; ".join(f"{what}: {names(whose)}" for what, whose in groups.items())


def metric_scales(done: Runs, allowed: bool) -> tuple[dict[str, MetricScale], list[str]]:
    """Return metric -> how to read it, as the records say, and notes.

    Records of older code say nothing; `auralsam2.engine.metric_scales.scale_of_older` does.

    Raises:
        MixedDataError: where runs read one metric in different ways, unless ``allowed``: then the
            first one counts.
    """
    first, notes = {}, []
    for metric in dict.fromkeys(name for _, record in done for name in record.scales):
        ways = grouped(done, partial(_scale, metric))
        first[metric] = next(iter(ways))
        if len(ways) > 1:
            said = listed({f"{scale}, {scale.subject}": runs for scale, runs in ways.items()})
            notes.append(f"metric {metric} is not the same one in all runs ({said})")
    if notes and not allowed:
        raise MixedDataError(
            f"{'; '.join(notes)}; such numbers do not compare: separate the folders, give one of "
            "the two metrics another key, or ask for it (--allow-mixed-data)"
        )
    return first, [f"{note}: read as the first of them" for note in notes]


def check_data(done: Runs, allowed: bool) -> list[str]:
    """Return notes about runs that do not share data and code.

    Raises:
        MixedDataError: where they have different data or the same split holds different clips,
            unless ``allowed``.
    """
    problems = []
    data = grouped(done, lambda record: record.data_fingerprint[:10])
    if len(data) > 1:
        problems.append(f"the runs are on different data ({listed(data)})")
    for split in dict.fromkeys(split for _, record in done for split in record.metrics):
        groups = grouped(done, partial(_clips, split))
        if len(groups) > 1:
            said = "; ".join(f"{len(k)} clips: {named(runs)}" for k, runs in groups.items())
            problems.append(f"split {split!r} holds different clips ({said})")
    if problems and not allowed:
        raise MixedDataError(
            f"{'; '.join(problems)}; numbers on different clips do not compare: separate the "
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
    runs = grouped(done, lambda record: record.label_source)
    unknown = runs.pop("", [])
    notes = []
    if len(runs) > 1:
        notes.append(f"the labels come from different sources ({listed(runs)})")
        if not allowed:
            raise MixedLabelSourcesError(
                f"{notes[0]}; the same clips have other masks there, so that the numbers do not "
                "compare: separate the folders, or ask for it (--mix-label-sources)"
            )
    if runs and unknown:
        notes.append(f"no source of the labels is recorded for {named(unknown)}")
    return notes


def check_tested_clips(run_dir: Path, split: str, clips: Iterable[str]) -> None:
    """Refuse other clips of a split in the data than those that a run has scores of.

    A run without scores of single clips of the split is not compared.

    Raises:
        FileNotFoundError: where there is no record.
        ValueError: where the clips are others; it names a few.
    """
    record = run_record.read(run_dir)
    tested = dict.fromkeys(e["clip"] for e in record.per_clip if e["split"] == split)
    if not tested:
        return
    found = dict.fromkeys(clips)
    differences = []
    if gone := [clip for clip in tested if clip not in found]:
        differences.append(f"{len(gone)} of its {len(tested)} clips are missing ({_few(gone)})")
    if new := [clip for clip in found if clip not in tested]:
        differences.append(f"{len(new)} of the {len(found)} in the data are new ({_few(new)})")
    if differences:
        raise ValueError(
            f"these are other data than the run was tested on: of split '{split}' "
            f"{' and '.join(differences)}; set data.root to the run's own data"
        )


def _scale(metric: str, record: RunRecord) -> MetricScale | None:
    return MetricScale.from_json(record.scales[metric]) if metric in record.scales else None


def _clips(split: str, record: RunRecord) -> frozenset[str] | None:
    if split not in record.metrics:
        return None
    return frozenset(score["clip"] for score in record.per_clip if score["split"] == split)


def _few(clips: Sequence[str]) -> str:
    return ", ".join([*clips[:_SHOWN], *(["…"] if len(clips) > _SHOWN else [])])
