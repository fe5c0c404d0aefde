"""One trial: the runs that it consists of, and how it ended."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ablations.grids.grid import Cell
from ablations.grids.plan import RUNS, PlannedRun, state_of
from ablations.sweeps.search_space import Values
from ablations.sweeps.storage import StorageAddress
from ablations.sweeps.sweep_file import Sweep
from auralsam2 import config
from auralsam2.engine.identity import identify

Fingerprint = Callable[[Any], str]


@dataclass(frozen=True)
class TrialItem:
    """A trial as an executor takes it.

    Attributes:
        sweep: what it belongs to.
        address: of the storage.
        study: name of the study there.
        number: in the study.
        trial_id: in the storage.
        values: of its parameters.
        runs: one for each seed.
        retried: whether a failed attempt is to be made good.
        driver: id of who handed it out.
    """

    sweep: Sweep
    address: StorageAddress
    study: str
    number: int
    trial_id: int
    values: Values
    runs: tuple[PlannedRun, ...]
    retried: bool
    driver: str

    @property
    def label(self) -> str:
        """Name for the display."""
        return f"trial {self.number}"

    @property
    def run_dir(self) -> Path:
        """Folder of the log."""
        return self.runs[0].run_dir


@dataclass(frozen=True)
class TrialResult:
    """How a trial ended.

    Attributes:
        state: ``"complete"``, ``"pruned"``, ``"failed"``, or ``"held"`` where another process
            works on one of its runs.
        values: of the objectives, the mean over seeds; empty unless complete.
        text: a short line for people.
        error: why it failed.
        duration_s: of all runs, where known.
        num_trainable: parameters of the model, where known.
        left_out: clips of val that could not be read, over all runs; the values are of the others.
    """

    state: str
    values: tuple[float, ...] = ()
    text: str = ""
    error: str = ""
    duration_s: float | None = None
    num_trainable: int | None = None
    left_out: int = 0


def plan_runs(
    sweep: Sweep, number: int, values: Values, fingerprint: Fingerprint
) -> tuple[PlannedRun, ...]:
    """Return the runs of a trial.

    Args:
        sweep: what it belongs to.
        number: of the trial, or of the first one whose place it takes.
        values: of its parameters.
        fingerprint: of the data of a config.

    Raises:
        ConfigError: where the values do not go together.
        OSError, ValueError: where there is no such data.
    """
    cfg = trial_config(sweep, values)
    overrides = sweep.space.overrides(values)
    data = fingerprint(cfg)
    axes = {name: str(value) for name, value in values.items()}
    return tuple(
        _planned(Cell(f"trial {number}", axes, overrides, seed), cfg, data, sweep.out, number)
        for seed in sweep.seeds
    )


def trial_config(sweep: Sweep, values: Values) -> Any:
    """Return the config of some values.

    Raises:
        ConfigError: where they do not go together.
    """
    cfg = copy.deepcopy(sweep.cfg)
    for path, node in sweep.space.overrides(values).items():
        config.set_node(cfg, path, node)
    if problems := config.validate(cfg):
        raise config.ConfigError(problems, source=f"trial with {values}")
    return cfg


def _planned(cell: Cell, cfg: Any, data: str, out: Path, number: int) -> PlannedRun:
    cfg = copy.deepcopy(cfg)
    cfg.seed = cell.seed
    plain: Mapping[str, Any] = cfg.to_dict()
    identity = identify(plain, data)
    run_dir = out / RUNS / f"trial-{number:04d}-s{cell.seed}-{identity}"
    seedless = {key: value for key, value in plain.items() if key != "seed"}
    return PlannedRun(
        cell=cell,
        cfg=cfg,
        recipe=identify(seedless, data).work,
        run_id=str(identity),
        run_dir=run_dir,
        config_hash=config.config_hash(plain),
        data_fingerprint=data,
        state=state_of(run_dir),
    )
