"""What of a weight file met what of a network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from torch import Tensor

SHOWN = 4


class Coverage(NamedTuple):
    """Which names of a file met which names of a network.

    Attributes:
        matched: same name, same shape; as the network calls them.
        missing: only in the network; these keep what they start with, which is random.
        unexpected: only in the file.
        misshapen: same name, other shape, as ``name: shape in the file, of the network``.
    """

    matched: tuple[str, ...]
    missing: tuple[str, ...] = ()
    unexpected: tuple[str, ...] = ()
    misshapen: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether file and network agree in every name and shape."""
        return not (self.missing or self.unexpected or self.misshapen)

    def __str__(self) -> str:
        lines = [f"{len(self.matched)} matched"]
        for name in self._fields[1:]:
            keys = getattr(self, name)
            shown = ", ".join(keys[:SHOWN]) + (", ..." if len(keys) > SHOWN else "")
            lines.append(f"{len(keys)} {name}" + (f" ({shown})" if keys else ""))
        return "; ".join(lines)

    def to_json(self) -> dict[str, Any]:
        """Counts, and the first few names of what did not match."""
        counts: dict[str, Any] = {name: len(getattr(self, name)) for name in self._fields}
        unmatched = {name: list(getattr(self, name)[:SHOWN]) for name in self._fields[1:]}
        return {**counts, "examples": {name: keys for name, keys in unmatched.items() if keys}}


def compare(state: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> Coverage:
    """Coverage of a network's state by another of the same names."""
    shared = [key for key in own if key in state]
    misshapen = {key for key in shared if own[key].shape != state[key].shape}
    return Coverage(
        matched=tuple(key for key in shared if key not in misshapen),
        missing=tuple(key for key in own if key not in state),
        unexpected=tuple(key for key in state if key not in own),
        misshapen=tuple(
            f"{key}: {tuple(state[key].shape)}, {tuple(own[key].shape)}"
            for key in shared
            if key in misshapen
        ),
    )
