"""Run a sweep to its end: trials one after the other or many at once, here or elsewhere."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from optuna.trial import TrialState
from rich.console import Console

from ablations.display import Display, make_display
from ablations.driver import Driver
from ablations.executors.base import Executor, Outcome, Work
from ablations.grids.plan import Fingerprint, state_of
from ablations.options import Options
from ablations.sweeps.outputs import write_outputs
from ablations.sweeps.presence import Presence, beating
from ablations.sweeps.search_space import SweepError
from ablations.sweeps.storage import BEAT_S, StorageAddress
from ablations.sweeps.study import ERROR, SweepStudy
from ablations.sweeps.sweep_file import Sweep
from ablations.sweeps.trial import (
    HELD,
    TrialItem,
    TrialResult,
    run_trial,
    summarise,
    trial_config,
)
from auralsam2.engine.preflight import check

_SHOWN = {
    TrialState.COMPLETE: "done",
    TrialState.PRUNED: "stopped",
    TrialState.FAIL: "failed",
}


@dataclass
class SweepResult:
    """How the trials of a sweep stand at the end of a call."""

    counts: dict[str, int]  # state -> number of trials, over all calls and drivers
    here: int  # how many ended in this call
    elsewhere: int  # how many other drivers are still at
    # Number and last line of every failed trial that was not tried again.
    errors: list[tuple[int, str]]

    @classmethod
    def of(cls, study: SweepStudy) -> SweepResult:
        """Return how the trials of a study stand."""
        ended = study.ended()
        counts = Counter(trial.state.name.lower() for trial in ended)
        errors = [
            (trial.number, str(trial.user_attrs.get(ERROR, "lost")))
            for trial in ended
            if trial.state == TrialState.FAIL
        ]
        return cls(counts, len(study.settled), study.num_running(), errors)

    def lines(self, out: Path) -> list[str]:
        """Return the result in words; ``out`` is the folder of the sweep."""
        counted = ", ".join(f"{count} {state}" for state, count in sorted(self.counts.items()))
        said = [f"trials: {counted or 'none'}; {self.here} ended in this call"]
        if self.elsewhere:
            said.append(f"{self.elsewhere} more are still under way in other drivers")
        said += [f"FAILED trial {number}: {error}" for number, error in self.errors]
        paths = [out / name for name in ("trials.csv", "sweep.json", "best.py")]
        return said + [str(path) for path in paths if path.exists()]


def run_sweep(
    sweep: Sweep,
    address: StorageAddress,
    executor: Executor,
    num_trials: int,
    options: Options | None = None,
    *,
    console: Console | None = None,
    work: Work[TrialItem, TrialResult] = run_trial,
    fingerprint: Fingerprint | None = None,
) -> SweepResult:
    """Run trials until there are ``num_trials`` of them, over all calls and drivers.

    ``work`` does one trial, and is picklable where ``executor`` has processes of its own.

    Raises:
        FileNotFoundError: where weights or data are missing; nothing has started then.
        SweepError: where the storage does not fit the sweep, or the trials keep failing.
        KeyboardInterrupt: after all processes have ended; the next call resumes the trials.
    """
    _check(sweep)
    options, presence = options or Options(), Presence(address.beside / "drivers")
    study = SweepStudy(sweep, address, presence, fingerprint)
    if options.retry_failed:
        study.retry_failed()
    done = min(len(study.ended()), num_trials)
    driver = SweepDriver(study, make_display(num_trials, done, console), num_trials, options)
    with presence.joined(), beating(study.beat, BEAT_S):
        driver.drive(executor, work)
    write_outputs(study)
    driver.check_end()
    return SweepResult.of(study)


def _check(sweep: Sweep) -> None:
    """Look once at the settings and weights of every choice, before the first trial does."""
    settings: dict[str, None] = {}
    files: dict[str, None] = {}
    for _, values in sweep.space.probes(sweep.cfg):
        try:
            check(trial_config(sweep, values))
        except FileNotFoundError as error:
            files |= dict.fromkeys(str(error).splitlines())
        except ValueError as error:
            settings |= dict.fromkeys(str(error).splitlines())
    if settings:
        raise SweepError(list(settings), source=f"sweep {sweep.name!r}")
    if files:
        raise FileNotFoundError("\n".join(files))


class SweepDriver(Driver[TrialItem, TrialResult]):
    """The trials of a sweep, each chosen when there is room for it."""

    def __init__(
        self, study: SweepStudy, display: Display, num_trials: int, options: Options
    ) -> None:
        super().__init__(study.presence.own, display, options)
        self.study, self.num_trials = study, num_trials

    def new(self) -> TrialItem | None:
        """Ask the study; a trial of a lost driver comes first."""
        if self.gives_up():
            return None
        item = self.study.next_trial(self.num_trials)
        self._tell_others()
        return item

    def is_over(self) -> bool:
        """Return whether no trial is under way here, or may yet be found elsewhere."""
        return self.gives_up() or not (self.study.own or self.study.unsure())

    def is_free(self, item: TrialItem) -> bool:
        """Return whether no process is at one of its runs."""
        if all(self.watch.holder(run.run_dir) is None for run in item.runs):
            return True
        self.elsewhere[item.run_dir] = item
        return False

    def is_held(self, result: TrialResult) -> bool:
        """Return whether another process works on one of the runs."""
        return result.state == HELD

    def lost(self, outcome: Outcome[TrialItem, TrialResult]) -> TrialResult | None:
        """Write into the record of the run that the process was at."""
        item = outcome.item
        run = next((run for run in item.runs if state_of(run.run_dir) != "done"), item.runs[-1])
        record = self.record_loss(run, outcome)
        return None if record is None else summarise(item.sweep.objectives, [record])

    def settle(self, item: TrialItem, result: TrialResult) -> None:
        """Tell the study."""
        self.study.settle(item, result)
        runs = item.runs if result.state == TrialState.COMPLETE else ()
        self.tell_end(item, _SHOWN[result.state], result.text, runs)
        write_outputs(self.study)

    def gives_up(self) -> bool:
        """Return whether too many trials have failed one after the other."""
        return self.study.failures_in_a_row >= self.options.max_failures

    def check_end(self) -> None:
        """Raise SweepError where the sweep has ended because its trials keep failing."""
        study = self.study
        if self.gives_up():
            said = (
                f"the last {study.failures_in_a_row} trials failed one after the other, the last "
                f"one with: {study.last_error.strip().splitlines()[-1]}\n    their logs are in "
                f"{study.sweep.out / 'runs'}/*/log.txt; --retry-failed tries them again"
            )
            raise SweepError([said], source=f"sweep {study.sweep.name!r}")

    def _tell_others(self) -> None:
        """Show the trials that ended without being run here."""
        for item, result in self.study.at_once:
            self.display.run_finished(item.label, _SHOWN[result.state], result.text)
        self.study.at_once.clear()
        for trial in self.study.ended_elsewhere():
            label = f"trial {trial.number}"
            self.display.run_finished(label, _SHOWN[trial.state], "in another driver")
