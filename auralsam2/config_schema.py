"""What a config may say: its keys, their types, and the signatures behind its nodes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from mmengine.config import Config

from auralsam2.counterfactuals import kinds
from auralsam2.override_values import NOTHING, TEXT, TEXTS
from auralsam2.registry import (
    DATASETS,
    HOOKS,
    METRICS,
    MODELS,
    OPTIMIZERS,
    REGISTRIES,
    ComponentArgumentError,
    Registry,
    UnknownComponentError,
)
from auralsam2.signature import annotated_kinds, argument_problems, parameters_of
from auralsam2.suggestions import unknown_name
from auralsam2.weight_files import FILE_KEYS

# Arguments that the engine or the model adds at build time: a node need not state them.
INJECTED = frozenset(
    {"root", "image_size", "channels", "embedding_size", "depth", "params", "num_classes"}
)


class Value(NamedTuple):
    """A plain setting.

    Attributes:
        kinds: accepted types; ``float`` takes an int, ``int`` does not take a bool.
        optional: whether None is accepted.
        minimum: lower bound of a number.
        choices: accepted texts, where not every text is.
    """

    kinds: tuple[type, ...]
    optional: bool = False
    minimum: float | None = None
    choices: tuple[str, ...] = ()


class Node(NamedTuple):
    """One component, ``dict(type=...)``, of a registry."""

    registry: Registry


class Nodes(NamedTuple):
    """Several components of a registry, in a list or under free names in a dict."""

    registry: Registry
    container: type[list[Any]] | type[dict[str, Any]]


class Sounds(NamedTuple):
    """A list of kinds of counterfactual sound."""


class Factors(NamedTuple):
    """Positive numbers under free names."""


class Section(NamedTuple):
    """A dict with fixed keys."""

    keys: Mapping[str, Spec]
    may_miss: frozenset[str] = frozenset()


Spec = Value | Node | Nodes | Sounds | Factors | Section

_TEXT = Value((str,))
_COUNT = Value((int,), minimum=1)
_FLAG = Value((bool,))

SCHEMA = Section(
    {
        "seed": Value((int,), minimum=0),
        "model": Node(MODELS),
        "data": Section(
            {
                "root": _TEXT,
                "image_size": _COUNT,
                "batch_size": _COUNT,
                "num_workers": Value((int,), minimum=0),
                "train": Node(DATASETS),
                "val": Node(DATASETS),
                "test": Nodes(DATASETS, dict),
                "on_corrupt": Value((str,), choices=("stop", "skip")),
            },
            may_miss=frozenset({"on_corrupt"}),
        ),
        "optim": Section(
            {
                "optimizer": Node(OPTIMIZERS),
                "epochs": _COUNT,
                "power": Value((float,), minimum=0),
                "amp": Value((str, bool), optional=True),
                "accumulate": _COUNT,
                "clip_grad": Value((float, dict), optional=True, minimum=0),
                "warmup": Value((int,), minimum=0),
                "rate_factors": Factors(),
            },
            may_miss=frozenset({"warmup", "rate_factors"}),
        ),
        "evaluation": Section(
            {
                "metrics": Nodes(METRICS, list),
                "select_by": _TEXT,
                "decode": _TEXT,
                "every": _COUNT,
                "num_saved_clips": Value((int,), minimum=0),
                "counterfactuals": Sounds(),
                "measure_speed": _FLAG,
            },
            may_miss=frozenset({"counterfactuals", "measure_speed"}),
        ),
        "runtime": Section(
            {
                "device": _TEXT,
                "checkpoint_every": _COUNT,
                "log_every": _COUNT,
                "tensorboard": _FLAG,
                "num_threads": Value((int,), optional=True, minimum=1),
                "work_dir": _TEXT,
                "hooks": Nodes(HOOKS, list),
            },
            may_miss=frozenset({"hooks"}),
        ),
        "start": Section(
            {"weights": _TEXT, "checkpoint": _TEXT}, may_miss=frozenset({"weights", "checkpoint"})
        ),
        "custom_imports": Section(
            {"imports": Value((list, tuple)), "allow_failed_imports": _FLAG},
            may_miss=frozenset({"allow_failed_imports"}),
        ),
    },
    may_miss=frozenset({"custom_imports", "start"}),
)


def validate(cfg: Mapping[str, Any]) -> list[str]:
    """Check a whole config against the schema and against every class it names.

    Args:
        cfg: the config, its overrides applied.

    Returns:
        All problems at once, each starting with the dotted path it is at; empty where all is well.
    """
    plain = cfg.to_dict() if isinstance(cfg, Config) else cfg
    return list(_check(plain, SCHEMA, ""))


def child_spec(spec: Spec | None, key: str) -> Spec | None:
    """Return what the schema says about ``key`` below ``spec``; None where it says nothing."""
    if isinstance(spec, Section):
        return spec.keys.get(key)
    if isinstance(spec, Nodes):
        return Node(spec.registry)
    if isinstance(spec, Factors):
        return Value((float,), minimum=0)
    if isinstance(spec, Node) and key in REGISTRIES:
        return Node(REGISTRIES[key])
    if isinstance(spec, Node) and (several := _plural(key)) is not None:
        return Nodes(several, list)
    return None


def same_kind(owner: Spec | None, node: Any) -> Node | None:
    """Return what a node inside a component is where it is one of the component's own registry.

    Args:
        owner: the component's.
        node: found in one of its arguments, as in a fusion that chains fusions.
    """
    if not isinstance(owner, Node) or not _is_node(node) or not isinstance(node["type"], str):
        return None
    return owner if node["type"] in owner.registry.names() else None


def wanted_kinds(spec: Spec | None, node: Any, key: str) -> frozenset[str] | None:
    """Return the kinds of values that may stand under a key, as `Written.read` wants them.

    Args:
        spec: what the schema says about ``node``.
        node: the dict or list found in the config; a component's signature speaks for its keys.
        key: a key of it, there or not.

    Returns:
        Names of kinds; None where neither schema nor signature says anything.
    """
    child = child_spec(spec, key)
    if isinstance(child, Value):
        kinds = {TEXTS if kind in (list, tuple) else kind.__name__ for kind in child.kinds}
        return frozenset(kinds | {NOTHING} if child.optional else kinds)
    if isinstance(child, Sounds):
        return frozenset({TEXTS})
    if child is None and isinstance(spec, Node) and _is_node(node):
        if key == "type":
            return frozenset({TEXT})
        try:
            known = parameters_of(spec.registry.lookup(node["type"])).known
        except (UnknownComponentError, ComponentArgumentError):
            known = {}  # validate() reports the type itself
        if key in known:
            return annotated_kinds(known[key])
    return frozenset({TEXT, NOTHING}) if key in FILE_KEYS else None


def known_keys(spec: Spec | None, value: Any) -> list[str] | None:
    """Return the keys that may stand below ``value``; None where any may.

    Args:
        spec: what the schema says about ``value``.
        value: the dict or list found in the config; a component's keys are the arguments of the
            class that it names.
    """
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [str(index) for index in range(len(value))]
    if isinstance(spec, Section):
        return list(spec.keys)
    if isinstance(spec, (Nodes, Factors)):
        return None
    if isinstance(spec, Node) and "type" in value:
        try:
            parameters = parameters_of(spec.registry.lookup(value["type"]))
        except (UnknownComponentError, ComponentArgumentError):
            return None  # validate() reports the type itself
        return None if parameters.takes_any else ["type", *parameters.known]
    return list(value)


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
        if not isinstance(value, spec.container) or not value or "type" in value:
            form = "[dict(type=...)]" if spec.container is list else "dict(name=dict(type=...))"
            yield f"{path}: must hold at least one {name} as {form}, got {value!r}"
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
    for problem in registry.base_problems(target) + argument_problems(target, arguments, INJECTED):
        yield f"{path}: {problem}"
    for key, argument in arguments.items():
        yield from _check_argument(argument, key, registry, f"{path}.{key}")


def _check_argument(value: Any, key: str, owner: Registry, path: str) -> Iterator[str]:
    named, several = REGISTRIES.get(key), _plural(key)
    if several is not None and value:
        if isinstance(value, (list, tuple)):
            value = list(value)
        yield from _check(value, Nodes(several, list), path)
    elif named is not None and (owner is MODELS or _is_node(value)):
        if value is not None:
            yield from _check_node(value, named, path)
    elif _is_node(value):
        if same_kind(Node(owner), value) is not None:  # else it is the class's own affair
            yield from _check_node(value, owner, path)
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            if _is_node(item):
                yield from _check_argument(item, key, owner, f"{path}.{index}")


def _plural(key: str) -> Registry | None:
    """The registry whose nodes an argument lists, as ``transforms`` lists each a transform."""
    return REGISTRIES.get(key[:-1]) if key.endswith("s") else None


def _is_node(value: Any) -> bool:
    return isinstance(value, Mapping) and "type" in value


def _value_problems(value: Any, spec: Value) -> Iterator[str]:
    if value is None and spec.optional:
        return
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    fits = isinstance(value, spec.kinds) or (float in spec.kinds and is_number)
    if not fits or (isinstance(value, bool) and bool not in spec.kinds):
        yield f"must be {_describe(spec)}, got {value!r}"
    elif spec.minimum is not None and is_number and value < spec.minimum:
        yield f"must be at least {spec.minimum:g}, got {value!r}"
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
