"""What the resolved configs of two runs compute differently, key by key."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from auralsam2.config_identity import counted

ABSENT = "(absent)"


class Difference(NamedTuple):
    """A key whose value differs.

    Attributes:
        key: dotted path.
        base: value in the one config, as Python writes it, or `ABSENT`.
        own: value in the other.
    """

    key: str
    base: str
    own: str


def read_config(run_dir: Path) -> dict[str, str] | None:
    """Return dotted key -> value of a run's resolved config; None where there is none.

    Left out are the seed, which says which repetition it is, and what is no part of a run's
    identity (`auralsam2.config_identity`); of weight files only the name is there.

    Raises:
        ValueError: where ``config.py`` is no config.
    """
    path = run_dir / "config.py"
    if not path.is_file():
        return None
    from auralsam2.config import peek

    found = counted(peek(str(path)))
    return {key: repr(value) for key, value in found.items() if key != "seed"}


def compare_configs(base: Mapping[str, str], own: Mapping[str, str]) -> list[Difference]:
    """Return every key whose value differs, in the order of the first config.

    Where one config has a value and the other a component with keys of its own, as where a part is
    switched off, the component is one value.
    """
    base, own = _folded(base, own), _folded(own, base)
    keys = [*base, *(key for key in own if key not in base)]
    return [
        Difference(key, base.get(key, ABSENT), own.get(key, ABSENT))
        for key in keys
        if base.get(key) != own.get(key)
    ]


def _folded(config: Mapping[str, str], other: Mapping[str, str]) -> dict[str, str]:
    """Write the keys below a key that has a value of its own in the other config as that value."""
    folded: dict[str, str] = {}
    for key, value in config.items():
        parts = key.split(".")
        above = (".".join(parts[:end]) for end in range(1, len(parts)))
        node = next((path for path in above if path in other), None)
        if node is None:
            folded[key] = value
        else:
            text = f"{key[len(node) + 1 :]}={value}"
            folded[node] = f"{folded[node]}, {text}" if node in folded else text
    return folded
