"""From cells to runs: every config resolved and checked, every folder and state known."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from ablations.grids.cells import Cell
from ablations.grids.existing_runs import ExistingRuns
from ablations.grids.file import Grid
from ablations.grids.resolve import resolve
from auralsam2 import config
from auralsam2.engine import run_record
from auralsam2.engine.grid_manifest import RUNS
from auralsam2.engine.identity import Identity, identify
from auralsam2.messages import ProblemsError, first_of, message, unknown_name

DAMAGED = "damaged"
_MAX_SLUG = 80
# A problem of five hundred cells must stay one readable line.
_MAX_NAMED = 5

Check = Callable[[Any], None]
Fingerprint = Callable[[Any], str]


@dataclass(frozen=True)
class PlannedRun:
    """One run of a grid, ready to start."""

    cell: Cell
    cfg: Any  # its resolved config
    recipe: str  # identity of config and data without the seed and the code
    run_id: str  # identity of config, data, weights and code
    run_dir: Path
    config_hash: str
    data_fingerprint: str
    state: str  # "pending", "unfinished", "failed", "stopped", "done" or `DAMAGED`
    shares: str | None = None  # label of the earlier run that does the same, in the same folder

    @property
    def label(self) -> str:
        """Cell and seed in words."""
        return f"{self.cell.name}, seed {self.cell.seed}"


@dataclass
class Plan:
    """All runs of a grid."""

    out: Path  # folder of the grid
    runs: list[PlannedRun] = field(default_factory=list)  # in the order in which they start
    problems: list[str] = field(default_factory=list)  # cells with problems have no run
    notes: list[str] = field(default_factory=list)  # what nothing stops at
    keep_code: bool = False  # whether runs made by other code count as the grid's own


def make_plan(
    grid: Grid,
    *,
    out: Path | None = None,
    seeds: Sequence[int] | None = None,
    overrides: Mapping[str, Any] | None = None,
    check: Check | None = None,
    fingerprint: Fingerprint | None = None,
    keep_code: bool = False,
) -> Plan:
    """Resolve every cell before any starts, and list every problem of every cell.

    Args:
        grid: whose cells are planned.
        out: folder of the runs; the grid's own where None.
        seeds: in place of the grid's own.
        overrides: dotted path -> value, applied last in every cell.
        check: raises where a resolved config lacks files; the engine's preflight where None.
        fingerprint: of the data that a resolved config names; the engine's where None.
        keep_code: take runs that were made by other code as they are.
    """
    plan = Plan(Path(out if out is not None else grid.out), keep_code=keep_code)
    folders = ExistingRuns(plan.out / RUNS, keep_code)
    cells = grid.cells(seeds)
    configs, problems = resolve(grid, cells, overrides or {})
    data_of = Fingerprints(fingerprint, remembers_errors=True)
    for cell in cells:
        if (cfg := configs.get(cell.name)) is None:
            continue
        try:
            if cell.seed == cells[0].seed:  # once a cell
                (check or _preflight())(cfg)
            slug, data = f"{_slug(cell.name)}-s{cell.seed}", data_of(cfg)
            find = partial(folders.find, slug=slug, data=data)
            plan.runs.append(planned_run(cell, cfg, data, find))
        except (ValueError, LookupError, OSError, ImportError) as error:
            problems += [(cell.name, problem) for problem in _problems_of(error)]
            configs[cell.name] = None  # one seed speaks for all
    plan.runs = _sharing(plan.runs)
    plan.problems = _grouped(problems, len({cell.name for cell in cells}))
    plan.notes = _notes(plan.runs) + folders.notes()
    return plan


def _problems_of(error: Exception) -> list[str]:
    """Return what an error tells: of missing files a line each."""
    said = message(error)
    return said.splitlines() if isinstance(error, FileNotFoundError) else [said]


def _sharing(runs: Sequence[PlannedRun]) -> list[PlannedRun]:
    """Return the runs; those of one identity share the folder of the first."""
    first: dict[str, PlannedRun] = {}
    shared = []
    for run in runs:
        owner = first.setdefault(run.run_id, run)
        if owner is not run:
            run = replace(run, run_dir=owner.run_dir, state=owner.state, shares=owner.label)
        shared.append(run)
    return shared


def data_fingerprint(cfg: Any) -> str:
    """Return the fingerprint of all data sets of a config."""
    from auralsam2.engine.splits import fingerprint, run_datasets

    return fingerprint(run_datasets(cfg))


class Fingerprints:
    """Fingerprints by data config: hundreds of cells read the same files.

    Args:
        compute: of the data of a config; the engine's where None.
        remembers_errors: raise again what was raised before, in place of another try.
    """

    def __init__(self, compute: Fingerprint | None, *, remembers_errors: bool) -> None:
        self.compute = compute or data_fingerprint
        self.remembers_errors = remembers_errors
        self.known: dict[str, str | OSError | ValueError] = {}

    def __call__(self, cfg: Any) -> str:
        """Return the fingerprint of the data of a config."""
        data = repr(cfg.data)
        if data not in self.known:
            try:
                self.known[data] = self.compute(cfg)
            except (OSError, ValueError) as error:
                if not self.remembers_errors:
                    raise
                self.known[data] = error
        found = self.known[data]
        if isinstance(found, str):
            return found
        raise found


def _preflight() -> Check:
    from auralsam2.engine import preflight

    check: Check = preflight.check
    return check


def planned_run(
    cell: Cell,
    cfg: Any,
    data: str,
    find: Callable[[Identity, Mapping[str, Any]], tuple[Identity, Path]],
) -> PlannedRun:
    """Return the run of a cell with a config of any seed and the fingerprint of its data.

    ``find`` leads from its identity and its resolved config to identity and folder of the run,
    which may be there already.
    """
    cfg = copy.deepcopy(cfg)
    cfg.seed = cell.seed
    plain = cfg.to_dict()
    config_hash = config.config_hash(plain)
    found, run_dir = find(identify(plain, data, config_hash), plain)
    seedless = {key: value for key, value in plain.items() if key != "seed"}
    return PlannedRun(
        cell=cell,
        cfg=cfg,
        recipe=identify(seedless, data).work,
        run_id=str(found),
        run_dir=run_dir,
        config_hash=config_hash,
        data_fingerprint=data,
        state=state_of(run_dir),
    )


def state_of(run_dir: Path) -> str:
    """Return the state of a run folder; `DAMAGED` where its record cannot be read."""
    try:
        status = run_record.read_without_clips(run_dir).status
    except FileNotFoundError:
        return "pending"
    except (OSError, ValueError):
        return DAMAGED
    return {"running": "unfinished"}.get(status, status)


def select(runs: Sequence[PlannedRun], only: Sequence[str]) -> list[PlannedRun]:
    """Return the runs of a plan that a command line asks for.

    Every condition of ``only`` is ``NAME=VALUE``, the name being an axis, ``cell`` or ``seed``.
    Values of one name are alternatives; several names must all fit.

    Raises:
        ProblemsError: names and values that the grid does not have, or that leave nothing.
    """
    known = [{**run.cell.axes, "cell": run.cell.name, "seed": str(run.cell.seed)} for run in runs]
    names = dict.fromkeys([*(axis for run in runs for axis in run.cell.axes), "cell", "seed"])
    wanted: dict[str, set[str]] = {}
    problems = []
    for condition in only:
        name, equals, value = condition.partition("=")
        name, value = name.strip(), value.strip()
        if not equals or not name:
            problems.append(f"{condition!r}: write NAME=VALUE, e.g. seed=0")
        elif name not in names:
            problems.append(f"{condition!r}: {unknown_name('axis', name, names)}")
        elif value not in (values := dict.fromkeys(of.get(name, "") for of in known)):
            problems.append(f"{condition!r}: {unknown_name('value', value, filter(None, values))}")
        else:
            wanted.setdefault(name, set()).add(value)
    chosen = [
        run
        for run, of in zip(runs, known, strict=True)
        if all(of.get(name, "") in values for name, values in wanted.items())
    ]
    if not problems and not chosen:
        problems.append("no run fits all of them")
    if problems:
        raise ProblemsError(problems, source="--only")
    return chosen


def _slug(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._+=]+", "_", name).strip("_.")[:_MAX_SLUG] or "cell"


def _grouped(problems: Sequence[tuple[str, str]], num_cells: int) -> list[str]:
    """Say each problem once, with the cells that have it."""
    cells: dict[str, dict[str, None]] = {}
    for cell, problem in problems:
        cells.setdefault(problem, {})[cell] = None
    said = []
    for problem, names in cells.items():
        everywhere = "" in names or (len(names) == num_cells and num_cells > 1)
        shown = first_of((f"cell {name!r}" for name in names), _MAX_NAMED)
        said.append(f"{'all cells' if everywhere else shown}: {problem}")
    return said


def _notes(runs: Sequence[PlannedRun]) -> list[str]:
    return [
        f"{run.label} has the same config as {run.shares}: they share one run"
        for run in runs
        if run.shares
    ] + [
        f"{run.label}: the record in '{run.run_dir}' cannot be read; it is set aside there, and "
        "the run goes on at its last checkpoint, or begins anew without one"
        for run in runs
        if run.state == DAMAGED and not run.shares
    ]
