"""Check a config: every key, value, component and argument, all problems at once."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from inspect import Parameter
from typing import Any

from mmengine.config import Config

from auralsam2.builder import ComponentArgumentError, UnknownComponentError
from auralsam2.config_schema import (
    SCHEMA,
    Factors,
    Node,
    Nodes,
    Section,
    Sounds,
    Spec,
    Value,
    is_node,
    plural,
    same_kind,
)
from auralsam2.counterfactuals import kinds
from auralsam2.messages import unknown_name
from auralsam2.registry import (
    CONTRASTIVE_LOSSES,
    INJECTIONS,
    MASK_LOSSES,
    METRICS,
    MODELS,
    REGISTRIES,
    Registry,
)
from auralsam2.signature import NOTHING, annotated_kinds, argument_problems, parameters_of
from auralsam2.weight_files import leaves

BUILT_TO_CHECK = (CONTRASTIVE_LOSSES, INJECTIONS, MASK_LOSSES, METRICS)
"""Components that are made of their arguments alone, at once and without a file: they say
themselves which values they cannot take."""
_NUMBERS = {"int", "float", "bool", "Tensor", NOTHING}


def validate(cfg: Mapping[str, Any]) -> list[str]:
    """Check a whole config against the schema and against every class it names.

    All problems are told at once, each beginning with the dotted path it is at; none where all is
    well.
    """
    plain = cfg.to_dict() if isinstance(cfg, Config) else cfg
    problems = list(_check(plain, SCHEMA, ""))
    told = {problem.partition(":")[0] for problem in problems}
    # Nan and infinity mean nothing wherever they stand.
    return problems + [
        f"{path}: must be a finite number, got {value!r}"
        for path, value in leaves(plain)
        if isinstance(value, float) and not math.isfinite(value) and path not in told
    ]


def _check(value: Any, spec: Spec, path: str) -> Iterator[str]:
    if isinstance(spec, Section):
        yield from _check_section(value, spec, path)
    elif isinstance(spec, Value):
        yield from (f"{path}: {problem}" for problem in _value_problems(value, spec))
    elif isinstance(spec, Node):
        yield from _check_node(value, spec.registry, path)
    elif isinstance(spec, Sounds):
        yield from _check_sounds(value, path)
    elif isinstance(spec, Factors):
        yield from _check_factors(value, path)
    else:
        name = spec.registry.name
        if not isinstance(value, spec.container) or len(value) < spec.least or "type" in value:
            form = "[dict(type=...)]" if spec.container is list else "dict(name=dict(type=...))"
            wanted = f"hold at least one {name}" if spec.least else f"list every {name}"
            yield f"{path}: must {wanted} as {form}, got {value!r}"
            return
        named = value if isinstance(value, dict) else dict(enumerate(value))
        for key, node in named.items():
            yield from _check_node(node, spec.registry, f"{path}.{key}")


def _check_section(value: Any, spec: Section, path: str) -> Iterator[str]:
    if not isinstance(value, Mapping):
        yield f"{path}: must be a dict with the keys {', '.join(spec.keys)}, got {value!r}"
        return
    prefix = f"{path}." if path else ""
    for key in value:
        if key not in spec.keys:
            yield f"{prefix}{key}: {unknown_name('key', str(key), spec.keys)}"
    for key, child in spec.keys.items():
        if key in value:
            yield from _check(value[key], child, f"{prefix}{key}")
        elif key not in spec.may_miss:
            yield f"{prefix}{key}: missing; state {_describe(child)}"


def _check_sounds(value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, (list, tuple)):
        yield f"{path}: must be {_describe(Sounds())}, got {value!r}"
        return
    known = kinds()
    for kind in value:
        if kind not in known:
            yield f"{path}: {unknown_name('kind of sound', str(kind), known)}"


def _check_factors(value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, Mapping):
        yield f"{path}: must be {_describe(Factors())}, got {value!r}"
        return
    for name, factor in value.items():
        number = isinstance(factor, (int, float)) and not isinstance(factor, bool)
        if not number or not 0 < factor < math.inf:
            yield f"{path}.{name}: must be a positive number, got {factor!r}"


def _check_node(value: Any, registry: Registry, path: str) -> Iterator[str]:
    if not isinstance(value, Mapping) or "type" not in value:
        yield f"{path}: must be {_describe(Node(registry))}, got {value!r}"
        return
    try:
        target = registry.lookup(value["type"])
    except (UnknownComponentError, ComponentArgumentError) as error:
        yield f"{path}: {error}"
        return
    arguments = {key: argument for key, argument in value.items() if key != "type"}
    known = parameters_of(target).known
    problems = registry.base_problems(target)
    problems += argument_problems(target, arguments, registry.given)
    stated = known.keys() & arguments.keys()
    wrong = [
        problem
        for key in sorted(stated)
        for problem in _no_number(arguments[key], known[key], path)
    ]
    if registry in BUILT_TO_CHECK and not problems and not wrong:
        problems = _refused(registry, dict(value))
    yield from [f"{path}: {problem}" for problem in problems] + wrong
    for key, argument in arguments.items():
        yield from _check_argument(argument, key, registry, f"{path}.{key}")
    if registry is MODELS:  # a part that may be switched off has None as its default
        for key in [key for key, argument in arguments.items() if argument is None]:
            if key in REGISTRIES and key in known and known[key].default is known[key].empty:
                wanted = _describe(Node(REGISTRIES[key]))
                yield f"{path}.{key}: {target.__name__} needs it, {wanted}, got None"


def _refused(registry: Registry, node: dict[str, Any]) -> list[str]:
    try:
        registry.build(node)
    except (ValueError, TypeError) as error:
        return str(error).splitlines()
    except OSError:  # files are looked for where they are read
        pass
    return []


def _no_number(value: Any, argument: Parameter, path: str) -> Iterator[str]:
    """What is wrong with a value where annotation or default know numbers alone, as ``1e-3x``."""
    kinds = annotated_kinds(argument)
    if kinds and kinds <= _NUMBERS and not isinstance(value, (int, float, type(None))):
        wanted = " or ".join(sorted(kinds - {"Tensor"}))
        yield f"{path}.{argument.name}: must be {wanted}, got {value!r}"


def _check_argument(value: Any, key: str, owner: Registry, path: str) -> Iterator[str]:
    named, several = REGISTRIES.get(key), plural(key)
    if several is not None and value:
        if isinstance(value, (list, tuple)):
            value = list(value)
        yield from _check(value, Nodes(several, list), path)
    elif named is not None and (owner is MODELS or is_node(value)):
        if value is not None:
            yield from _check_node(value, named, path)
    elif is_node(value):
        if same_kind(Node(owner), value) is not None:  # else it is the class's own affair
            yield from _check_node(value, owner, path)
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            if is_node(item):
                yield from _check_argument(item, key, owner, f"{path}.{index}")


def _value_problems(value: Any, spec: Value) -> Iterator[str]:
    if value is None and spec.optional:
        return
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    fits = isinstance(value, spec.kinds) or (float in spec.kinds and is_number)
    if not fits or (isinstance(value, bool) and bool not in spec.kinds):
        yield f"must be {_describe(spec)}, got {value!r}"
    elif spec.minimum is not None and is_number and value < spec.minimum:
        yield f"must be at least {spec.minimum:g}, got {value!r}"
    elif spec.above is not None and is_number and value <= spec.above:
        yield f"must be above {spec.above:g}, got {value!r}"
    elif isinstance(value, dict):
        yield from (
            f"{key} must be a number above 0, got {item!r}"
            for key, item in value.items()
            if not isinstance(item, (int, float)) or isinstance(item, bool) or not item > 0
        )
    elif spec.problem is not None and isinstance(value, str) and spec.problem(value):
        yield spec.problem(value)
    elif spec.choices and value not in spec.choices:
        yield f"must be {' or '.join(map(repr, spec.choices))}, got {value!r}"


def _describe(spec: Spec) -> str:
    if isinstance(spec, Value):
        return " or ".join([kind.__name__ for kind in spec.kinds] + ["None"] * spec.optional)
    if isinstance(spec, Section):
        return f"a dict with the keys {', '.join(spec.keys)}"
    if isinstance(spec, Sounds):
        return f"a list of kinds of sound, e.g. {sorted(kinds())[:2]}"
    if isinstance(spec, Factors):
        return "a dict of positive numbers by part of the model, e.g. dict(audio_encoder=0.1)"
    many = "several of " if isinstance(spec, Nodes) else ""
    return f"{many}dict(type=...) naming a {spec.registry.name}"
