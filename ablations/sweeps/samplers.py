"""How trials are chosen and when they are stopped early: Optuna's samplers and pruners as nodes."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from optuna import pruners, samplers
from optuna.exceptions import ExperimentalWarning
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from ablations.sweeps.objectives import Objective
from ablations.sweeps.parameters import FloatParameter
from ablations.sweeps.search_space import SearchSpace, SweepError
from auralsam2.builder import Registry, UnknownComponentError
from auralsam2.signature import argument_problems

# Groups for conditional parameters; running trials count as poor ones, to spread out.
_FIXED = {"multivariate": True, "group": True, "constant_liar": True}
SAMPLERS = Registry(
    "sampler",
    given=["seed", "space", "sweep_seed", *_FIXED],
    contract="an Optuna sampler, `Choosy` where it cannot serve every sweep",
    base="optuna.samplers:BaseSampler",
)
PRUNERS = Registry(
    "pruner",
    given=["max_resource"],
    contract="an Optuna pruner; the sweep has one objective that is a score",
    base="optuna.pruners:BasePruner",
)
_SET_BY_SWEEP = frozenset(
    {*SAMPLERS.given, *PRUNERS.given, "search_space"}
    | {"independent_sampler", "source_trials", "warn_independent_sampling"}
)
_EPOCHS = "optim.epochs"


class Choosy:
    """A sampler that cannot serve every sweep."""

    @staticmethod
    def problems(space: SearchSpace, objectives: Sequence[Objective]) -> Iterable[str]:
        """Say why it cannot serve a sweep."""
        return ()

    @staticmethod
    def notes(space: SearchSpace) -> Iterable[str]:
        """Say what a user of it may not expect."""
        return ()


SAMPLERS.register_module(name=["tpe", "TPESampler"], module=samplers.TPESampler)
SAMPLERS.register_module(name=["random", "RandomSampler"], module=samplers.RandomSampler)
PRUNERS.register_module(name=["hyperband", "HyperbandPruner"], module=pruners.HyperbandPruner)
PRUNERS.register_module(name=["median", "MedianPruner"], module=pruners.MedianPruner)
PRUNERS.register_module(name=["none", "NopPruner"], module=pruners.NopPruner)


@SAMPLERS.register_module(name=["cmaes", "CmaEsSampler"])
class CmaEsSampler(Choosy, samplers.CmaEsSampler):
    """Optuna's, over the numbers that always apply; with margins steps of integers are not lost."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**{"with_margin": True, **arguments, "warn_independent_sampling": False})

    @staticmethod
    def problems(space: SearchSpace, objectives: Sequence[Objective]) -> Iterable[str]:
        """One objective, and something to adapt to."""
        if len(objectives) > 1:
            yield "cmaes works on one objective; take tpe or random"
        if not _adapted(space):
            yield (
                "cmaes adapts float and int parameters without conditions, and there is none; "
                "take tpe or random"
            )

    @staticmethod
    def notes(space: SearchSpace) -> Iterable[str]:
        """Name what is drawn blindly."""
        adapted = _adapted(space)
        blind = [p.name for p in space.parameters if p.name not in adapted]
        if blind:
            yield f"cmaes draws these at random: {', '.join(blind)}"


@SAMPLERS.register_module(name=["grid", "GridSampler"])
class GridSampler(Choosy, samplers.GridSampler):
    """Optuna's, for a study that is asked and told instead of being optimised.

    The order of the combinations is the same whichever trial asks.
    """

    def __init__(self, space: SearchSpace, sweep_seed: int) -> None:
        super().__init__({p.name: p.grid() for p in space.parameters}, seed=sweep_seed)

    def after_trial(
        self, study: Study, trial: FrozenTrial, state: TrialState, values: Sequence[float] | None
    ) -> None:
        """Do nothing: stopping the study is an error outside of its own loop."""

    def all_asked(self, study: Study) -> bool:
        """Return whether every combination has been given to a trial."""
        trials = study.get_trials(deepcopy=False)
        asked = {t.system_attrs["grid_id"] for t in trials if "grid_id" in t.system_attrs}
        return len(asked) >= math.prod(len(values) for values in self._search_space.values())

    @staticmethod
    def problems(space: SearchSpace, objectives: Sequence[Objective]) -> Iterable[str]:
        """Every parameter must have an end and always apply."""
        for parameter in space.parameters:
            try:
                parameter.grid()
            except ValueError as error:
                yield f"grid: space, {parameter.name}: {error}"
        if space.is_conditional():
            yield (
                "grid takes no conditional parameters; for these, state a grid of "
                "`auralsam2 run-grid`"
            )


