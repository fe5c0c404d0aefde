"""What a run of every cell takes, in time and on disk, from runs that there are."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import mean
from typing import Any, NamedTuple

from ablations.grids.plan import PlannedRun
from ablations.runs.attempts import resume_files
from auralsam2.engine import run_folder, run_record
from auralsam2.engine.grid_manifest import read_manifest
from auralsam2.engine.run_record import RunRecord
from auralsam2.listing import files_below

HOUR, GIGABYTE = 3600.0, 1e9
COLUMNS = ("seeds", "new runs", "hours", "GB", "GB of it checkpoints")
"""Of `cost_table`; ``run-grid --prune-checkpoints`` deletes the last."""
_UNITS = (HOUR, GIGABYTE, GIGABYTE)
_PILOT = "work_dirs/pilot"


class Cost(NamedTuple):
    """What one run of a cell takes; None where it is not known."""

    seconds: float | None  # of training and test
    bytes: float | None  # of its folder
    checkpoints: float | None  # bytes of these that ``--prune-checkpoints`` deletes
    notes: Sequence[str] = ()  # what the numbers assume


def measured_costs(runs: Iterable[PlannedRun], folder: Path) -> dict[str, Cost]:
    """Return the mean cost of every cell of a plan, by its name, as its finished runs tell it.

    Where runs had another number of epochs or clips, their seconds are scaled by the clips that
    they and the plan go through: epochs times those of train and val, and all of test.

    Args:
        runs: of a plan, of which one a cell counts.
        folder: of a grid with finished runs of such cells.

    Raises:
        FileNotFoundError: where it is no grid's.
    """
    if (manifest := read_manifest(folder)) is None:
        raise FileNotFoundError(f"no grid.json in '{folder}': name the folder of a grid (--runs)")
    held: dict[str, list[Path]] = {}
    for entry in manifest.entries:
        held.setdefault(entry.cell, []).append(entry.run_dir)
    planned = {run.cell.name: run for run in runs}
    sizes = _Sizes()
    return {name: _cost(run, held.get(name, []), sizes) for name, run in planned.items()}


def cost_table(
    runs: Iterable[PlannedRun], wanted: Mapping[str, int], costs: Mapping[str, Cost]
) -> dict[tuple[str, str], str]:
    """Return cells of a table by row and column: what the runs that are not done yet take.

    Args:
        runs: of a plan, with as many seeds as any cell needs.
        wanted: cell -> seeds that it needs; one that is not known gets as many as any.
        costs: of every cell.
    """
    todo: dict[str, list[PlannedRun]] = {}
    for run in runs:
        mine = todo.setdefault(run.cell.name, [])
        mine.append(run)
    cells: dict[tuple[str, str], str] = {}
    totals = [0.0, 0.0, 0.0, 0.0]
    for name, of_cell in todo.items():
        number = wanted.get(name, len(of_cell))
        new = [r for r in of_cell[:number] if r.state != "done" and r.shares is None]
        cost = costs[name]
        every = [len(new), *(_times(len(new), part) for part in cost[:3])]
        texts = [str(len(new)), *map(_shown, every[1:], _UNITS)]
        cells |= {(name, c): t for c, t in zip(COLUMNS, [str(number), *texts], strict=True)}
        totals = [total + (part or 0.0) for total, part in zip(totals, every, strict=True)]
    texts = ["", str(round(totals[0])), *map(_shown, totals[1:], _UNITS)]
    return cells | {("total", c): t for c, t in zip(COLUMNS, texts, strict=True)}


def pilot(grid: str, base: str | None, settings: Sequence[str]) -> str:
    """Say how to measure what no finished run tells: a small run of the grid, ready to copy."""
    words = ["auralsam2", "run-grid", grid, *(["--base", base] if base else [])]
    words += ["--seeds", "0", "1", "2", "--out", _PILOT, "--set", *settings, "optim.epochs=2"]
    return f"to measure it, run a pilot, then this again with --runs {_PILOT}:\n{shlex.join(words)}"


def cost_notes(
    wanted: Mapping[str, int], costs: Mapping[str, Cost], folder: Path, out: Path, how: str
) -> list[str]:
    """Say what the numbers of `cost_table` assume, and what is not known.

    Args:
        wanted: cell -> seeds that it needs.
        costs: of every cell.
        folder: of the grid whose finished runs were measured.
        out: folder that the runs will be written to.
        how: says how to measure what is not known, e.g. by a `pilot`.
    """
    said = [f"{name}: {note}" for name, cost in costs.items() for note in cost.notes]
    if unmeasured := [name for name, cost in costs.items() if cost.seconds is None]:
        listed = ", ".join(unmeasured)
        said.append(
            f"hours and disk are without {listed}: no finished run of them in '{folder}'; {how}"
        )
    if unknown := [name for name in costs if name not in wanted]:
        said.append(
            f"no number of seeds is known to do for {', '.join(unknown)}; counted are as many as "
            "any other cell needs"
        )
    there = next(path for path in (out, *out.absolute().parents) if path.exists())
    free = shutil.disk_usage(there).free / GIGABYTE
    return [
        *said,
        f"hours are those of one run after the other on {'; '.join(devices(folder)) or 'nothing'}; "
        "another device, or runs that share one, take other times",
        f"there are {free:.1f} GB free in '{there}'",
    ]


def devices(folder: Path) -> list[str]:
    """Return what the finished runs of a grid ran on, with the threads of each process."""
    manifest = read_manifest(folder)
    records = [run_record.find(entry.run_dir) for entry in (manifest.entries if manifest else ())]
    found = {
        f"{r.environment.get('device', 'an unknown device')}, {r.environment.get('num_threads')} "
        "threads"
        for r in records
        if r is not None and r.status == "done"
    }
    return sorted(found)


def _times(number: int, part: float | None) -> float | None:
    return None if part is None else number * part


def _shown(value: float | None, unit: float) -> str:
    return "unknown" if value is None else f"{value / unit:.2f}"


def _cost(run: PlannedRun, folders: Sequence[Path], sizes: _Sizes) -> Cost:
    seconds, bytes_, checkpoints, notes = [], [], [], []
    for folder in folders:
        record = run_record.find(folder)
        if record is None or record.status != "done" or record.duration_s is None:
            continue
        factor, said = _factor(run, folder, record, sizes)
        notes += said
        seconds.append(record.duration_s * factor)
        bytes_.append(sum(path.stat().st_size for path in files_below(folder)))
        checkpoints.append(sum(path.stat().st_size for path in resume_files(folder)))
    if not seconds:
        return Cost(None, None, None)
    return Cost(mean(seconds), mean(bytes_), mean(checkpoints), list(dict.fromkeys(notes)))


def _factor(
    run: PlannedRun, folder: Path, record: RunRecord, sizes: _Sizes
) -> tuple[float, list[str]]:
    """Return how much longer the planned run takes than one that there is, and what is assumed."""
    stored = run_folder.stored_config(folder)
    if stored is None:
        return 1.0, ["hours are not scaled: a run's config cannot be read"]
    plain = run.cfg.to_dict()
    epochs, were = plain["optim"]["epochs"], stored["optim"]["epochs"]
    same_data = record.data_fingerprint == run.data_fingerprint
    if same_data and (epochs == were or not record.epochs):
        return 1.0, []
    clips = sizes.of(plain)
    there = clips if same_data else sizes.of(stored)
    if clips is None or there is None:
        factor = epochs / were if record.epochs else 1.0
        return factor, ["hours are scaled by epochs alone: clips of other data cannot be counted"]
    trained = bool(record.epochs)
    work = clips.of(epochs if trained else 0) / there.of(were if trained else 0)
    return work, [f"hours are scaled by epochs and clips ({work:.3g} times those measured)"]


class _Clips(NamedTuple):
    per_epoch: int
    test: int

    def of(self, epochs: int) -> int:
        return max(1, epochs * self.per_epoch + self.test)


class _Sizes:
    """Clips of the data of configs, each counted once."""

    def __init__(self) -> None:
        self.known: dict[str, _Clips | None] = {}

    def of(self, plain: Mapping[str, Any]) -> _Clips | None:
        from mmengine.config import Config

        key = repr(plain["data"])
        if key not in self.known:
            try:
                from auralsam2.engine.splits import run_datasets

                data = run_datasets(Config(dict(plain)))
                per_epoch = len(data["train"]) + len(data["val"])
                self.known[key] = _Clips(per_epoch, sum(map(len, data["test"].values())))
            except (ValueError, LookupError, OSError, ImportError):  # e.g. data that have moved
                self.known[key] = None
        return self.known[key]
