"""What a config computes with at a dotted path, stated there or not."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from auralsam2.builder import ComponentArgumentError, UnknownComponentError
from auralsam2.registry import REGISTRIES
from auralsam2.signature import parameters_of


def value_at(cfg: Any, dotted: str) -> Any:
    """Return what stands at a dotted path, or the default of the class that would take it.

    Raises:
        LookupError: where neither the config nor a class gives a value.
    """
    *parents, last = dotted.split(".")
    node: Any = cfg
    for key in parents:
        node = _child(node, key)
    try:
        return _child(node, last)
    except LookupError:
        return _default(node, parents[-1] if parents else "", last)


def _child(node: Any, key: str) -> Any:
    if isinstance(node, (list, tuple)) and key.isdigit() and int(key) < len(node):
        return node[int(key)]
    if isinstance(node, Mapping) or hasattr(node, "to_dict"):
        return node[key]
    raise LookupError(f"no key {key!r}")


def _default(node: Any, registry: str, argument: str) -> Any:
    if registry in REGISTRIES and isinstance(node, Mapping) and "type" in node:
        try:
            known = parameters_of(REGISTRIES[registry].lookup(node["type"])).known
        except (UnknownComponentError, ComponentArgumentError) as error:
            raise LookupError(str(error)) from error
        if argument in known and known[argument].default is not inspect.Parameter.empty:
            return known[argument].default
    raise LookupError(f"no key {argument!r}")