def numbered(build: Callable[[int], samplers.BaseSampler], seed: int) -> samplers.BaseSampler:
    """Return a sampler that is fresh for every trial, built with a seed of its own.

    A sampler of Optuna draws from one stream, which starts anew in every session: what it draws
    after a kill would be what it drew at the beginning. With a seed of its own, a trial hangs only
    on the sweep's seed, on its number and on the trials that have ended before it.
    """
    sampler = build(trial_seed(seed, 0))
    kind: Any = type(sampler)

    class Numbered(kind):  # type: ignore[misc]
        """Takes over all that a fresh sampler holds before it chooses a trial."""

        def before_trial(self, study: Study, trial: FrozenTrial) -> None:
            """Begin the stream of the trial."""
            self.__dict__ = build(trial_seed(seed, trial.number)).__dict__
            super().before_trial(study, trial)

    sampler.__class__ = Numbered
    return sampler


def trial_seed(seed: int, number: int) -> int:
    """Return a 32-bit seed for one trial of a sweep."""
    return int(np.random.SeedSequence([seed, number]).generate_state(1)[0])


def parse_node(registry: Registry, stated: Any, given: str | None) -> dict[str, Any]:
    """Read ``sampler`` or ``pruner``: a name, or ``dict(type=name, argument=...)``.

    Args:
        registry: `SAMPLERS` or `PRUNERS`.
        stated: by the file.
        given: by the command line; it wins, and arguments of another type do not apply to it.

    Raises:
        SweepError: for unknown names and arguments.
    """
    node = dict(stated) if isinstance(stated, Mapping) else {"type": stated}
    if given is not None and given != node.get("type"):
        node = {"type": given}
    try:
        target = registry.lookup(str(node.get("type")))
    except UnknownComponentError as error:
        raise SweepError([f"{registry.name}: {error}"]) from error
    arguments = [key for key in node if key != "type"]
    problems = [f"{key!r} is set by the sweep" for key in arguments if key in _SET_BY_SWEEP]
    own = [key for key in arguments if key not in _SET_BY_SWEEP]
    problems += argument_problems(target, own, _SET_BY_SWEEP)
    if problems:
        raise SweepError([f"{registry.name}: {problem}" for problem in problems])
    return node


def build_sampler(node: Mapping[str, Any], space: SearchSpace, seed: int) -> samplers.BaseSampler:
    """Return the sampler of a node, for a study of one process."""

    def build(number_seed: int) -> samplers.BaseSampler:
        own = {"seed": number_seed, "space": space, "sweep_seed": seed}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            sampler: samplers.BaseSampler = SAMPLERS.build(node, **own, **_FIXED)
        return sampler

    return numbered(build, seed)


def build_pruner(node: Mapping[str, Any], cfg: Any, space: SearchSpace) -> pruners.BasePruner:
    """Return the pruner of a node; the full budget is the number of epochs."""
    pruner: pruners.BasePruner = PRUNERS.build(node, max_resource=most_epochs(cfg, space))
    return pruner


def prunes(node: Mapping[str, Any]) -> bool:
    """Return whether a pruner ever stops a trial."""
    target: Any = PRUNERS.lookup(node["type"])
    return not issubclass(target, pruners.NopPruner)


def choosy(node: Mapping[str, Any]) -> type[Choosy]:
    """Return what a sampler says of the sweeps that it can serve."""
    target: Any = SAMPLERS.lookup(node["type"])
    return target if issubclass(target, Choosy) else Choosy


def pruner_problems(node: Mapping[str, Any], objectives: Sequence[Objective]) -> Iterable[str]:
    """Say why trials cannot be pruned: that needs the curve of one objective."""
    if not prunes(node):
        return
    if len(objectives) > 1:
        yield (
            f"pruner: {node['type']} compares trials by one number, and there are "
            f"{len(objectives)} objectives; take --pruner none, or keep one objective"
        )
    elif not objectives[0].is_score:
        yield f"pruner: {objectives[0].metric} has no curve to prune on; take --pruner none"


def most_epochs(cfg: Any, space: SearchSpace) -> int:
    """Return how many epochs a trial may have."""
    epochs = [float(cfg.optim.epochs)]
    for parameter in space.parameters:
        for value in parameter.extremes():
            epochs.append(parameter.overrides(value).get(_EPOCHS, 0))
    return math.ceil(max(epochs))


def _adapted(space: SearchSpace) -> list[str]:
    """The parameters that CMA-ES handles: numbers that always apply."""
    return [p.name for p in space.parameters if not p.when and isinstance(p, FloatParameter)]
