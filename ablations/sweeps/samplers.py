"""How trials are chosen and when they are stopped early: Optuna's samplers and pruners by name."""

from __future__ import annotations

import math
import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from ablations.sweeps.ranges import FloatParameter
from ablations.sweeps.search_space import SearchSpace, SweepError
from auralsam2.messages import unknown_name
from auralsam2.signature import argument_problems

if TYPE_CHECKING:
    from ablations.sweeps.sweep_file import Sweep

_EPOCHS = "optim.epochs"


@dataclass(frozen=True)
class Strategy(ABC):
    """A sampler or pruner, built in every process anew.

    Attributes:
        options: arguments of the class of Optuna that a file states.
    """

    KIND: ClassVar[str] = ""
    OWN: ClassVar[frozenset[str]] = frozenset({"seed"})
    PRUNES: ClassVar[bool] = False

    options: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    @abstractmethod
    def target(cls) -> Any:
        """Return the class of Optuna."""

    @abstractmethod
    def build(self, sweep: Sweep, seed: int) -> Any:
        """Return the sampler or pruner of a sweep.

        Args:
            sweep: with the space and the base config.
            seed: of what is random in it.
        """

    def problems(self, sweep: Sweep) -> Iterable[str]:
        """Say why it cannot serve a sweep."""
        return ()

    def notes(self, sweep: Sweep) -> Iterable[str]:
        """Say what a user of it may not expect."""
        return ()


class TPE(Strategy):
    """Tree-structured Parzen estimator, all parameters that apply together at once."""

    KIND = "tpe"
    OWN = frozenset({"seed", "multivariate", "group", "constant_liar"})

    @classmethod
    def target(cls) -> Any:
        """Optuna's."""
        from optuna.samplers import TPESampler

        return TPESampler

    def build(self, sweep: Sweep, seed: int) -> Any:
        """Groups for conditional parameters; running trials count as poor ones, to spread out."""
        from optuna.exceptions import ExperimentalWarning

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            return self.target()(
                seed=seed, multivariate=True, group=True, constant_liar=True, **self.options
            )


class CMAES(Strategy):
    """Covariance matrix adaptation over the numbers that always apply."""

    KIND = "cmaes"
    OWN = frozenset({"seed", "independent_sampler", "source_trials", "warn_independent_sampling"})

    @classmethod
    def target(cls) -> Any:
        """Optuna's."""
        from optuna.samplers import CmaEsSampler

        return CmaEsSampler

    def build(self, sweep: Sweep, seed: int) -> Any:
        """With margins, so that steps of integers are not lost."""
        options = {"with_margin": True, **self.options}
        return self.target()(seed=seed, warn_independent_sampling=False, **options)

    def problems(self, sweep: Sweep) -> Iterable[str]:
        """One objective, and something to adapt to."""
        if len(sweep.objectives) > 1:
            yield "sampler: cmaes works on one objective; take tpe or random"
        if not _adapted(sweep.space):
            yield (
                "sampler: cmaes adapts float and int parameters without conditions, and there is "
                "none; take tpe or random"
            )

    def notes(self, sweep: Sweep) -> Iterable[str]:
        """Name what is drawn blindly."""
        adapted = _adapted(sweep.space)
        blind = [p.name for p in sweep.space.parameters if p.name not in adapted]
        if blind:
            yield f"cmaes draws these at random: {', '.join(blind)}"


class Random(Strategy):
    """Independent draws."""

    KIND = "random"

    @classmethod
    def target(cls) -> Any:
        """Optuna's."""
        from optuna.samplers import RandomSampler

        return RandomSampler

    def build(self, sweep: Sweep, seed: int) -> Any:
        """Nothing but the seed."""
        return self.target()(seed=seed, **self.options)


class Grid(Strategy):
    """All combinations, in a random order."""

    KIND = "grid"
    OWN = frozenset({"seed", "search_space"})

    @classmethod
    def target(cls) -> Any:
        """Optuna's, asked from outside of its own loop."""
        from ablations.sweeps.numbered_sampler import AskedGridSampler

        return AskedGridSampler

    def build(self, sweep: Sweep, seed: int) -> Any:
        """The order hangs on the sweep's seed alone, whichever trial asks."""
        space = {parameter.name: parameter.grid() for parameter in sweep.space.parameters}
        return self.target()(space, seed=sweep.sampler_seed)

    def problems(self, sweep: Sweep) -> Iterable[str]:
        """Every parameter must have an end and always apply."""
        for parameter in sweep.space.parameters:
            try:
                parameter.grid()
            except ValueError as error:
                yield f"sampler: grid: space, {parameter.name}: {error}"
        if sweep.space.is_conditional():
            yield (
                "sampler: grid takes no conditional parameters; for these, state a grid of "
                "`auralsam2 run-grid`"
            )


