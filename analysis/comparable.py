"""Whether the numbers of several runs may stand in one table."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.run_folders import RunEntry
from auralsam2.engine.run_record import RunRecord

Runs = Sequence[tuple[RunEntry, RunRecord]]


class MixedDataError(ValueError):
    """Runs whose numbers must not stand in one table."""


class MixedLabelSourcesError(MixedDataError):
    """Runs whose labels come from different releases."""


def check_data(done: Runs, allowed: bool) -> list[str]:
    """Return notes about runs that do not share data and code.

    Raises:
        MixedDataError: where they have different data or the same split holds different clips,
            unless ``allowed``.
    """
    data: dict[str, list[str]] = {}
    clips: dict[str, dict[frozenset[str], list[str]]] = {}
    for entry, record in done:
        where = f"{entry.cell}, seed {entry.seed}"
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
        runs.setdefault(record.label_source, []).append(f"{entry.cell}, seed {entry.seed}")
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
