"""Names of tensors without what training programs wrap around a network."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import TypeVar

LEADING = ("module", "model", "state_dict", "_orig_mod")
"""What a wrapper puts before all names: parallel training, Lightning and others, compilation."""
ANYWHERE = ("module", "_orig_mod")
"""Of these, what may be wrapped around a part of a network."""
T = TypeVar("T")


def without_wrappers(key: str, also: Collection[str] = ()) -> str:
    """A name without the wrappers before it and within, and those in ``also`` before it."""
    parts = without_leading(key, also).split(".")
    return ".".join([*(p for p in parts[:-1] if p not in ANYWHERE), parts[-1]])


def without_leading(key: str, also: Collection[str] = ()) -> str:
    """A name without the wrappers before it, and those in ``also``."""
    parts = key.split(".")
    while len(parts) > 1 and (parts[0] in LEADING or parts[0] in also):
        parts = parts[1:]
    return ".".join(parts)


def unwrapped(
    state: Mapping[str, T], own: Collection[str], also: Collection[str] = ()
) -> dict[str, T]:
    """Tensors under the names of a network, where wrappers alone make the difference.

    Names are taken as they are unless more of them are known without their wrappers.

    Args:
        state: of a file.
        own: names of the network.
        also: further wrappers that may stand before all names.

    Raises:
        ValueError: where two names become one.
    """
    own = set(own)
    forms: list[Callable[[str], str]] = [
        str,
        partial(without_leading, also=also),
        partial(without_wrappers, also=also),
    ]
    # max takes the first of equals: names that need nothing taken off are left alone.
    form = max(forms, key=lambda form: sum(form(key) in own for key in state))
    named: dict[str, T] = {}
    origin: dict[str, str] = {}
    for key, value in state.items():
        name = form(key)
        if name in named:
            raise ValueError(f"'{origin[name]}' and '{key}' are the same name under wrappers")
        named[name], origin[name] = value, key
    return named


def foreign_prefix(keys: Collection[str], own: Collection[str]) -> str:
    """What stands before most names of a file that a network would know without it; "" if nothing.

    Args:
        keys: of a file.
        own: names of the network.
    """
    own = set(own)
    found: Counter[str] = Counter()
    for key in keys:
        parts = key.split(".")
        for start in range(1, len(parts)):
            if ".".join(parts[start:]) in own:
                found[".".join(parts[:start]) + "."] += 1
                break
    (prefix, count), *_ = found.most_common(1) or [("", 0)]
    return prefix if 2 * count >= len(own) else ""
