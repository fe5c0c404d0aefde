"""Do one trial in the process that trains: its runs, one after the other, pruned by the first."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import Any

from ablations.grids.plan import PlannedRun, state_of
from ablations.runs.processes import output_to
from ablations.runs.run_cell import Train, current_record, last_line, run_cell
from ablations.sweeps.objectives import SPLIT, NoValueError, Objective
from ablations.sweeps.samplers import build_pruner, prunes
from ablations.sweeps.trial import TrialItem, TrialResult
from auralsam2.engine import run_record
from auralsam2.engine.progress import Forwarding, Progress, StopRun
from auralsam2.engine.run_record import RunRecord


def run_trial(
    item: TrialItem, progress: Progress | None = None, *, train: Train | None = None
) -> TrialResult:
    """Train the runs of a trial, or read those that are done.

    The run of the first seed may be pruned. Those of the other seeds train only where it was not,
    and then to their end.

    Args:
        item: what to do.
        progress: told about every step.
        train: the engine's where None.
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
    seconds = [record.duration_s for record in records if record.duration_s is not None]
    known: dict[str, Any] = {
        "duration_s": sum(seconds) if seconds else None,
        "num_trainable": last.num_parameters.get("trainable"),
        "left_out": sum(record.skipped.get(SPLIT, 0) for record in records),
    }
    if last.status == "running":
        return TrialResult("held")
    if last.status == "stopped":
        return TrialResult("pruned", text=last.stopped_because or "stopped", **known)
    if last.status == "failed":
        error = last.error or "unknown error"
        return TrialResult("failed", text=last_line(error), error=error, **known)
    try:
        values = tuple(
            sum(objective.value(record) for record in records) / len(records)
            for objective in objectives
        )
    except NoValueError as error:
        return TrialResult("failed", text=str(error), error=str(error), **known)
    text = ", ".join(f"{o.metric} {v:.4g}" for o, v in zip(objectives, values, strict=True))
    return TrialResult("complete", values, text, **known)


class Pruning(Forwarding):
    """Reports the curve of a trial and ends the run where the pruner says so.

    Args:
        item: the trial.
        run: its first run.
        progress: told about everything too.
    """

    def __init__(self, item: TrialItem, run: PlannedRun, progress: Progress) -> None:
        super().__init__(progress)
        self.item = item
        (self.objective,) = item.sweep.objectives
        self.epochs = int(run.cfg.optim.epochs)
        self.earlier = current_record(run).curve
        self.storage = item.address.open()
        self.study = load_study(item, self.storage)

    def start_run(self, total_steps: int, epochs: int) -> None:
        """Report what the session before has validated but not reported any more.

        Raises:
            StopRun: where that session would have ended the run.
        """
        self.progress.start_run(total_steps, epochs)
        reported = self.storage.get_trial(self.item.trial_id).intermediate_values
        for entry in self.earlier:
            if entry["epoch"] not in reported:
                self._report(entry["epoch"], entry["scores"])

    def validated(self, epoch: int, scores: Mapping[str, float]) -> None:
        """Report, and ask the pruner.

        Raises:
            StopRun: where the trial is not worth going on with.
        """
        self.progress.validated(epoch, scores)
        self._report(epoch, scores)

    def _report(self, epoch: int, scores: Mapping[str, float]) -> None:
        value = float(scores[self.objective.metric])
        self.storage.set_trial_intermediate_value(self.item.trial_id, epoch, value)
        if epoch >= self.epochs:
            return  # nothing is left to save
        trial = self.storage.get_trial(self.item.trial_id)
        if self.study.pruner.prune(self.study, trial):
            raise StopRun(
                f"pruned by {self.item.sweep.pruner['type']} after epoch {epoch} of {self.epochs}: "
                f"{self.objective.metric} {value:.4g} on val"
            )


def load_study(item: TrialItem, storage: Any) -> Any:
    """Return the study of a trial, to ask its pruner."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    sweep = item.sweep
    pruner = build_pruner(sweep.pruner, sweep.cfg, sweep.space)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return optuna.load_study(
            study_name=item.study,
            storage=storage,
            sampler=optuna.samplers.RandomSampler(),
            pruner=pruner,
        )


def _settled(run: PlannedRun, item: TrialItem) -> RunRecord | None:
    """Return the record of a run that an earlier session has ended; None where it is to be done."""
    state = state_of(run.run_dir)
    if state == "stopped" or (state == "failed" and not item.retried):
        return run_record.read(run.run_dir)
    return None
