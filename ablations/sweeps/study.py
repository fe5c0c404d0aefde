"""The study of a sweep: opened or resumed, asked for trials and told how they ended."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import optuna
from optuna.trial import FrozenTrial, Trial, TrialState

from ablations.grids.plan import Fingerprint, Fingerprints
from ablations.sweeps.open_study import open_study
from ablations.sweeps.presence import ALIVE, GONE, UNSURE, Presence
from ablations.sweeps.samplers import GridSampler
from ablations.sweeps.storage import GRACE_S, StorageAddress, quiet, retry_callback
from ablations.sweeps.sweep_file import Sweep
from ablations.sweeps.trial import (
    DURATION,
    LEFT_OUT,
    SIZE,
    TrialItem,
    TrialResult,
    plan_runs,
)
from auralsam2.config import ConfigError
from auralsam2.engine.identity import code_of
from auralsam2.engine.provenance import code_version

# User attributes of a trial.
DRIVER, CODE, VALUES = "driver", "code", "values"
RUN_DIRS, ERROR, SAME_AS = "run_dirs", "error", "same_as"
_NAMELESS = timedelta(seconds=10 * GRACE_S)
"""After so long, a trial of a database was lost before it had sent a first heartbeat."""


class SweepStudy:
    """A study of Optuna as one driver sees it.

    Attributes:
        own: numbers of the trials that this driver has handed out.
        settled: numbers of those that it has settled.
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
        self.fingerprint: Fingerprint = Fingerprints(fingerprint, remembers_errors=False)
        self.own: set[int] = set()
        self.at_once: list[tuple[TrialItem, TrialResult]] = []
        self.failures_in_a_row = 0
        self.last_error = ""
        data = self.fingerprint(sweep.cfg)
        self.storage = address.open()
        with address.lock():
            self.study = open_study(sweep, address, self.storage, data)
        self.settled: set[int] = set()
        self._seen = {trial.number for trial in self.ended()}

    # What the study holds.

    def trials(self, *states: TrialState) -> list[FrozenTrial]:
        """Return the trials in some states, all where none is named, as they are now."""
        return self.study.get_trials(deepcopy=False, states=states or None)

    def ended(self) -> list[FrozenTrial]:
        """Return the trials that count: complete, pruned or failed, and not tried again."""
        trials = self.trials()
        again = {number for trial in trials for number in history(trial)}
        return [t for t in trials if t.state.is_finished() and t.number not in again]

    def ended_elsewhere(self) -> list[FrozenTrial]:
        """Return the trials that other drivers have ended since the last time."""
        news = [t for t in self.ended() if t.number not in self._seen | self.settled]
        self._seen |= {trial.number for trial in news}
        return news

    def num_running(self) -> int:
        """Return how many trials are under way, here and elsewhere."""
        return len(self.trials(TrialState.RUNNING))

    def unsure(self) -> bool:
        """Return whether a trial runs whose driver may yet turn out to be gone."""
        return any(self._owner(trial) == UNSURE for trial in self._foreign())

    # Asking.

    def next_trial(self, limit: int) -> TrialItem | None:
        """Return a trial to do: one that a lost driver has left, or a new one below the limit."""
        while self._may_have_one(limit):
            with self.address.lock(), quiet():
                trial = self._orphan() or self._ask(limit)
                if trial is None:
                    return None
                item = self._take(trial)
            if item is not None:
                return item
        return None

    def retry_failed(self) -> None:
        """Put every failed trial into the queue again."""
        retry = retry_callback(max_retry=None)
        with self.address.lock(), quiet():
            for trial in self.ended():
                if trial.state == TrialState.FAIL:
                    retry(self.study, trial)

    # Telling.

    def settle(self, item: TrialItem, result: TrialResult) -> None:
        """Enter how a trial ended; a second time it is left as it is."""
        failed = result.state == TrialState.FAIL
        self.own.discard(item.number)
        self.settled.add(item.number)
        self.failures_in_a_row = self.failures_in_a_row + 1 if failed else 0
        self.last_error = result.text if failed else self.last_error
        if self.storage.get_trial(item.trial_id).state.is_finished():
            return
        self._note(item, **{DURATION: None, SIZE: None, LEFT_OUT: 0, **result.notes})
        if failed:
            self._note(item, **{ERROR: result.text})
        with quiet():
            self.study.tell(
                item.number,
                result.values or None,
                state=result.state,
                skip_if_finished=True,  # e.g. a database took this driver for lost
            )

    def beat(self) -> None:
        """Tell a database that the trials of this driver are alive."""
        for number in list(self.own) if self.address.is_database else ():
            # Only databases have it.
            self.storage.record_heartbeat(self._trial_id(number))  # type: ignore[attr-defined]

    # Inside.

    def _may_have_one(self, limit: int) -> bool:
        """Look without the lock, as an idle driver does every second."""
        return (
            self.address.is_database  # trials may have gone stale
            or len(self.ended()) + self.num_running() < limit
            or any(self._owner(trial) == GONE for trial in self._foreign())
        )

    def _orphan(self) -> Trial | None:
        """Return a running trial whose driver is gone."""
        for trial in self._foreign():
            if self._owner(trial) == GONE:
                return Trial(self.study, self._trial_id(trial.number))
        if self.address.is_database:
            optuna.storages.fail_stale_trials(self.study)
        return None

    def _foreign(self) -> Iterator[FrozenTrial]:
        return (t for t in self.trials(TrialState.RUNNING) if t.number not in self.own)

    def _owner(self, trial: FrozenTrial) -> str:
        """Return the state of who runs a trial."""
        driver = trial.user_attrs.get(DRIVER)
        if driver is not None and self.presence.is_known(driver):
            return self.presence.state(driver)
        if not self.address.is_database:
            return GONE  # whoever shares the file shares the folder of drivers
        began = trial.datetime_start
        if driver is None and began is not None and datetime.now() - began > _NAMELESS:
            return GONE
        return ALIVE  # as long as the database has heartbeats of it

    def _ask(self, limit: int) -> Trial | None:
        """Return a trial that was waiting, or a new one; None where there are enough."""
        if len(self.ended()) + self.num_running() >= limit:
            return None
        sampler = self.study.sampler
        exhausted = isinstance(sampler, GridSampler) and sampler.all_asked(self.study)
        if exhausted and not self.trials(TrialState.WAITING):
            return None
        return self.study.ask()

    def _take(self, trial: Trial) -> TrialItem | None:
        """Make a running trial this driver's own; None where it has ended by that."""
        trial_id = self._trial_id(trial.number)
        trial.set_user_attr(DRIVER, self.presence.own)
        trial.set_user_attr(CODE, self._code())
        self.own.add(trial.number)
        values = self.sweep.space.suggest(trial)
        trial.set_user_attr(VALUES, values)
        takes_place_of = history(self.storage.get_trial(trial_id))
        item = TrialItem(
            sweep=self.sweep,
            address=self.address,
            number=trial.number,
            trial_id=trial_id,
            values=values,
            runs=(),
            retried=bool(takes_place_of),
            driver=self.presence.own,
        )
        if self._same(item):
            return None
        first = [*takes_place_of, trial.number][0]
        try:
            item = replace(item, runs=plan_runs(self.sweep, first, values, self.fingerprint))
        except (ConfigError, OSError, ValueError) as error:
            self._settle_at_once(item, TrialResult(TrialState.FAIL, text=str(error)))
            return None
        folders = [run.run_dir.relative_to(self.sweep.out).as_posix() for run in item.runs]
        trial.set_user_attr(RUN_DIRS, folders)
        return item

    def _code(self) -> str:
        """The version, and a hash that also covers the files of ``custom_imports``."""
        return f"{code_version()}-{code_of(self.sweep.cfg.to_dict())}"

    def _same(self, item: TrialItem) -> bool:
        """Give a trial the end of an earlier one with the same values, as it would have it."""
        for trial in self.trials(TrialState.COMPLETE, TrialState.PRUNED):
            attrs = trial.user_attrs
            if attrs.get(VALUES) != item.values or attrs.get(CODE) != self._code():
                continue
            if SAME_AS in attrs:  # the one that it is the same as comes first
                continue
            for step, value in trial.intermediate_values.items():
                self.storage.set_trial_intermediate_value(item.trial_id, step, value)
            self._note(item, **{SAME_AS: trial.number, RUN_DIRS: attrs.get(RUN_DIRS, [])})
            values = tuple(trial.values) if trial.state == TrialState.COMPLETE else ()
            said, notes = f"same as trial {trial.number}", {SIZE: attrs.get(SIZE)}
            self._settle_at_once(item, TrialResult(trial.state, values, said, notes))
            return True
        return False

    def _settle_at_once(self, item: TrialItem, result: TrialResult) -> None:
        self.settle(item, result)
        self.at_once.append((item, result))

    def _note(self, item: TrialItem, **notes: Any) -> None:
        for key, note in notes.items():
            self.storage.set_trial_user_attr(item.trial_id, key, note)

    def _trial_id(self, number: int) -> int:
        study = self.storage.get_study_id_from_name(self.sweep.name)
        return self.storage.get_trial_id_from_study_id_trial_number(study, number)


def history(trial: FrozenTrial) -> list[int]:
    """Return the numbers of the trials whose place a trial takes, the first one first."""
    return list(trial.system_attrs.get("retry_history", ()))
