"""Folders of runs: which runs belong to one, and which of them are finished."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from auralsam2.engine import run_record
from auralsam2.engine.grid_manifest import RunEntry as RunEntry
from auralsam2.engine.grid_manifest import read_manifest
from auralsam2.engine.run_record import RunRecord

_DAMAGED = "left out, its record cannot be read"


@dataclass(frozen=True)
class RunFolder:
    """The runs of one grid, or all runs below any folder."""

    path: Path  # of the folder
    title: str  # of the grid, or the folder's name
    reference: str | None  # cell that the others are compared with, or None
    entries: list[RunEntry]  # the runs that count, in order
    records: dict[Path, RunRecord]  # run folder -> record
    damaged: dict[Path, str]  # run folder -> why its record cannot be read
    notes: list[str]  # what a reader must know


def read_folder(path: Path) -> RunFolder:
    """Read one folder.

    Raises:
        FileNotFoundError: where there is no record at all.
        ValueError: for a broken grid file, or two runs of one cell and seed.
    """
    if not path.is_dir():
        raise FileNotFoundError(f"no folder '{path}'")
    grid = read_manifest(path)
    listed = [entry.run_dir for entry in grid.entries] if grid else []
    found = [file.parent for file in sorted(path.rglob(run_record.FILE_NAME))]
    records, damaged = _read_records([*found, *listed])
    if not records and not damaged:
        raise FileNotFoundError(
            f"no record.json below '{path}'; runs come from: auralsam2 run-grid NAME --out DIR"
        )
    entries = grid.entries if grid else _walked(records)
    notes = []
    known = {entry.run_dir for entry in entries}
    if grid and (strays := len((records.keys() | damaged.keys()) - known)):
        notes.append(f"{strays} runs below '{path}' are no part of the grid as it is: left out")
    if not grid:  # nothing says whose runs these are
        notes += [f"'{run_dir}': {_DAMAGED}: {why}" for run_dir, why in damaged.items()]
    return RunFolder(
        path=path,
        title=grid.title if grid else path.resolve().name,
        reference=grid.reference if grid else None,
        entries=entries,
        records=records,
        damaged=damaged,
        notes=notes,
    )


def _read_records(run_dirs: Iterable[Path]) -> tuple[dict[Path, RunRecord], dict[Path, str]]:
    """Return the records of run folders, and why some cannot be read; no record is none."""
    records: dict[Path, RunRecord] = {}
    damaged: dict[Path, str] = {}
    for run_dir in dict.fromkeys(run_dirs):
        try:
            records[run_dir] = run_record.read(run_dir / run_record.FILE_NAME)
        except FileNotFoundError:
            continue
        except (ValueError, OSError) as error:
            damaged[run_dir] = " ".join(str(error).split())
    return records, damaged


def join_folders(folders: Sequence[RunFolder]) -> RunFolder:
    """Put several folders side by side.

    A cell whose name occurs in several folders is called by its folder too. The reference is the
    one that the folders agree on, or None.

    Raises:
        ValueError: where a folder is given twice or lies in another one.
    """
    if len(folders) == 1:
        return folders[0]
    resolved = [folder.path.resolve() for folder in folders]
    for index, path in enumerate(resolved):
        for other, folder in zip(resolved[:index], folders, strict=False):
            if path == other or path in other.parents or other in path.parents:
                raise ValueError(f"'{folders[index].path}' and '{folder.path}' hold the same runs")
    renamed = _with_distinct_cells(folders)
    references = dict.fromkeys(f.reference for f in renamed if f.reference is not None)
    return RunFolder(
        path=renamed[0].path,
        title=", ".join(dict.fromkeys(folder.title for folder in renamed)),
        reference=next(iter(references)) if len(references) == 1 else None,
        entries=[entry for folder in renamed for entry in folder.entries],
        records={path: record for folder in renamed for path, record in folder.records.items()},
        damaged={path: why for folder in renamed for path, why in folder.damaged.items()},
        notes=[note for folder in renamed for note in folder.notes],
    )


def finished(folder: RunFolder) -> tuple[list[tuple[RunEntry, RunRecord]], list[str]]:
    """Return the finished runs, and a note on each of the others."""
    done, notes = [], []
    for entry in folder.entries:
        record = folder.records.get(entry.run_dir)
        if record is not None and record.status == "done":
            done.append((entry, record))
        elif entry.run_dir in folder.damaged:
            notes.append(f"{entry}: {_DAMAGED}: {folder.damaged[entry.run_dir]}")
        else:
            notes.append(f"{entry}: {_state(record)}")
    return done, notes


def _state(record: RunRecord | None) -> str:
    if record is None:
        return "not started"
    if record.status == "running":
        return "unfinished"
    if record.status == "stopped":
        reason = record.stopped_because or "no reason recorded"
        return f"stopped after {record.epochs} epochs: {reason}"
    lines = [line for line in (record.error or "unknown error").splitlines() if line.strip()]
    return f"failed: {lines[-1]}"


def _with_distinct_cells(folders: Sequence[RunFolder]) -> list[RunFolder]:
    cells = [dict.fromkeys(entry.cell for entry in folder.entries) for folder in folders]
    names = [folder.path.resolve().name for folder in folders]
    if len(set(names)) < len(names):
        names = [folder.path.as_posix() for folder in folders]
    joined = []
    for index, folder in enumerate(folders):
        elsewhere = {cell for other, held in enumerate(cells) if other != index for cell in held}
        named = {
            cell: f"{names[index]}: {cell}" if cell in elsewhere else cell for cell in cells[index]
        }
        entries = [entry._replace(cell=named[entry.cell]) for entry in folder.entries]
        reference = named.get(str(folder.reference), folder.reference)
        joined.append(replace(folder, entries=entries, reference=reference))
    return joined


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
