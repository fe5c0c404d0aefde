"""A declared space: which parameters apply together, and what a config becomes under them."""

from __future__ import annotations

import copy
import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from optuna.distributions import BaseDistribution, distribution_to_json
from optuna.trial import BaseTrial

from ablations.sweeps.parameters import PARAMETERS, NotInSpace, Parameter
from auralsam2 import config
from auralsam2.messages import ProblemsError, unknown_name
from auralsam2.signature import parameters_of

Values = dict[str, Any]
"""Name of a parameter -> its value, for those that apply."""


class SweepError(ProblemsError):
    """A sweep that cannot start, or cannot go on."""

    source = "sweep"


@dataclass(frozen=True)
class SearchSpace:
    """The parameters of a sweep, each after those that its condition names."""

    parameters: tuple[Parameter, ...]

    def suggest(self, trial: BaseTrial) -> Values:
        """Return what a trial suggests for the parameters that apply."""
        values: Values = {}
        for parameter in self.parameters:
            if _applies(parameter, values):
                values[parameter.name] = parameter.suggest(trial)
        return values

    def overrides(self, values: Values) -> dict[str, Any]:
        """Return dotted path -> node of some values, in the order in which they apply."""
        stated: dict[str, Any] = {}
        for parameter in self.parameters:
            if parameter.name in values:
                stated |= parameter.overrides(values[parameter.name])
        return stated

    def applied(self, cfg: Any, values: Values) -> tuple[Any, list[str]]:
        """Return a copy of a config under some values, and its problems."""
        changed = copy.deepcopy(cfg)
        problems = config.override(changed, self.overrides(values))
        return changed, problems + config.validate(changed)

    def base_values(self, cfg: Any) -> Values:
        """Return the values that a config stands for.

        Raises:
            SweepError: with every parameter that cannot take what the config holds.
        """
        values: Values = {}
        problems = []
        for parameter in self.parameters:
            if not _applies(parameter, values):
                continue
            try:
                values[parameter.name] = parameter.base_value(cfg)
            except NotInSpace as error:
                problems.append(
                    f"space, {parameter.name}: {error}; widen the space, change the base by "
                    "overrides, or set enqueue_base = False"
                )
        if problems:
            raise SweepError(problems)
        return values

    def check(self, cfg: Any) -> list[str]:
        """Return the problems of what a config becomes: each choice and bound is tried once."""
        found: dict[str, list[str]] = {}
        probes = list(self.probes(cfg))
        for said, values in probes:
            for problem in self.applied(cfg, values)[1]:
                found.setdefault(problem, []).append(said)
        return [
            f"space: {problem}"
            if len(where) == len(probes)
            else f"space, {next((w for w in where if _is_about(problem, w)), where[0])}: {problem}"
            for problem, where in found.items()
        ]

    def describe(self) -> dict[str, Any]:
        """Return name -> parameter as JSON."""
        return {
            parameter.name: parameter.describe()
            | {"when": {k: sorted(v, key=repr) for k, v in parameter.when.items()}}
            for parameter in self.parameters
        }

    def is_conditional(self) -> bool:
        """Return whether some parameter does not always apply."""
        return any(parameter.when for parameter in self.parameters)

    def probes(self, cfg: Any) -> Iterable[tuple[str, Values]]:
        """Yield each extreme of each parameter, the others as the base has them where they can.

        With what is tried, in words, come the values of all parameters that apply then.
        """
        for parameter, value in ((p, v) for p in self.parameters for v in p.extremes()):
            wanted: Values = {}
            self._want(parameter, value, wanted)
            values: Values = {}
            for other in self.parameters:
                if _applies(other, values):
                    values[other.name] = (
                        wanted[other.name] if other.name in wanted else _typical(other, cfg)
                    )
            yield f"{parameter.name} = {value!r}", values

    def _want(self, parameter: Parameter, value: Any, wanted: Values) -> None:
        """Enter a value, and for its parents values under which it applies."""
        wanted[parameter.name] = value
        for other in self.parameters:
            if other.name in parameter.when and other.name not in wanted:
                self._want(other, sorted(parameter.when[other.name], key=repr)[0], wanted)


