"""Run folders to one tidy table of scores, and where each of them came from."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from auralsam2.engine import run_record
from auralsam2.engine.run_record import RunRecord

COLUMNS = ("cell", "seed", "split", "clip", "metric", "value")
PROVENANCE = (
    "run_id",
    "config_hash",
    "data_fingerprint",
    "label_source",
    "code_version",
    "run_dir",
)
GRID_FILE = "grid.json"
# Splits that ask what a model leaves unused: a higher score there is not a better one.
CONTROL_SUFFIX = "_audio_swapped"


class MixedDataError(ValueError):
    """Runs whose numbers must not stand in one table."""


class MixedLabelSourcesError(MixedDataError):
    """Runs whose labels come from different releases."""


class NoResultsError(ValueError):
    """A folder without a finished run."""


class RunEntry(NamedTuple):
    """A run as a grid lists it.

    Attributes:
        cell: name.
        seed: of the run.
        run_dir: its folder, which two cells may share.
    """

    cell: str
    seed: int
    run_dir: Path


@dataclass(frozen=True)
class Results:
    """The finished runs of a grid.

    Attributes:
        scores: one row a run, split, clip and metric; columns `COLUMNS`.
        runs: one row a run; columns cell, seed, `PROVENANCE`, num_parameters, num_trainable,
            duration_s.
        cells: in the order of the grid.
        splits: in the order of the config.
        metrics: in the order of the config.
        title: of the grid.
        reference: cell that the others are compared with, or None.
        notes: runs that are missing and why, and whatever else a reader must know.
    """

    scores: pd.DataFrame
    runs: pd.DataFrame
    cells: tuple[str, ...]
    splits: tuple[str, ...]
    metrics: tuple[str, ...]
    title: str
    reference: str | None
    notes: list[str] = field(default_factory=list)


def is_control(split: str) -> bool:
    """Return whether a split is a control, where higher is not better."""
    return split.endswith(CONTROL_SUFFIX)


def load_runs(
    folder: str | Path, *, allow_mixed_data: bool = False, mix_label_sources: bool = False
) -> Results:
    """Read the runs of a grid, or all runs below any folder.

    Args:
        folder: with a ``grid.json``, whose runs count and no others; or without one.
        allow_mixed_data: let runs on different data stand side by side, with a note.
        mix_label_sources: likewise runs whose labels come from different releases.

    Raises:
        FileNotFoundError: where there is no record at all.
        NoResultsError: where no run is finished; the message says how they stand.
        MixedDataError: where runs have different data or the same split holds different clips;
            `MixedLabelSourcesError` where their labels come from different releases.
        ValueError: for a broken record or grid file, or two runs of one cell and seed.
    """
    folder = Path(folder)
    grid = _read_grid(folder)
    found = {path.parent: run_record.read(path) for path in sorted(folder.rglob("record.json"))}
    if not found:
        raise FileNotFoundError(
            f"no record.json below '{folder}'; runs come from: auralsam2 run-grid NAME --out DIR"
        )
    entries = list(_entries(folder, grid)) if grid else _walked(found)
    done, notes = _finished(entries, found)
    if not done:
        listed = "\n".join(f"  - {note}" for note in notes)
        raise NoResultsError(f"no finished run in '{folder}':\n{listed}")
    notes += _label_sources(done, mix_label_sources)
    notes += _mixed(done, allow_mixed_data)
    if grid and (strays := len(found.keys() - {entry.run_dir for entry in entries})):
        notes.append(f"{strays} runs below '{folder}' are no part of the grid as it is: left out")
    scores = _scores(done, notes)
    records = [record for _, record in done]
    return Results(
        scores=scores,
        runs=_provenance(done),
        cells=_ordered(entry.cell for entry in entries if entry.cell in set(scores["cell"])),
        splits=_ordered(split for record in records for split in record.metrics),
        metrics=_ordered(m for record in records for s in record.metrics.values() for m in s),
        title=str(grid["title"]) if grid else folder.name,
        reference=grid.get("reference") if grid else None,
        notes=notes,
    )


def seed_means(scores: pd.DataFrame) -> pd.DataFrame:
    """Average over the clips of each seed.

    Args:
        scores: tidy, columns `COLUMNS`.

    Returns:
        Columns cell, seed, split, metric, value.
    """
    keys = ["cell", "seed", "split", "metric"]
    return scores.groupby(keys, sort=False)["value"].mean().reset_index()


def write_csv(results: Results, path: Path) -> Path:
    """Write the tidy scores."""
    path.parent.mkdir(parents=True, exist_ok=True)
    results.scores.to_csv(path, index=False)
    return path


def _read_grid(folder: Path) -> dict[str, Any] | None:
    path = folder / GRID_FILE
    if not path.is_file():
        return None
    try:
        grid = json.loads(path.read_text(encoding="utf-8"))
        list(_entries(folder, grid))
        return {"title": grid["title"], "reference": grid["reference"], "cells": grid["cells"]}
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path}: no grid file ({error!r}); run the grid again") from error


def _entries(folder: Path, grid: Mapping[str, Any]) -> Iterator[RunEntry]:
    for cell in grid["cells"]:
        for run in cell["runs"]:
            yield RunEntry(str(cell["name"]), int(run["seed"]), folder / run["folder"])


def _walked(found: Mapping[Path, RunRecord]) -> list[RunEntry]:
    entries = [RunEntry(record.name, record.seed, path) for path, record in found.items()]
    by_key: dict[tuple[str, int], list[str]] = {}
    for entry in entries:
        by_key.setdefault((entry.cell, entry.seed), []).append(f"'{entry.run_dir}'")
    twice = {key: paths for key, paths in by_key.items() if len(paths) > 1}
    if twice:
        listed = "\n".join(f"  - {c}, seed {s}: {', '.join(p)}" for (c, s), p in twice.items())
        raise ValueError(
            f"several runs of one cell and seed; name the folder of one grid\n{listed}"
        )
    return entries


def _finished(
    entries: Sequence[RunEntry], found: Mapping[Path, RunRecord]
) -> tuple[list[tuple[RunEntry, RunRecord]], list[str]]:
    done, notes = [], []
    for entry in entries:
        record = found.get(entry.run_dir)
        where = f"{entry.cell}, seed {entry.seed}"
        if record is None:
            notes.append(f"{where}: not started")
        elif record.status == "done":
            done.append((entry, record))
        elif record.status == "running":
            notes.append(f"{where}: unfinished")
        else:
            last = [line for line in (record.error or "unknown error").splitlines() if line.strip()]
            notes.append(f"{where}: failed: {last[-1]}")
    return done, notes


def _mixed(done: Sequence[tuple[RunEntry, RunRecord]], allowed: bool) -> list[str]:
    """Return notes about runs that do not share data and code."""
    data: dict[str, list[str]] = {}
    clips: dict[str, dict[frozenset[str], list[str]]] = {}
    for entry, record in done:
        where = f"{entry.cell}, seed {entry.seed}"
        data.setdefault(record.data_fingerprint[:10], []).append(where)
        for split in record.metrics:
            held = frozenset(e["clip"] for e in record.per_clip if e["split"] == split)
            clips.setdefault(split, {}).setdefault(held, []).append(where)
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


def _label_sources(done: Sequence[tuple[RunEntry, RunRecord]], allowed: bool) -> list[str]:
    """Return notes about runs whose labels come from elsewhere, or from nobody knows where."""
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


def _scores(done: Sequence[tuple[RunEntry, RunRecord]], notes: list[str]) -> pd.DataFrame:
    rows = [
        (entry.cell, entry.seed, score["split"], score["clip"], score["metric"], score["value"])
        for entry, record in done
        for score in record.per_clip
    ]
    scores = pd.DataFrame(rows, columns=list(COLUMNS)).astype({"value": float})
    bad = int(scores["value"].isna().sum())
    if bad:
        notes.append(f"{bad} scores of single clips are no numbers: left out of the means")
    return scores


def _provenance(done: Sequence[tuple[RunEntry, RunRecord]]) -> pd.DataFrame:
    rows = [
        {
            "cell": entry.cell,
            "seed": entry.seed,
            "run_id": record.run_id,
            "config_hash": record.config_hash,
            "data_fingerprint": record.data_fingerprint,
            "label_source": record.label_source,
            "code_version": record.code_version,
            "run_dir": entry.run_dir.as_posix(),
            "num_parameters": record.num_parameters.get("total"),
            "num_trainable": record.num_parameters.get("trainable"),
            "duration_s": record.duration_s,
        }
        for entry, record in done
    ]
    return pd.DataFrame(rows)


def _ordered(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
