"""Parameters that are numbers between two bounds."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from ablations.sweeps.parameter import NotInSpace, Parameter, register
from ablations.sweeps.stated_values import value_at

_TOLERANCE = 1e-8


@register("float")
@dataclass(frozen=True)
class FloatParameter(Parameter):
    """A real number in [low, high]."""

    KEYS: ClassVar[tuple[str, ...]] = ("low", "high", "log", "step")
    KINDS: ClassVar[tuple[type, ...]] = (int, float)
    WANTED: ClassVar[str] = "a number"

    low: Any = 0
    high: Any = 1
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

    @classmethod
    def read(
        cls, name: str, raw: Mapping[str, Any], when: Mapping[str, frozenset[Any]]
    ) -> Parameter:
        """Keep what is stated."""
        return cls(name, when, **{key: raw[key] for key in cls.KEYS if key in raw})

    def suggest(self, trial: Any) -> Any:
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
        if not self.low <= found <= self.high or not self._on_step(found):
            steps = f" in steps of {self.step!r}" if self.step else ""
            raise NotInSpace(
                f"the base config holds {found!r}, outside {self.low!r} to {self.high!r}{steps}"
            )
        return found

    def _on_step(self, value: Any) -> bool:
        if self.step is None:
            return True
        steps = (value - self.low) / self.step
        return math.isclose(steps, round(steps), abs_tol=_TOLERANCE)

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

    def values_of(self, wanted: Any) -> list[Any]:
        """No single number of a continuum is ever drawn."""
        return []

    def describe(self) -> dict[str, Any]:
        """Return the bounds."""
        bounds = {key: getattr(self, key) for key in FloatParameter.KEYS}
        return {"type": self.KIND, **bounds}


@register("int")
@dataclass(frozen=True)
class IntParameter(FloatParameter):
    """An integer in [low, high]."""

    KINDS: ClassVar[tuple[type, ...]] = (int,)
    WANTED: ClassVar[str] = "an integer"

    def suggest(self, trial: Any) -> Any:
        """Ask for an integer."""
        step = 1 if self.step is None else self.step
        return trial.suggest_int(self.name, self.low, self.high, log=self.log, step=step)

    def grid(self) -> list[Any]:
        """Return low, low + step, ..."""
        return list(range(self.low, self.high + 1, self.step or 1))

    def values_of(self, wanted: Any) -> list[Any]:
        """Return the integer itself where it lies in the range."""
        return [wanted] if self._fits(wanted) and wanted in self.grid() else []


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