class Hyperband(Strategy):
    """Successive halving with several budgets of first epochs."""

    KIND = "hyperband"
    PRUNES = True
    OWN = frozenset({"max_resource"})

    @classmethod
    def target(cls) -> Any:
        """Optuna's."""
        from optuna.pruners import HyperbandPruner

        return HyperbandPruner

    def build(self, sweep: Sweep, seed: int) -> Any:
        """The full budget is the number of epochs."""
        return self.target()(max_resource=most_epochs(sweep), **self.options)

    def problems(self, sweep: Sweep) -> Iterable[str]:
        """One curve."""
        return _curve_problems(self, sweep)


class Median(Strategy):
    """Stops what is worse than the median of the earlier trials at the same epoch."""

    KIND = "median"
    PRUNES = True
    OWN = frozenset()

    @classmethod
    def target(cls) -> Any:
        """Optuna's."""
        from optuna.pruners import MedianPruner

        return MedianPruner

    def build(self, sweep: Sweep, seed: int) -> Any:
        """As stated."""
        return self.target()(**self.options)

    def problems(self, sweep: Sweep) -> Iterable[str]:
        """One curve."""
        return _curve_problems(self, sweep)


class NoPruner(Strategy):
    """Every trial trains to its end."""

    KIND = "none"
    OWN = frozenset()

    @classmethod
    def target(cls) -> Any:
        """Optuna's."""
        from optuna.pruners import NopPruner

        return NopPruner

    def build(self, sweep: Sweep, seed: int) -> Any:
        """Nothing to choose."""
        return self.target()(**self.options)


SAMPLERS: dict[str, type[Strategy]] = {kind.KIND: kind for kind in (TPE, CMAES, Random, Grid)}
PRUNERS: dict[str, type[Strategy]] = {kind.KIND: kind for kind in (Hyperband, Median, NoPruner)}


def parse_strategy(stated: Any, given: str | None, known: Mapping[str, type[Strategy]]) -> Strategy:
    """Read ``sampler`` or ``pruner``: a name, or ``dict(type=name, option=...)``.

    Args:
        stated: by the file.
        given: by the command line; it wins, and options of another type do not apply to it.
        known: `SAMPLERS` or `PRUNERS`.

    Raises:
        SweepError: for unknown names and options.
    """
    what = "sampler" if known is SAMPLERS else "pruner"
    node = dict(stated) if isinstance(stated, Mapping) else {"type": stated}
    if given is not None and given != node.get("type"):
        node = {"type": given}
    name = node.pop("type", None)
    if name not in known:
        raise SweepError([f"{what}: {unknown_name(what, str(name), known)}"])
    kind = known[name]
    problems = [f"{key!r} is set by the sweep" for key in node if key in kind.OWN]
    others = [key for key in node if key not in kind.OWN]
    problems += argument_problems(kind.target(), others, kind.OWN | {"search_space"})
    if problems:
        raise SweepError([f"{what}: {problem}" for problem in problems])
    return kind(node)


def most_epochs(sweep: Sweep) -> int:
    """Return how many epochs a trial may have."""
    epochs = [float(sweep.cfg.optim.epochs)]
    for parameter in sweep.space.parameters:
        for value in parameter.extremes():
            epochs.append(parameter.overrides(value).get(_EPOCHS, 0))
    return math.ceil(max(epochs))


def _curve_problems(strategy: Strategy, sweep: Sweep) -> Iterable[str]:
    if len(sweep.objectives) > 1:
        yield (
            f"pruner: {strategy.KIND} compares trials by one number, and there are "
            f"{len(sweep.objectives)} objectives; take --pruner none, or keep one objective"
        )
    elif not sweep.objectives[0].is_score:
        yield (f"pruner: {sweep.objectives[0].metric} has no curve to prune on; take --pruner none")


def _adapted(space: SearchSpace) -> list[str]:
    """The parameters that CMA-ES handles: numbers that always apply."""
    return [p.name for p in space.parameters if not p.when and isinstance(p, FloatParameter)]
