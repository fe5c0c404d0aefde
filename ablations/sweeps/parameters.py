"""What a sweep varies: numbers between two bounds, and choices, as Optuna draws them."""

from __future__ import annotations

import copy
import json
import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, ClassVar

from optuna.trial import BaseTrial

from ablations.grids.axes import AxisValue, GridError, parse_axes
from ablations.sweeps.stated_values import value_at
from auralsam2 import config
from auralsam2.builder import Registry

_TOLERANCE = 1e-8
_PLAIN = (bool, int, float, str, type(None))

PARAMETERS = Registry(
    "parameter",
    given=["name", "when"],
    contract="its values are plain (numbers, texts, None): storages and trials.csv hold no others",
    base="ablations.sweeps.parameters:Parameter",
)


class NotInSpace(ValueError):
    """The base config holds something that a parameter cannot take."""


@dataclass(frozen=True)
class Parameter(ABC):
    """One thing that a sweep varies."""

    name: str  # dotted path of the config, or a free name where choices set paths themselves
    # Name of an earlier parameter -> its values under which this one applies.
    when: Mapping[str, frozenset[Any]]

    @classmethod
    @abstractmethod
    def problems_of(cls, name: str, raw: Mapping[str, Any]) -> Iterable[str]:
        """Say what is wrong with ``raw``, a parameter as a file states it."""

    @abstractmethod
    def suggest(self, trial: BaseTrial) -> Any:
        """Return the value that a trial suggests."""

    @abstractmethod
    def overrides(self, value: Any) -> dict[str, Any]:
        """Return dotted path -> node for one value."""

    @abstractmethod
    def base_value(self, cfg: Any) -> Any:
        """Return the value that a config stands for; `NotInSpace` where that is none of them."""

    def extremes(self) -> list[Any]:
        """Return the values that are checked before anything starts."""
        return self.grid()

    @abstractmethod
    def grid(self) -> list[Any]:
        """Return all values; ValueError where there is no end of them."""

    def values_of(self, wanted: Any) -> list[Any]:
        """Return the values that a condition calls ``wanted``: none of a continuum."""
        return []

    @abstractmethod
    def describe(self) -> dict[str, Any]:
        """Return the parameter as JSON, as Optuna's ``json_to_distribution`` takes it."""


@PARAMETERS.register_module(name=["float", "FloatDistribution"])
@dataclass(frozen=True)
class FloatParameter(Parameter):
    """A real number in [low, high]; the arguments are those of Optuna's ``FloatDistribution``."""

    TYPE: ClassVar[str] = "float"
    KINDS: ClassVar[tuple[type, ...]] = (int, float)
    WANTED: ClassVar[str] = "a number"

    low: Any
    high: Any
    log: bool = False
    step: Any = None

    @classmethod
    def problems_of(cls, name: str, raw: Mapping[str, Any]) -> Iterable[str]:
        """Check the bounds."""
        wrong = [
            f"{key}: missing; state {cls.WANTED}" for key in ("low", "high") if raw.get(key) is None
        ]
        wrong += [
            f"{key}: got {raw[key]!r}, wanted {cls.WANTED}"
            for key in ("low", "high", "step")
            if raw.get(key) is not None and not cls._fits(raw[key])
        ]
        if not isinstance(raw.get("log", False), bool):
            wrong.append(f"log: got {raw['log']!r}, wanted True or False")
        yield from wrong or _bounds(raw["low"], raw["high"], raw.get("log"), raw.get("step"))

    @classmethod
    def _fits(cls, value: Any) -> bool:
        number = isinstance(value, cls.KINDS) and not isinstance(value, bool)
        return number and math.isfinite(value)

    def suggest(self, trial: BaseTrial) -> Any:
        """Ask for a float."""
        return trial.suggest_float(self.name, self.low, self.high, log=self.log, step=self.step)

    def overrides(self, value: Any) -> dict[str, Any]:
        """Set the path."""
        return {self.name: value}

    def base_value(self, cfg: Any) -> Any:
        """Return what stands at the path, or the default of the class that takes it."""
        try:
            found = value_at(cfg, self.name)
        except LookupError:
            raise NotInSpace("the base config states no value") from None
        if not self._fits(found):
            raise NotInSpace(f"the base config holds {found!r}, which is not {self.WANTED}")
        steps = (found - self.low) / (self.step or 1)
        off = self.step is not None and not math.isclose(steps, round(steps), abs_tol=_TOLERANCE)
        if off or not self.low <= found <= self.high:
            told = f" in steps of {self.step!r}" if self.step else ""
            raise NotInSpace(
                f"the base config holds {found!r}, outside {self.low!r} to {self.high!r}{told}"
            )
        return found

    def extremes(self) -> list[Any]:
        """Both bounds, as the type that is drawn."""
        return [self.KINDS[-1](self.low), self.KINDS[-1](self.high)]

    def grid(self) -> list[Any]:
        """Return low, low + step, ..."""
        if self.step is None:
            raise ValueError("a float without a step has no end of values; give it a step")
        # From low each time: added-up steps drift away from what Optuna accepts.
        count = math.floor((self.high - self.low) / self.step + _TOLERANCE) + 1
        return [self.low + index * self.step for index in range(count)]

    def describe(self) -> dict[str, Any]:
        """Return the bounds as stated."""
        bounds = {key: getattr(self, key) for key in ("low", "high", "log", "step")}
        return {"type": self.TYPE, **bounds}


