"""Run a sweep to its end: trials one after the other or many at once, here or elsewhere."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field

from rich.console import Console

from ablations.display import Display
from ablations.executors import Executor, Outcomes, Work
from ablations.grids.plan import state_of
from ablations.progress import make_display
from ablations.runs import claims
from ablations.runs.prune import prune_checkpoints as delete_checkpoints
from ablations.runs.run_cell import current_record, record_failure
from ablations.runs.signals import terminate_like_interrupt
from ablations.sweeps.drivers import Drivers
from ablations.sweeps.outputs import STATES, write_outputs
from ablations.sweeps.run_trial import run_trial, summarise
from ablations.sweeps.search_space import SweepError
from ablations.sweeps.storage import BEAT_S, StorageAddress
from ablations.sweeps.study import SweepStudy
from ablations.sweeps.sweep_file import Sweep
from ablations.sweeps.trial import Fingerprint, TrialItem, TrialResult, trial_config
from auralsam2.devices import wants_gpu
from auralsam2.engine.preflight import check

MAX_FAILURES = 5
_STATES = {"complete": "done", "pruned": "stopped", "failed": "failed"}


@dataclass
class SweepResult:
    """How the trials of a sweep stand at the end of a call.

    Attributes:
        counts: state -> number of trials, over all calls and drivers.
        here: how many ended in this call.
        elsewhere: how many other drivers are still at.
        errors: number and last line of every failed trial that was not tried again.
    """

    counts: dict[str, int]
    here: int
    elsewhere: int
    errors: list[tuple[int, str]] = field(default_factory=list)


def run_sweep(
    sweep: Sweep,
    address: StorageAddress,
    executor: Executor,
    *,
    num_trials: int,
    retry_failed: bool = False,
    max_failures: int = MAX_FAILURES,
    prune_checkpoints: bool = False,
    console: Console | None = None,
    work: Work[TrialItem, TrialResult] = run_trial,
    fingerprint: Fingerprint | None = None,
) -> SweepResult:
    """Run trials until there are enough of them.

    Args:
        sweep: as loaded.
        address: of the study.
        executor: where the trials happen.
        num_trials: how many there shall be, over all calls and all drivers.
        retry_failed: try those again first that failed in an earlier call.
        max_failures: so many failures in a row end the sweep.
        prune_checkpoints: delete those of finished runs, all but the selected weights.
        console: for the progress.
        work: does one trial; picklable.
        fingerprint: of the data of a config; the engine's where None.

    Raises:
        FileNotFoundError: where weights or data are missing; nothing has started then.
        SweepError: where the storage does not fit the sweep, or the trials keep failing.
        KeyboardInterrupt: after all processes have ended; unfinished trials resume in the next
            call.
    """
    _check(sweep)
    drivers = Drivers(address.beside / "drivers")
    study = SweepStudy(sweep, address, drivers, fingerprint)
    if retry_failed:
        study.retry_failed()
    already = len(study.ended())
    # Closing ends the processes at once, also where a traceback would keep the generator alive.
    with (
        terminate_like_interrupt(),
        drivers.joined(),
        _beating(study),
        make_display(num_trials, min(already, num_trials), console) as display,
    ):
        source = _Source(study, num_trials, max_failures, display)
        with closing(executor.map(work, iter(source), display)) as outcomes:
            _settle_all(study, source, outcomes, prune_checkpoints)
    write_outputs(study)
    if study.failures_in_a_row >= max_failures:
        raise SweepError([_give_up(study)], source=f"sweep {sweep.name!r}")
    return _result(study)


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


class _Source:
    """The trials of a driver, each chosen when there is room for it.

    Attributes:
        display: told about trials as they end.
    """

    def __init__(
        self, study: SweepStudy, num_trials: int, max_failures: int, display: Display
    ) -> None:
        self.study, self.num_trials, self.max_failures = study, num_trials, max_failures
        self.display = display
        self.held: list[TrialItem] = []
        self.watch = claims.Watch()

    def __iter__(self) -> Iterator[TrialItem | None]:
        """Yield the next trial, or None where there may be one later."""
        while self.study.failures_in_a_row < self.max_failures:
            item = self._freed() or self.study.next_trial(self.num_trials)
            self._tell()
            if item is None and not self.study.own and not self.study.unsure():
                return
            yield item

    def put_back(self, item: TrialItem) -> None:
        """Keep a trial for when the process that is at one of its runs lets it go."""
        self.held.append(item)

    def _tell(self) -> None:
        """Show the trials that ended without being run here."""
        for item, result in self.study.at_once:
            self.display.run_finished(item.label, _STATES[result.state], result.text)
        self.study.at_once.clear()
        for trial in self.study.ended_elsewhere():
            state = _STATES[STATES[trial.state.name]]
            self.display.run_finished(f"trial {trial.number}", state, "in another driver")

    def _freed(self) -> TrialItem | None:
        for item in self.held:
            if all(self.watch.holder(run.run_dir) is None for run in item.runs):
                self.held.remove(item)
                return item
        return None


def _settle_all(
    study: SweepStudy,
    source: _Source,
    outcomes: Outcomes[TrialItem, TrialResult],
    prune_checkpoints: bool,
) -> None:
    for outcome in outcomes:
        item = outcome.item
        result = outcome.result or _record_failure(item, str(outcome.error))
        if result.state == "held":
            source.put_back(item)
            source.display.run_left(item.label, "another process is at it")
            continue
        study.settle(item, result)
        source.display.run_finished(item.label, _STATES[result.state], result.text)
        write_outputs(study)
        for run in item.runs if prune_checkpoints and result.state == "complete" else ():
            delete_checkpoints(run.run_dir)


def _record_failure(item: TrialItem, error: str) -> TrialResult:
    """Write for a process that could not, in the record of the run that it was at."""
    run = next((run for run in item.runs if state_of(run.run_dir) != "done"), item.runs[-1])
    held = claims.holder(run.run_dir)
    if held is not None and held.driver == item.driver:
        claims.break_claim(run.run_dir, held, "lost: its process is gone")
    claim = claims.acquire(run.run_dir, item.driver)
    if claim is None:
        return TrialResult("held")
    record = current_record(run)
    if record.status != "done":  # else it died when all was written
        record = record_failure(run, error)
    claims.end(run.run_dir, claim, record.status)
    return summarise(item.sweep.objectives, [record])


@contextmanager
def _beating(study: SweepStudy) -> Iterator[None]:
    """Tell a database from time to time that the trials of this driver are alive."""
    over = threading.Event()

    def beat() -> None:
        while not over.wait(BEAT_S):
            with suppress(Exception):  # a database that is away for a moment
                study.beat()

    thread = threading.Thread(target=beat, daemon=True, name="beat")
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _give_up(study: SweepStudy) -> str:
    return (
        f"the last {study.failures_in_a_row} trials failed one after the other, the last one with: "
        f"{study.last_error.strip().splitlines()[-1]}\n    their logs are in "
        f"{study.sweep.out / 'runs'}/*/log.txt; --retry-failed tries them again"
    )


def _result(study: SweepStudy) -> SweepResult:
    counts: dict[str, int] = {}
    errors = []
    for trial in study.ended():
        state = trial.state.name.lower()
        counts[state] = counts.get(state, 0) + 1
        if state == "fail":
            errors.append((trial.number, str(trial.user_attrs.get("error", "lost"))))
    return SweepResult(counts, study.num_settled, study.num_running(), errors)


def trains_on_gpu(sweep: Sweep) -> bool:
    """Return whether the trials want a GPU and would find one."""
    return wants_gpu(str(sweep.cfg.runtime.device))
