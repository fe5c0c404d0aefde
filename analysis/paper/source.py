"""Where a paper's numbers come from: the grids and sweeps below a folder."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from analysis.results import Results, load_runs
from analysis.run_folders import GRID_FILE, finished, read_folder
from analysis.sweep_results import MANIFEST, TRIALS, is_sweep
from auralsam2.engine.run_record import FILE_NAME

GRID, SWEEP = "grid", "sweep"
# What pages and tables name of every run.
RUN_KEYS = ("cell", "seed", "run_id", "config_hash", "data_fingerprint", "label_source")


@dataclass(frozen=True)
class Source:
    """One grid or one sweep.

    Attributes:
        path: its folder.
        name: unique among the sources: the folder's name, with its parents' where two share it.
        kind: ``"grid"`` or ``"sweep"``.
        overrides: of the runs' configs where a part needs data, e.g. ``{"data.root": ...}``.
        progress: wraps what takes long, e.g. `rich.progress.track`.
    """

    path: Path
    name: str
    kind: str
    overrides: Mapping[str, Any] = field(default_factory=dict)
    progress: Callable[[Iterable[Any]], Iterable[Any]] = iter

    @cached_property
    def results(self) -> Results:
        """The grid's runs."""
        return load_runs(self.path)

    @cached_property
    def unfinished(self) -> list[str]:
        """Which runs of the grid are not done, and why; nothing for a sweep."""
        return finished(read_folder(self.path))[1] if self.kind == GRID else []

    @cached_property
    def digest(self) -> str:
        """Changes as soon as a run or trial does."""
        if self.kind == SWEEP:
            files = [self.path / MANIFEST, self.path / TRIALS]
        else:
            files = [Path(str(run)) / FILE_NAME for run in self.results.runs["run_dir"]]
        held = [[path.relative_to(self.path).as_posix(), file_digest(path)] for path in files]
        return hashlib.sha256(json.dumps(held).encode()).hexdigest()

    def runs(self) -> list[dict[str, Any]]:
        """Return the grid's runs with what identifies them; folders are relative to the grid's."""
        if self.kind == SWEEP:
            return []
        return [
            {key: run[key] for key in RUN_KEYS}
            | {"code_version": run["code_version"]}
            | {"folder": Path(str(run["run_dir"])).relative_to(self.path).as_posix()}
            for run in self.results.runs.to_dict("records")
        ]


def find_sources(
    folder: Path,
    *,
    overrides: Mapping[str, Any] | None = None,
    progress: Callable[[Iterable[Any]], Iterable[Any]] = iter,
) -> list[Source]:
    """Return the grids and sweeps below a folder, the folder itself included, by name.

    A folder that holds runs and belongs to no grid counts as one grid.

    Raises:
        FileNotFoundError: where there is no folder, or neither grid nor sweep nor run in it.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"no folder '{folder}'")
    found = list(_walk(folder))
    if not found and any(folder.rglob(FILE_NAME)):
        found = [(folder, GRID)]
    if not found:
        raise FileNotFoundError(
            f"neither a grid nor a sweep below '{folder}'; they come from: auralsam2 run-grid, "
            "auralsam2 run-sweep"
        )
    names = [path.resolve().name for path, _ in found]
    return [
        Source(
            path=path,
            name=name if names.count(name) == 1 else "-".join(path.relative_to(folder).parts),
            kind=kind,
            overrides=dict(overrides or {}),
            progress=progress,
        )
        for name, (path, kind) in zip(names, found, strict=True)
    ]


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _walk(folder: Path) -> Iterator[tuple[Path, str]]:
    """Grids and sweeps are not searched for others: what is below them are their runs."""
    if is_sweep(folder):
        yield folder, SWEEP
    elif (folder / GRID_FILE).is_file():
        yield folder, GRID
    else:
        for below in sorted(path for path in folder.iterdir() if path.is_dir()):
            yield from _walk(below)