def parse_space(raw: Mapping[str, Any]) -> SearchSpace:
    """Read the ``space`` of a sweep file.

    It holds name -> ``dict(type=..., when=..., own arguments)``, or a distribution of Optuna.

    Raises:
        SweepError: with all problems at once.
    """
    problems = [] if raw else ["space: is empty; state at least one parameter"]
    known: dict[str, Parameter] = {}
    for name, value in raw.items():
        stated = _node(value)
        found = list(_problems_of(str(name), stated))
        when: dict[str, frozenset[Any]] = {}
        if isinstance(stated, Mapping):
            when = _conditions(str(name), stated.get("when", {}), known, list(raw), found)
        problems += [f"space, {name}: {problem}" for problem in found]
        if not found:
            known[name] = PARAMETERS.build({**stated, "when": when}, name=name)
    problems += [f"space, {problem}" for problem in _undone(list(known.values()))]
    if problems:
        raise SweepError(problems)
    return SearchSpace(tuple(known.values()))


def _node(stated: Any) -> Any:
    """Return a distribution of Optuna as the node that says the same; others as they are."""
    if not isinstance(stated, BaseDistribution):
        return stated
    written = json.loads(distribution_to_json(stated))
    node = {"type": written["name"], **written["attributes"]}
    return {key: value for key, value in node.items() if key != "step" or not node["log"]}


def _problems_of(name: str, raw: Any) -> Iterable[str]:
    kinds = PARAMETERS.names()
    if not isinstance(raw, Mapping) or "type" not in raw:
        yield f"got {raw!r}, wanted dict(type=...) with one of the types {', '.join(kinds)}"
    elif raw["type"] not in kinds:
        yield unknown_name("type", str(raw["type"]), kinds)
    else:
        kind: Any = PARAMETERS.lookup(raw["type"])
        known = {"type", *parameters_of(kind).known} - {"name"}
        yield from (unknown_name("key", str(key), known) for key in raw if key not in known)
        yield from kind.problems_of(name, raw)


def _conditions(
    name: str, raw: Any, earlier: Mapping[str, Parameter], stated: Sequence[str], found: list[str]
) -> dict[str, frozenset[Any]]:
    """Read ``when = {parameter: [values]}``; problems are added to ``found``."""
    if not isinstance(raw, Mapping):
        found.append(f"when: got {raw!r}, wanted a dict of parameter -> [values]")
        return {}
    when: dict[str, frozenset[Any]] = {}
    for other, wanted in raw.items():
        if other not in stated or other == name:
            found.append("when: " + unknown_name("parameter", str(other), set(stated) - {name}))
        elif stated.index(other) > stated.index(name):
            found.append(f"when: {other} stands below; move it above {name}")
        elif other in earlier:  # else it has problems of its own
            listed = list(wanted) if isinstance(wanted, (list, tuple)) else [wanted]
            matches = [earlier[other].values_of(item) for item in listed]
            shown = ", ".join(map(repr, earlier[other].extremes()))
            found += [
                f"when: {other} never is exactly {item!r}; its values: {shown}"
                for item, values in zip(listed, matches, strict=True)
                if not values
            ]
            if not listed:
                found.append(f"when: no value of {other} is listed")
            when[other] = frozenset(itertools.chain.from_iterable(matches))
    return when


def _applies(parameter: Parameter, values: Values) -> bool:
    return all(name in values and values[name] in wanted for name, wanted in parameter.when.items())


def _typical(parameter: Parameter, cfg: Any) -> Any:
    try:
        return parameter.base_value(cfg)
    except NotInSpace:
        return parameter.extremes()[0]


def _is_about(problem: str, probe: str) -> bool:
    """Whether a problem lies at the very path that a probe sets."""
    return problem.partition(":")[0] == probe.partition(" = ")[0]


def _undone(parameters: Sequence[Parameter]) -> Iterable[str]:
    """Yield the settings that a later parameter replaces."""
    earlier: dict[str, str] = {}
    for parameter in parameters:
        stated = [p for value in parameter.extremes() for p in parameter.overrides(value)]
        for path in dict.fromkeys(stated):
            for other, owner in earlier.items():
                if other == path or other.startswith(f"{path}."):
                    yield (
                        f"{parameter.name}: sets {path} and undoes {other} of {owner}; state it "
                        "first, or let only one of them set it"
                    )
        earlier |= dict.fromkeys(stated, parameter.name)
