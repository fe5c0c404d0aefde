"""Where a paper's numbers come from: the grids and sweeps below a folder."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from analysis.runs.folders import finished, read_folder
from analysis.runs.results import Results, load_runs, with_reference
from analysis.runs.sweep_results import MANIFEST, TRIALS, is_sweep, load_sweep_results
from auralsam2.engine import grid_manifest
from auralsam2.engine.run_record import FILE_NAME
from auralsam2.listing import folders_in

GRID, SWEEP = "grid", "sweep"
# States of trials that are still to end.
OPEN = ("running", "waiting")
# What pages and tables name of every run.
RUN_KEYS = (
    *("cell", "seed", "run_id", "config_hash", "data_fingerprint", "label_source"),
    "code_version",
)


@dataclass(frozen=True)
class Source:
    """One grid or one sweep."""

    path: Path  # its folder
    name: str  # unique among the sources: the folder's name, with its parents' where two share it
    kind: str  # "grid" or "sweep"
    # Of the runs' configs where a part needs data, e.g. {"data.root": ...}
    overrides: Mapping[str, Any] = field(default_factory=dict)
    again: bool = False  # parts are to read weights and data anew, whatever the run folders hold
    jobs: int = 1  # runs measured at once, each in a process
    # Wraps what takes long, e.g. `rich.progress.track`
    track: Callable[[Iterable[Any]], Iterable[Any]] = iter

    @cached_property
    def _results(self) -> Results:
        return load_runs(self.path)

    @property
    def results(self) -> Results:
        """The grid's runs, with notes that a part may add to."""
        return replace(self._results, notes=list(self._results.notes), lost=[])

    @cached_property
    def unfinished(self) -> list[str]:
        """Which runs of the grid, or trials of the sweep, are not done, and why."""
        if self.kind == GRID:
            return finished(read_folder(self.path))[1]
        states = load_sweep_results(self.path).trials["state"].value_counts(sort=False)
        return [f"{count} trials: {state}" for state, count in states.items() if state in OPEN]

    @cached_property
    def digest(self) -> str:
        """Changes as soon as the grid, one of its runs, or a trial does."""
        if self.kind == SWEEP:
            files = [self.path / MANIFEST, self.path / TRIALS]
        else:
            files = [path for path in [self.path / grid_manifest.FILE_NAME] if path.is_file()]
            files += [Path(str(run)) / FILE_NAME for run in self._results.runs["run_dir"]]
        held = [[path.relative_to(self.path).as_posix(), file_digest(path)] for path in files]
        return hashlib.sha256(json.dumps(held).encode()).hexdigest()

    def against(self, reference: str | None) -> Results:
        """Return the results, compared with another cell than the grid's own where one is named."""
        results = self.results
        return results if reference is None else with_reference(results, reference)

    def how(self) -> dict[str, Any]:
        """Return how parts read weights and data."""
        return {"overrides": self.overrides, "again": self.again, "track": self.track}

    def stated(self, paper: Path) -> dict[str, Any]:
        """Return what the manifest in a paper's folder says of it."""
        return {
            "kind": self.kind,
            "folder": os.path.relpath(self.path, paper),
            "unfinished": self.unfinished,
            "runs": self.runs(),
        }

    def runs(self) -> list[dict[str, Any]]:
        """Return the grid's runs with what identifies them; folders are relative to the grid's."""
        if self.kind == SWEEP:
            return []
        return [
            {key: run[key] for key in RUN_KEYS}
            | {"folder": Path(str(run["run_dir"])).relative_to(self.path).as_posix()}
            for run in self._results.runs.to_dict("records")
        ]


def find_sources(folder: Path, **how: Any) -> list[Source]:
    """Return the grids and sweeps below a folder, the folder itself included, by name.

    A folder that holds runs, but neither grid nor sweep, counts as one grid. What is linked to
    from several places is found once. ``how`` are fields of each `Source`.

    Raises:
        FileNotFoundError: where there is no folder, or neither grid nor sweep nor run in it.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"no folder '{folder}'")
    found = list(_walk(folder, set()))
    if not found and any(folder.rglob(FILE_NAME)):
        found = [(folder, GRID)]
    if not found:
        raise FileNotFoundError(
            f"neither a grid nor a sweep below '{folder}'; they come from: auralsam2 run-grid, "
            "auralsam2 run-sweep"
        )
    return [
        Source(path, name, kind, **how)
        for name, (path, kind) in zip(_names(folder, found), found, strict=True)
    ]


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _walk(folder: Path, seen: set[Path]) -> Iterator[tuple[Path, str]]:
    """Grids and sweeps are not searched for others: what is below them are their runs."""
    if (resolved := folder.resolve()) in seen:
        return
    seen.add(resolved)
    if is_sweep(folder):
        yield folder, SWEEP
    elif (folder / grid_manifest.FILE_NAME).is_file():
        yield folder, GRID
    else:
        for below in folders_in(folder):
            yield from _walk(below, seen)


def _names(folder: Path, found: Sequence[tuple[Path, str]]) -> list[str]:
    """Name each by its folder, by the way to it where two are called alike, else by numbers."""
    last = [path.resolve().name for path, _ in found]
    ways = ["-".join(path.relative_to(folder).parts) for path, _ in found]
    names = [n if last.count(n) == 1 else way for n, way in zip(last, ways, strict=True)]
    if len(set(names)) < len(names):
        names = [f"{number:02}-{name}" for number, name in enumerate(names, start=1)]
    return names
