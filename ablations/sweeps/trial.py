"""One trial: the runs that it consists of, how they are done, pruned by the first, and its end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import optuna
from optuna.samplers import RandomSampler
from optuna.storages import BaseStorage
from optuna.trial import TrialState

from ablations.grids.cells import Cell
from ablations.grids.plan import Fingerprint, PlannedRun, planned_run, state_of
from ablations.runs.processes import output_to
from ablations.runs.run_cell import Train, current_record, last_line, run_cell
from ablations.sweeps.objectives import SPLIT, NoValueError, Objective
from ablations.sweeps.samplers import build_pruner, prunes
from ablations.sweeps.search_space import Values
from ablations.sweeps.storage import StorageAddress, quiet
from ablations.sweeps.sweep_file import Sweep
from auralsam2.config import ConfigError
from auralsam2.engine import run_record
from auralsam2.engine.grid_manifest import RUNS
from auralsam2.engine.progress import Forwarding, Progress, StopRun
from auralsam2.engine.run_record import RunRecord

HELD = TrialState.RUNNING
DURATION, SIZE, LEFT_OUT = "duration_s", "num_trainable", "left_out"
"""Of all runs of a trial: seconds, trained parameters, clips of val that could not be read."""


@dataclass(frozen=True)
class TrialItem:
    """A trial as an executor takes it."""

    sweep: Sweep
    address: StorageAddress
    number: int  # in the study
    trial_id: int  # in the storage
    values: Values  # of its parameters
    runs: tuple[PlannedRun, ...]  # one for each seed
    retried: bool  # whether a failed attempt is to be made good
    driver: str  # id of who handed it out

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
        state: complete, pruned or failed; `HELD` where another process works on one of its runs.
        values: of the objectives, the mean over seeds; empty unless complete.
        text: a short line for people, or why it failed.
        notes: user attributes of the trial, for `trials.csv`.
    """

    state: TrialState
    values: tuple[float, ...] = ()
    text: str = ""
    notes: Mapping[str, Any] = field(default_factory=dict)


def plan_runs(
    sweep: Sweep, number: int, values: Values, fingerprint: Fingerprint
) -> tuple[PlannedRun, ...]:
    """Return the runs of a trial, or of the first one whose place it takes.

    Raises:
        ConfigError: where the values do not go together.
        OSError, ValueError: where there is no such data.
    """
    cfg = trial_config(sweep, values)
    data, overrides = fingerprint(cfg), sweep.space.overrides(values)
    axes = {name: str(value) for name, value in values.items()}
    folder = sweep.out / RUNS

    def run(seed: int) -> PlannedRun:
        name = f"trial-{number:04d}-s{seed}"
        cell = Cell(f"trial {number}", axes, overrides, seed)
        return planned_run(cell, cfg, data, lambda who, _: (who, folder / f"{name}-{who}"))

    return tuple(run(seed) for seed in sweep.seeds)


def trial_config(sweep: Sweep, values: Values) -> Any:
    """Return the config of some values, or raise ConfigError where they do not go together."""
    cfg, problems = sweep.space.applied(sweep.cfg, values)
    if problems:
        raise ConfigError(problems, source=f"trial with {values}")
    return cfg


def run_trial(
    item: TrialItem, progress: Progress | None = None, *, train: Train | None = None
) -> TrialResult:
    """Train the runs of a trial, or read those that are done.

    The run of the first seed may be pruned. Those of the other seeds train only where it was not,
    and then to their end.
    """
    progress = progress or Progress()
    records: list[RunRecord] = []
    for index, run in enumerate(item.runs):
        pruned = index == 0 and prunes(item.sweep.pruner)
        record = _settled(run, item)
        if record is None:
            # The executor has redirected the output to the log of the first run.
            with nullcontext() if index == 0 else output_to(run.run_dir):
                own = Pruning(item, run, progress) if pruned else progress
                record = run_cell(run, own, train=train, driver=item.driver)
        records.append(record)
        if record.status != "done":
            break
    return summarise(item.sweep.objectives, records)


def summarise(objectives: Sequence[Objective], records: Sequence[RunRecord]) -> TrialResult:
    """Return how a trial ended whose runs ended like this; the last one says why it ended."""
    last = records[-1]
    if last.status == "running":
        return TrialResult(HELD)
    seconds = [record.duration_s for record in records if record.duration_s is not None]
    notes = {
        DURATION: sum(seconds) if seconds else None,
        SIZE: last.num_parameters.get("trainable"),
        LEFT_OUT: sum(record.skipped.get(SPLIT, 0) for record in records),
    }
    if last.status == "stopped":
        return TrialResult(TrialState.PRUNED, (), last.stopped_because or "stopped", notes)
    if last.status == "failed":
        return TrialResult(TrialState.FAIL, (), last_line(last.error or "unknown error"), notes)
    try:
        values = tuple(
            sum(objective.value(record) for record in records) / len(records)
            for objective in objectives
        )
    except NoValueError as error:
        return TrialResult(TrialState.FAIL, (), str(error), notes)
    text = ", ".join(f"{o.metric} {v:.4g}" for o, v in zip(objectives, values, strict=True))
    return TrialResult(TrialState.COMPLETE, values, text, notes)


class Pruning(Forwarding):
    """Reports the curve of a trial's first run, and ends the run where the pruner says so."""

    def __init__(self, item: TrialItem, run: PlannedRun, progress: Progress) -> None:
        super().__init__(progress)
        (self.objective,) = item.sweep.objectives
        self.epochs = int(run.cfg.optim.epochs)
        self.earlier = current_record(run).curve
        self.pruner = str(item.sweep.pruner["type"])
        self.trial_id = item.trial_id
        self.storage = item.address.open()
        self.study = load_study(item, self.storage)

    def start_run(self, total_steps: int, epochs: int) -> None:
        """Report what the session before has validated but not reported any more, and ask too."""
        self.progress.start_run(total_steps, epochs)
        reported = self.storage.get_trial(self.trial_id).intermediate_values
        for entry in self.earlier:
            if entry["epoch"] not in reported:
                self._report(entry["epoch"], entry["scores"])

    def validated(self, epoch: int, scores: Mapping[str, float]) -> None:
        """Report, and ask the pruner."""
        self.progress.validated(epoch, scores)
        self._report(epoch, scores)

    def _report(self, epoch: int, scores: Mapping[str, float]) -> None:
        value = float(scores[self.objective.metric])
        # Not by Trial.report, which keeps what other code had reported of this epoch.
        self.storage.set_trial_intermediate_value(self.trial_id, epoch, value)
        if epoch >= self.epochs:
            return  # nothing is left to save
        if self.study.pruner.prune(self.study, self.storage.get_trial(self.trial_id)):
            raise StopRun(
                f"pruned by {self.pruner} after epoch {epoch} of {self.epochs}: "
                f"{self.objective.metric} {value:.4g} on val"
            )


def load_study(item: TrialItem, storage: BaseStorage) -> optuna.Study:
    """Return the study of a trial, to ask its pruner."""
    sweep = item.sweep
    with quiet():
        return optuna.load_study(
            study_name=sweep.name,
            storage=storage,
            sampler=RandomSampler(),
            pruner=build_pruner(sweep.pruner, sweep.cfg, sweep.space),
        )


def _settled(run: PlannedRun, item: TrialItem) -> RunRecord | None:
    """Return the record of a run that an earlier session has ended; None where it is to be done."""
    state = state_of(run.run_dir)
    if state == "stopped" or (state == "failed" and not item.retried):
        return run_record.read(run.run_dir)
    return None
