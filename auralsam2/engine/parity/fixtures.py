"""Reading a folder of numbers that the authors' released code computed.

``NAME.safetensors.gz`` holds tensors in types that were chosen for size only, ``NAME.json``
settings and scalar results, its facts. Weight files use the authors' state-dict keys.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor

from auralsam2.engine.parity.compare import (
    GRADIENT,
    NOT_GIVEN,
    OUTPUT,
    Row,
    compare,
    equal,
    failure,
    probe_loss,
)

Item = TypeVar("Item")
SUFFIX, FACTS = ".safetensors.gz", ".json"
NUMERICALLY_ZERO = 1e-6


class FixtureError(ValueError):
    """A fixture cannot be read, or is not of the expected schema."""


class Fixtures:
    """The fixtures of one folder.

    Raises:
        FileNotFoundError: where there is no such folder.
    """

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise FileNotFoundError(f"no folder of parity fixtures at '{folder}'")
        self.folder = folder

    def path(self, name: str, suffix: str = SUFFIX) -> Path:
        """Where the tensors of a fixture are, or its facts."""
        return self.folder / f"{name}{suffix}"

    def has(self, name: str) -> bool:
        """Whether its file of tensors is there."""
        return self.path(name).is_file()

    def tensors(self, name: str) -> dict[str, Tensor]:
        """Tensors of a file, floating ones in float32.

        Raises:
            FixtureError: where the file is missing or damaged.
        """
        path = self.path(name)
        raw = self._read(path)
        try:
            found = load(gzip.decompress(raw))
        except (OSError, EOFError, zlib.error, SafetensorError) as error:
            raise FixtureError(f"cannot read '{path}': {error}") from error
        return {k: v.float() if v.is_floating_point() else v for k, v in found.items()}

    def facts(self, name: str) -> dict[str, Any]:
        """Content of a JSON file.

        Raises:
            FixtureError: where the file is missing or no JSON object.
        """
        path = self.path(name, FACTS)
        raw = self._read(path)
        try:
            content = json.loads(raw)
        except ValueError as error:
            raise FixtureError(f"cannot read '{path}': {error}") from error
        if not isinstance(content, dict):
            raise FixtureError(f"'{path}' holds no JSON object")
        return content

    def _read(self, path: Path) -> bytes:
        if not path.is_file():
            raise FixtureError(f"no '{path.name}' in '{self.folder}'")
        return path.read_bytes()

    def expected(self, name: str, tensors: bool = True) -> Expected:
        """All numbers of a fixture, of facts alone where it has no ``tensors``.

        Raises:
            FixtureError: where a file is missing or damaged, or the tolerance no number.
        """
        facts = self.facts(name)
        tolerance = facts.get("tolerance", OUTPUT)
        if not isinstance(tolerance, int | float):
            raise FixtureError(f"the tolerance of '{name}{FACTS}' is no number: {tolerance!r}")
        numbers = self.tensors(name) if tensors else {}
        return Expected(numbers, facts, tolerance=float(tolerance))


def under(items: Mapping[str, Item], prefix: str) -> dict[str, Item]:
    """Entries whose key begins with ``prefix.``, without it."""
    start = f"{prefix}."
    return {k.removeprefix(start): v for k, v in items.items() if k.startswith(start)}


class Expected(NamedTuple):
    """Expected numbers, all of a fixture or those of a case of it.

    What a fixture does not hold is not compared: only inputs and weights have to be there.
    """

    numbers: dict[str, Tensor]
    facts: dict[str, Any]
    label: str = ""  # what stands before their keys in the file
    tolerance: float = OUTPUT  # absolute, of outputs; the file's own where it tells one
    gradient: tuple[float, float] = GRADIENT  # absolute or relative, of gradients

    def under(self, prefix: str) -> Expected:
        """Those of a case: behind ``prefix.``, and in a dict of the facts that is called so."""
        return self._replace(
            numbers=under(self.numbers, prefix),
            facts={**dict(self.facts.get(prefix) or {}), **under(self.facts, prefix)},
            label=f"{self.label}{prefix}.",
        )

    @property
    def weights(self) -> dict[str, Tensor]:
        """The authors' state dict, which stands behind ``weights.``."""
        return under(self.numbers, "weights")

    def cases(self) -> Iterator[Expected]:
        """The numbers under each of what stands before the first point of the keys."""
        for case in sorted({key.split(".")[0] for key in self.numbers}):
            yield self.under(case)

    def row(self, key: str, got: Tensor | float, *tolerances: float) -> Row:
        """Compare with a tensor where it is expected at all, see :func:`compare`."""
        return self._compare(key, got, self.numbers.get(key), tolerances)

    def told(self, key: str, got: Tensor | float, *tolerances: float) -> Row:
        """Compare with a number that stands among the facts, where they tell it."""
        return self._compare(key, got, self.facts.get(key), tolerances)

    def _compare(self, key: str, got: Tensor | float, expected: Any, tolerances: Any) -> Row:
        if expected is None:
            return NOT_GIVEN
        return compare(f"{self.label}{key}", got, expected, *(tolerances or (self.tolerance,)))

    def equal(self, key: str, got: object) -> Row:
        """Compare exactly with what stands among the facts, where they tell it."""
        if key not in self.facts:
            return NOT_GIVEN
        return equal(f"{self.label}{key}", got, self.facts[key])

    def rows(self, got: Mapping[str, Tensor], *tolerances: float) -> Iterator[Row]:
        """Compare with tensors those of ours that are expected at all."""
        return (self.row(key, value, *tolerances) for key, value in got.items())

    def all_told(self, got: Mapping[str, Tensor | float], *tolerances: float) -> Iterator[Row]:
        """Compare with facts those of ours that they tell."""
        return (self.told(key, value, *tolerances) for key, value in got.items())

    def gradients(self, loss: Tensor, leaves: Mapping[str, Tensor]) -> Iterator[Row]:
        """Compare what a loss sends back to the leaves with ``grad.KEY``."""
        loss.backward()
        got = {
            f"grad.{key}": torch.zeros_like(leaf) if leaf.grad is None else leaf.grad
            for key, leaf in leaves.items()
        }
        return self.rows(got, *self.gradient)

    def norms(self, named: Mapping[str, Tensor]) -> Iterator[Row]:
        """Compare norms of gradients with ``param_grad_l2``, where the facts tell them.

        ``named`` are parameters with their gradients under the authors' keys; a norm of ``None``
        stands for a parameter that is never used.
        """
        for key, norm in (self.facts.get("param_grad_l2") or {}).items():
            label = f"{self.label}param_grad_l2.{key}"
            if key not in named:
                yield failure(label, "no such parameter")
                continue
            gradient = named[key].grad
            got = 0.0 if gradient is None else float(gradient.norm())
            if norm is None:
                yield equal(label, got == 0, True)
            elif norm > NUMERICALLY_ZERO:
                yield compare(label, got, norm, *GRADIENT)

    def probe(self, outputs: Mapping[str, Tensor], leaves: Mapping[str, Tensor]) -> Iterator[Row]:
        """Compare outputs, the scalar that the fixtures make of them, and its gradients."""
        yield from self.rows(outputs)
        loss = probe_loss(outputs.values())
        yield self.row("probe_loss", loss)
        yield from self.gradients(loss, leaves)
