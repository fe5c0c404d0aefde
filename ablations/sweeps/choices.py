"""Parameters that are one of several choices."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from ablations.grids.axes import AxisValue, GridError, parse_axes
from ablations.sweeps.parameter import NotInSpace, Parameter, register
from ablations.sweeps.stated_values import value_at
from auralsam2 import config
from auralsam2.config import ConfigError

_PLAIN = (bool, int, float, str, type(None))


@register("categorical")
@dataclass(frozen=True)
class CategoricalParameter(Parameter):
    """Plain values, config nodes, or named groups of settings.

    Attributes:
        choices: value in the storage -> what it sets. Plain values stand for themselves, nodes
            and groups for their names, as on an axis of a grid.
    """

    KEYS: ClassVar[tuple[str, ...]] = ("choices",)

    choices: Mapping[Any, AxisValue] = field(default_factory=dict)

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

    @classmethod
    def read(
        cls, name: str, raw: Mapping[str, Any], when: Mapping[str, frozenset[Any]]
    ) -> Parameter:
        """Name the choices."""
        (axis,) = parse_axes({name: raw["choices"]})
        values = _values(raw["choices"], axis.values)
        return cls(name, when, dict(zip(values, axis.values, strict=True)))

    def suggest(self, trial: Any) -> Any:
        """Ask for a choice."""
        return trial.suggest_categorical(self.name, list(self.choices))

    def overrides(self, value: Any) -> dict[str, Any]:
        """Return what the choice sets."""
        return copy.deepcopy(dict(self.choices[value].overrides))

    def base_value(self, cfg: Any) -> Any:
        """Return the choice that leaves the config as it is."""
        before = config.config_hash(cfg)
        for value in self.choices:
            if self._applied(cfg, value) == before or self._is_default(cfg, value):
                return value
        listed = ", ".join(map(repr, self.choices))
        raise NotInSpace(f"what the base config holds is none of the choices {listed}")

    def _applied(self, cfg: Any, value: Any) -> str | None:
        changed = copy.deepcopy(cfg)
        try:
            for path, node in self.overrides(value).items():
                config.set_node(changed, path, node)
        except ConfigError:  # reported where the choice itself is checked
            return None
        return config.config_hash(changed)

    def _is_default(self, cfg: Any, value: Any) -> bool:
        """Whether the choice states what a class does anyway."""
        stated = self.choices[value].overrides
        try:
            return all(_same(value_at(cfg, path), node) for path, node in stated.items())
        except LookupError:
            return False

    def extremes(self) -> list[Any]:
        """All choices."""
        return list(self.choices)

    def grid(self) -> list[Any]:
        """All choices."""
        return list(self.choices)

    def values_of(self, wanted: Any) -> list[Any]:
        """Return the choices of this name, this node, or nodes of this class."""
        named = [value for value in self.choices if _same(value, wanted)]
        return named or [
            value
            for value, choice in self.choices.items()
            if self.name in choice.overrides and _means(choice.overrides[self.name], wanted)
        ]

    def describe(self) -> dict[str, Any]:
        """Return the choices with what they set."""
        sets = [dict(value.overrides) for value in self.choices.values()]
        return {
            "type": self.KIND,
            "choices": list(self.choices),
            "sets": json.loads(json.dumps(sets, default=str)),
        }


def _values(choices: Iterable[Any], named: Iterable[AxisValue]) -> list[Any]:
    """What the storage holds for each choice."""
    listed = list(choices)
    if all(isinstance(choice, _PLAIN) for choice in listed):
        return listed
    return [value.name for value in named]


def _same(one: Any, other: Any) -> bool:
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)


def _means(node: Any, wanted: Any) -> bool:
    return _same(node, wanted) or (isinstance(node, Mapping) and node.get("type") == wanted)
