"""What is registered, in plain data: summaries, arguments and what they need."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any


def describe(registry: Any) -> dict[str, Any]:
    """Return a registry's contract and, by name, its components' summaries and arguments."""
    components = {}
    for name in registry.names():
        component = registry.lookup(name)
        docstring = inspect.getdoc(component) or ""
        components[name] = {
            "summary": " ".join(docstring.partition("\n\n")[0].split()),
            "arguments": arguments(component),
        }
    return {"contract": registry.contract, "components": components}


def arguments(component: Callable[..., Any]) -> list[dict[str, Any]]:
    """Return name, default (None where it has none, else as Python writes it) and need of each.

    ``need`` is ``"optional"``; ``"required"``, to be stated in the config; or ``"given"``, by the
    model or the data section of the config when a component is built.
    """
    from auralsam2.config_schema import INJECTED
    from auralsam2.signature import parameters_of

    found = []
    for name, parameter in parameters_of(component).known.items():
        optional = parameter.default is not parameter.empty
        need = "optional" if optional else "given" if name in INJECTED else "required"
        default = repr(parameter.default) if optional else None
        found.append({"name": name, "need": need, "default": default})
    return found
