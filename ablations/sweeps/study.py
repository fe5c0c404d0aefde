"""The study of a sweep: opened or resumed, asked for trials and told how they ended."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from ablations.grids.plan import data_fingerprint
from ablations.sweeps.open_study import open_study, quiet
from ablations.sweeps.presence import ALIVE, GONE, UNSURE, Presence
from ablations.sweeps.storage import GRACE_S, StorageAddress, retry_callback
from ablations.sweeps.sweep_file import Sweep
from ablations.sweeps.trial import Fingerprint, TrialItem, TrialResult, plan_runs
from auralsam2.config import ConfigError
from auralsam2.engine.identity import code_of
from auralsam2.engine.provenance import code_version

DRIVER, CODE, VALUES = "driver", "code", "values"
RUN_DIRS, DURATION, SIZE = "run_dirs", "duration_s", "num_trainable"
LEFT_OUT = "left_out"
ERROR, SAME_AS = "error", "same_as"


class SweepStudy:
    """A study of Optuna as one driver sees it.

    Args:
        sweep: what it is about.
        address: where it is kept.
        presence: of all drivers.
        fingerprint: of the data of a config; the engine's where None.

    Attributes:
        own: numbers of the trials that this driver has handed out.
        at_once: trials that ended without being run, for the display.
        failures_in_a_row: of those, the last ones.
        last_error: of the last one that failed.

    Raises:
        SweepError: where the storage holds a study of this name about something else.
    """

    def __init__(
        self,
        sweep: Sweep,
        address: StorageAddress,
        presence: Presence,
        fingerprint: Fingerprint | None = None,
    ) -> None:
        self.sweep, self.address, self.presence = sweep, address, presence
        self.fingerprint = _once_a_data_set(fingerprint or data_fingerprint)
        self.own: set[int] = set()
        self.at_once: list[tuple[TrialItem, TrialResult]] = []
        self.failures_in_a_row = 0
        self.last_error = ""
        data = self.fingerprint(sweep.cfg)
        self.storage = address.open()
        with address.lock():
            self.study = open_study(sweep, address, self.storage, data)
        self._settled: set[int] = set()
        self._seen = {trial.number for trial in self.ended()}

    # What the study holds.

    def trials(self) -> list[Any]:
        """Return all trials as they are now."""
        trials: list[Any] = self.study.get_trials(deepcopy=False)
        return trials

    def ended(self) -> list[Any]:
        """Return the trials that count: complete, pruned or failed, and not tried again."""
        trials = self.trials()
        again = {number for trial in trials for number in _history(trial)}
        return [t for t in trials if t.state.is_finished() and t.number not in again]

    def ended_elsewhere(self) -> list[Any]:
        """Return the trials that other drivers have ended since the last time."""
        news = [t for t in self.ended() if t.number not in self._seen | self._settled]
        self._seen |= {trial.number for trial in news}
        return news

    @property
    def num_settled(self) -> int:
        """How many trials this driver has settled."""
        return len(self._settled)

    def num_running(self) -> int:
        """Return how many trials are under way, here and elsewhere."""
        return sum(trial.state.name == "RUNNING" for trial in self.trials())

    def unsure(self) -> bool:
        """Return whether a trial runs whose driver may yet turn out to be gone."""
        return any(self._owner(trial) == UNSURE for trial in self._foreign())

    # Asking.

    def next_trial(self, limit: int) -> TrialItem | None:
        """Return a trial to do: one that a lost driver has left, or a new one.

        Args:
            limit: how many trials there may be.
        """
        while self._may_have_one(limit):
            with self.address.lock(), quiet():
                trial = self._orphan() or self._ask(limit)
                if trial is None:
                    return None
                item = self._take(trial)
            if item is not None:
                return item
        return None

    def retry_failed(self) -> int:
        """Put every failed trial into the queue again, and return how many."""
        retry = retry_callback(max_retry=None)
        with self.address.lock(), quiet():
            failed = [trial for trial in self.ended() if trial.state.name == "FAIL"]
            for trial in failed:
                retry(self.study, trial)
        return len(failed)

    # Telling.

    def settle(self, item: TrialItem, result: TrialResult) -> None:
        """Enter how a trial ended; a second time it is left as it is."""
        from optuna.trial import TrialState as states

        self.own.discard(item.number)
        self._settled.add(item.number)
        self.failures_in_a_row = self.failures_in_a_row + 1 if result.state == "failed" else 0
        self.last_error = result.error or self.last_error
        if self.storage.get_trial(item.trial_id).state.is_finished():
            return
        self._note(item.trial_id, DURATION, result.duration_s)
        self._note(item.trial_id, SIZE, result.num_trainable)
        self._note(item.trial_id, LEFT_OUT, result.left_out)
        if result.error:
            self._note(item.trial_id, ERROR, result.text)
        state = {"complete": states.COMPLETE, "pruned": states.PRUNED, "failed": states.FAIL}
        with quiet():
            self.study.tell(
                item.number,
                list(result.values) if result.state == "complete" else None,
                state=state[result.state],
                skip_if_finished=True,  # e.g. a database took this driver for lost
            )

    def beat(self) -> None:
        """Tell a database that the trials of this driver are alive."""
        for number in list(self.own) if self.address.is_database else ():
            self.storage.record_heartbeat(self._trial_id(number))

    # Inside.

    def _may_have_one(self, limit: int) -> bool:
        """Look without the lock, as an idle driver does every second."""
        return (
            self.address.is_database  # trials may have gone stale
            or len(self.ended()) + self.num_running() < limit
            or any(self._owner(trial) == GONE for trial in self._foreign())
        )

    def _orphan(self) -> Any:
        """Return a running trial whose driver is gone, as an ``optuna.trial.Trial``, or None."""
        import optuna

        for trial in self._foreign():
            if self._owner(trial) == GONE:
                return optuna.trial.Trial(self.study, self._trial_id(trial.number))
        if self.address.is_database:
            optuna.storages.fail_stale_trials(self.study)
        return None

    def _foreign(self) -> Iterator[Any]:
        for trial in self.trials():
            if trial.state.name == "RUNNING" and trial.number not in self.own:
                yield trial

    def _owner(self, trial: Any) -> str:
        """Return the state of who runs a trial."""
        driver = trial.user_attrs.get(DRIVER)
        if driver is not None and self.presence.is_known(driver):
            return self.presence.state(driver)
        if not self.address.is_database:
            return GONE  # whoever shares the file shares the folder of drivers
        if driver is None and datetime.now() - trial.datetime_start > timedelta(
            seconds=10 * GRACE_S
        ):
            return GONE  # lost before it had sent a first heartbeat
        return ALIVE  # as long as the database has heartbeats of it

    def _ask(self, limit: int) -> Any:
        """Return a trial that was waiting, or a new one; None where there are enough."""
        waiting = any(trial.state.name == "WAITING" for trial in self.trials())
        if len(self.ended()) + self.num_running() >= limit:
            return None
        if not waiting and self.study.sampler.is_exhausted(self.study):
            return None
        return self.study.ask()

    def _take(self, trial: Any) -> TrialItem | None:
        """Make a running trial this driver's own; None where it has ended by that."""
        trial_id = self._trial_id(trial.number)
        trial.set_user_attr(DRIVER, self.presence.own)
        trial.set_user_attr(CODE, self._code())
        self.own.add(trial.number)
        values = self.sweep.space.suggest(trial)
        trial.set_user_attr(VALUES, values)
        frozen = self.storage.get_trial(trial_id)
        history = _history(frozen)
        item = TrialItem(
            sweep=self.sweep,
            address=self.address,
            study=self.sweep.name,
            number=trial.number,
            trial_id=trial_id,
            values=values,
            runs=(),
            retried=bool(history),
            driver=self.presence.own,
        )
        if self._same(item):
            return None
        try:
            number = history[0] if history else trial.number
            item = replace(item, runs=plan_runs(self.sweep, number, values, self.fingerprint))
        except (ConfigError, OSError, ValueError) as error:
            self._settle_at_once(item, TrialResult("failed", text=str(error), error=str(error)))
            return None
        folders = [run.run_dir.relative_to(self.sweep.out).as_posix() for run in item.runs]
        trial.set_user_attr(RUN_DIRS, folders)
        return item

    def _code(self) -> str:
        """The version, and a hash that also covers the files of ``custom_imports``."""
        return f"{code_version()}-{code_of(self.sweep.cfg.to_dict())}"

    def _same(self, item: TrialItem) -> bool:
        """Give a trial the end of an earlier one with the same values, as it would have it."""
        for trial in self.trials():
            if trial.number == item.number or trial.state.name not in ("COMPLETE", "PRUNED"):
                continue
            attrs = trial.user_attrs
            if attrs.get(VALUES) != item.values or attrs.get(CODE) != self._code():
                continue
            if SAME_AS in attrs:  # the one that it is the same as comes first
                continue
            for step, value in trial.intermediate_values.items():
                self.storage.set_trial_intermediate_value(item.trial_id, step, value)
            self._note(item.trial_id, SAME_AS, trial.number)
            self._note(item.trial_id, RUN_DIRS, attrs.get(RUN_DIRS, []))
            state = trial.state.name.lower()
            values = tuple(trial.values) if state == "complete" else ()
            said = f"same as trial {trial.number}"
            result = TrialResult(state, values, said, num_trainable=attrs.get(SIZE))
            self._settle_at_once(item, result)
            return True
        return False

    def _settle_at_once(self, item: TrialItem, result: TrialResult) -> None:
        self.settle(item, result)
        self.at_once.append((item, result))

    def _note(self, trial_id: int, key: str, value: Any) -> None:
        self.storage.set_trial_user_attr(trial_id, key, value)

    def _trial_id(self, number: int) -> int:
        study = self.storage.get_study_id_from_name(self.sweep.name)
        return int(self.storage.get_trial_id_from_study_id_trial_number(study, number))


def _history(trial: Any) -> list[int]:
    """The numbers of the trials whose place a trial takes, the first one first."""
    return list(trial.system_attrs.get("retry_history", ()))


def _once_a_data_set(compute: Fingerprint) -> Fingerprint:
    known: dict[str, str] = {}

    def fingerprint(cfg: Any) -> str:
        data = repr(cfg.data)
        if data not in known:
            known[data] = compute(cfg)
        return known[data]

    return fingerprint
