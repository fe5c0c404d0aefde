"""What a config may say: its keys, their types, and the signatures behind its nodes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from auralsam2.devices import device_problem
from auralsam2.messages import ProblemsError
from auralsam2.registry import (
    DATASETS,
    HOOKS,
    METRICS,
    MODELS,
    OPTIMIZERS,
    REGISTRIES,
    RUN_TRACKERS,
    ComponentArgumentError,
    Registry,
    UnknownComponentError,
)
from auralsam2.signature import NOTHING, TEXT, TEXTS, annotated_kinds, parameters_of
from auralsam2.weight_files import FILE_KEYS


class ConfigError(ProblemsError):
    """A config that cannot be used."""

    source = "config"


class Value(NamedTuple):
    """A plain setting."""

    kinds: tuple[type, ...]  # accepted types; float takes an int, int does not take a bool
    optional: bool = False  # whether None is accepted
    minimum: float | None = None
    above: float | None = None  # a number must be larger than this
    choices: tuple[str, ...] = ()  # accepted texts, where not every text is
    problem: Callable[[str], str] | None = None  # what is wrong with a text, if anything


class Node(NamedTuple):
    """One component, ``dict(type=...)``, of a registry."""

    registry: Registry


class Nodes(NamedTuple):
    """Components of a registry, in a list or under free names in a dict."""

    registry: Registry
    container: type[list[Any]] | type[dict[str, Any]]
    least: int = 1  # how many there must be


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
                "keep_decoded": Value((str,), optional=True),
            },
            may_miss=frozenset({"on_corrupt", "keep_decoded"}),
        ),
        "optim": Section(
            {
                "optimizer": Node(OPTIMIZERS),
                "epochs": _COUNT,
                "power": Value((float,), minimum=0),
                "amp": Value((str,), optional=True, choices=("float16", "bfloat16")),
                "accumulate": _COUNT,
                "clip_grad": Value((float, dict), optional=True, above=0),
                "warmup": Value((int,), minimum=0),
                "cosine_to": Value((float,), optional=True, minimum=0),
                "rate_factors": Factors(),
            },
            may_miss=frozenset({"warmup", "rate_factors", "cosine_to"}),
        ),
        "evaluation": Section(
            {
                "metrics": Nodes(METRICS, list),
                "select_by": _TEXT,
                "decode": _TEXT,
                "every": _COUNT,
                "num_saved_clips": Value((int,), minimum=0),
                "counterfactuals": Sounds(),
                "clicks": Value((int,), minimum=0),
                "measure_speed": _FLAG,
            },
            may_miss=frozenset({"counterfactuals", "clicks", "measure_speed"}),
        ),
        "runtime": Section(
            {
                "device": Value((str,), problem=device_problem),
                "checkpoint_every": _COUNT,
                "log_every": _COUNT,
                "tensorboard": _FLAG,
                "trackers": Nodes(RUN_TRACKERS, list, least=0),
                "num_threads": Value((int,), optional=True, minimum=1),
                "work_dir": _TEXT,
                "hooks": Nodes(HOOKS, list, least=0),
                "matmul_precision": Value((str,), choices=("highest", "high", "medium")),
                "compile": _FLAG,
                "channels_last": _FLAG,
            },
            may_miss=frozenset(
                {"trackers", "hooks", "matmul_precision", "compile", "channels_last"}
            ),
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
    if isinstance(spec, Node) and (several := plural(key)) is not None:
        return Nodes(several, list)
    return None


def same_kind(owner: Spec | None, node: Any) -> Node | None:
    """Return ``owner`` for a node of its own registry inside it, as in a fusion of fusions."""
    if not isinstance(owner, Node) or not is_node(node) or not isinstance(node["type"], str):
        return None
    return owner if node["type"] in owner.registry.names() else None


def wanted_kinds(spec: Spec | None, node: Any, key: str) -> frozenset[str] | None:
    """Return the kinds of values that may stand under a key, as `Written.read` wants them.

    Args:
        spec: what the schema says about ``node``.
        node: the dict or list found in the config; a component's signature speaks for its keys.
        key: a key of it, there or not.
    """
    child = child_spec(spec, key)
    if isinstance(child, Value):
        kinds = {TEXTS if kind in (list, tuple) else kind.__name__ for kind in child.kinds}
        return frozenset(kinds | {NOTHING} if child.optional else kinds)
    if isinstance(child, Sounds):
        return frozenset({TEXTS})
    if child is None and isinstance(spec, Node) and is_node(node):
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


def plural(key: str) -> Registry | None:
    """The registry whose nodes an argument lists, as ``transforms`` lists each a transform."""
    return REGISTRIES.get(key[:-1]) if key.endswith("s") else None


def is_node(value: Any) -> bool:
    """Whether a value names a component."""
    return isinstance(value, Mapping) and "type" in value