@PARAMETERS.register_module(name=["int", "IntDistribution"])
@dataclass(frozen=True)
class IntParameter(FloatParameter):
    """An integer in [low, high]; the arguments are those of Optuna's ``IntDistribution``."""

    TYPE: ClassVar[str] = "int"
    KINDS: ClassVar[tuple[type, ...]] = (int,)
    WANTED: ClassVar[str] = "an integer"

    def suggest(self, trial: BaseTrial) -> Any:
        """Ask for an integer."""
        step = self.step or 1
        return trial.suggest_int(self.name, self.low, self.high, log=self.log, step=step)

    def grid(self) -> list[Any]:
        """Return low, low + step, ..."""
        return list(range(self.low, self.high + 1, self.step or 1))

    def values_of(self, wanted: Any) -> list[Any]:
        """Return the integer itself where it lies in the range."""
        return [wanted] if self._fits(wanted) and wanted in self.grid() else []


@PARAMETERS.register_module(name=["categorical", "CategoricalDistribution"])
@dataclass(frozen=True)
class CategoricalParameter(Parameter):
    """Plain values, config nodes, or named groups of settings, as on an axis of a grid.

    What Optuna draws from are plain values, which stand for themselves, and the names of the
    others.
    """

    choices: list[Any]

    @property
    def _settings(self) -> dict[Any, AxisValue]:
        """Value in the storage -> what it sets."""
        (axis,) = parse_axes({self.name: self.choices})
        return dict(zip(_values(self.choices, axis.values), axis.values, strict=True))

    @classmethod
    def problems_of(cls, name: str, raw: Mapping[str, Any]) -> Iterable[str]:
        """Check the choices as the values of an axis."""
        if "choices" not in raw:
            yield "choices: missing; state a list of values"
            return
        try:
            (axis,) = parse_axes({name: raw["choices"]})
        except GridError as error:
            yield from (p.removeprefix(f"axis {name!r}").lstrip(":, ") for p in error.problems)
            return
        if len(axis.values) < 2:
            yield f"choices: got only {raw['choices']!r}: nothing varies; put it into overrides"
        if len(set(_values(raw["choices"], axis.values))) < len(axis.values):
            yield f"choices: Python takes some of {raw['choices']!r} for equal; drop one"
        for value in axis.values:
            if value.config is not None:
                yield f"choice {value.name!r}: all trials start from one base; use set={{...}}"
            elif value.name.endswith("…"):
                yield (
                    f"choice {value.name!r} has no short name that stays the same; give it one "
                    "with dict(name=..., set={...})"
                )

    def suggest(self, trial: BaseTrial) -> Any:
        """Ask for a choice."""
        return trial.suggest_categorical(self.name, self.grid())

    def overrides(self, value: Any) -> dict[str, Any]:
        """Return what the choice sets."""
        return copy.deepcopy(dict(self._settings[value].overrides))

    def base_value(self, cfg: Any) -> Any:
        """Return the choice that the config holds already."""
        for value, choice in self._settings.items():
            if _holds(cfg, choice.overrides):
                return value
        listed = ", ".join(map(repr, self.grid()))
        raise NotInSpace(f"what the base config holds is none of the choices {listed}")

    def grid(self) -> list[Any]:
        """All choices."""
        return list(self._settings)

    def values_of(self, wanted: Any) -> list[Any]:
        """Return the choices of this name, this node, or nodes of this class."""
        named = [value for value in self.grid() if _same(value, wanted)]
        return named or [
            value
            for value, choice in self._settings.items()
            if self.name in choice.overrides and _means(choice.overrides[self.name], wanted)
        ]

    def describe(self) -> dict[str, Any]:
        """Return the choices with what they set."""
        sets = [dict(value.overrides) for value in self._settings.values()]
        described = {"type": "categorical", "choices": self.grid()}
        return {**described, "sets": json.loads(json.dumps(sets, default=str))}


def _bounds(low: Any, high: Any, log: Any, step: Any) -> Iterable[str]:
    if low > high:
        yield f"low {low!r} is larger than high {high!r}; swap them"
    elif low == high:
        yield f"low and high are both {low!r}: nothing varies; put it into overrides"
    if log and low <= 0:
        yield f"log needs low > 0, got {low!r}; raise low or drop log"
    if log and step is not None:
        yield "log and step exclude each other; drop one of them"
    if step is not None and low < high and not 0 < step <= high - low:
        yield f"step: got {step!r}, wanted more than 0 and at most high - low = {high - low!r}"


def _values(choices: Iterable[Any], named: Iterable[AxisValue]) -> list[Any]:
    """What the storage holds for each choice."""
    stated = list(choices)
    if all(isinstance(choice, _PLAIN) for choice in stated):
        return stated
    return [value.name for value in named]


def _same(one: Any, other: Any) -> bool:
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)


def _means(node: Any, wanted: Any) -> bool:
    return _same(node, wanted) or (isinstance(node, Mapping) and node.get("type") == wanted)


def _holds(cfg: Any, overrides: Mapping[str, Any]) -> bool:
    """Whether settings leave a config as it is, or state what a class does anyway."""
    changed = copy.deepcopy(cfg)
    # Problems are told where the choice is checked.
    problems = config.override(changed, copy.deepcopy(dict(overrides)))
    if not problems and config.config_hash(changed) == config.config_hash(cfg):
        return True
    with suppress(LookupError):
        return all(_same(value_at(cfg, path), node) for path, node in overrides.items())
    return False
