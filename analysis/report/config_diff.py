"""What the resolved configs of two runs compute differently, key by key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path, PurePath
from typing import Any, NamedTuple

from auralsam2.weight_files import FILE_KEYS

ABSENT = "(absent)"
_ELSEWHERE = frozenset({"runtime", "custom_imports", "seed"})
"""Sections that say where or how a run happens, or which repetition it is."""
_FOLDERS = frozenset({"root"})


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

    Seeds, ``runtime`` and folders are left out, and of weight files only the name counts: nothing
    of this changes what a run computes, and paths are nobody else's business.

    Raises:
        ValueError: where ``config.py`` is no config.
    """
    path = run_dir / "config.py"
    if not path.is_file():
        return None
    from auralsam2.config import peek

    plain = peek(str(path)).to_dict()
    return dict(_flat({key: value for key, value in plain.items() if key not in _ELSEWHERE}))


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


def _flat(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            if key in _FOLDERS:
                continue
            named = PurePath(item).name if key in FILE_KEYS and _is_file(item) else item
            yield from _flat(named, f"{path}.{key}" if path else str(key))
    elif isinstance(value, (list, tuple)) and any(isinstance(item, Mapping) for item in value):
        for index, item in enumerate(value):
            yield from _flat(item, f"{path}.{index}")
    else:
        # Training knows no difference between a list and a tuple, nor do configs.
        yield path, repr(list(value) if isinstance(value, tuple) else value)


def _is_file(value: Any) -> bool:
    return isinstance(value, str) and "://" not in value
