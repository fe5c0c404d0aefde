"""Samplers whose draws hang on the number of the trial, so that a killed sweep goes on as before.

Imports Optuna: to be imported where a study is opened.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, GridSampler
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState


class NumberedSampler(BaseSampler):
    """A fresh sampler for every trial, seeded by the sweep's seed and the trial's number.

    A sampler of Optuna draws from one stream, which starts anew in every session: what it draws
    after a kill would be what it drew at the beginning. With a seed of its own, a trial hangs only
    on its number and on the trials that have ended before it.

    Args:
        build: seed -> sampler.
        seed: of the sweep.
    """

    def __init__(self, build: Callable[[int], BaseSampler], seed: int) -> None:
        self.build, self.seed = build, seed
        self.inner = build(trial_seed(seed, 0))

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        """Take a sampler of the trial's own."""
        self.inner = self.build(trial_seed(self.seed, trial.number))
        self.inner.before_trial(study, trial)

    def infer_relative_search_space(
        self, study: Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """Pass on."""
        return self.inner.infer_relative_search_space(study, trial)

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Pass on."""
        return self.inner.sample_relative(study, trial, search_space)

    def sample_independent(
        self,
        study: Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        """Pass on."""
        return self.inner.sample_independent(study, trial, param_name, param_distribution)

    def after_trial(
        self, study: Study, trial: FrozenTrial, state: TrialState, values: Sequence[float] | None
    ) -> None:
        """Pass on."""
        self.inner.after_trial(study, trial, state, values)

    def is_exhausted(self, study: Study) -> bool:
        """Return whether there is nothing left to choose."""
        return isinstance(self.inner, AskedGridSampler) and self.inner.all_asked(study)


class AskedGridSampler(GridSampler):
    """Optuna's grid, for a study that is asked and told instead of being optimised."""

    def after_trial(
        self, study: Study, trial: FrozenTrial, state: TrialState, values: Sequence[float] | None
    ) -> None:
        """Do nothing: stopping the study is an error outside of its own loop."""

    def all_asked(self, study: Study) -> bool:
        """Return whether every combination has been given to a trial."""
        trials = study.get_trials(deepcopy=False)
        asked = {t.system_attrs["grid_id"] for t in trials if "grid_id" in t.system_attrs}
        return len(asked) >= int(np.prod([len(v) for v in self._search_space.values()]))


def trial_seed(seed: int, number: int) -> int:
    """Return a 32-bit seed for one trial of a sweep."""
    return int(np.random.SeedSequence([seed, number]).generate_state(1)[0])
