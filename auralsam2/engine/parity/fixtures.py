"""Reading a folder of numbers that the authors' released code computed.

``NAME.safetensors.gz`` holds tensors in types that were chosen for size only, ``NAME.json``
settings and scalar results. Weight files use the authors' state-dict keys.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import torch
from torch import Tensor

from auralsam2.engine.parity.compare import (
    GRADIENT,
    NOT_GIVEN,
    OUTPUT,
    Row,
    compare,
    equal,
    gradient_norms,
    probe_loss,
)

Item = TypeVar("Item")
SUFFIX, FACTS = ".safetensors.gz", ".json"


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

    def has(self, *names: str) -> bool:
        """Whether all of these files of tensors are there."""
        return all(self.path(name).is_file() for name in names)

    def missing(self, *names: str) -> list[str]:
        """Those that are not there."""
        return [name for name in names if not self.has(name)]

    def tensors(self, name: str) -> dict[str, Tensor]:
        """Tensors of a file, floating ones in float32.

        Raises:
            FixtureError: where the file is missing or damaged.
        """
        from safetensors.torch import load

        path = self.path(name)
        try:
            found = load(gzip.decompress(path.read_bytes()))
        except FileNotFoundError as error:
            raise FixtureError(f"no '{path.name}' in '{self.folder}'") from error
        except (OSError, EOFError, zlib.error, ValueError) as error:
            raise FixtureError(f"cannot read '{path}': {error}") from error
        except Exception as error:
            # safetensors raises a class of its own that derives from Exception alone.
            if type(error).__name__ != "SafetensorError":
                raise
            raise FixtureError(f"cannot read '{path}': {error}") from error
        return {k: v.float() if v.is_floating_point() else v for k, v in found.items()}

    def expected(self, name: str) -> Expected:
        """All tensors of a file, as what ours are compared with, to the file's own tolerance.

        Raises:
            FixtureError: where the file is missing or damaged, or its tolerance no number.
        """
        told = self.facts(name) if self.path(name, FACTS).is_file() else {}
        tolerance = told.get("tolerance", OUTPUT)
        if not isinstance(tolerance, int | float):
            raise FixtureError(f"the tolerance of '{name}{FACTS}' is no number: {tolerance!r}")
        return Expected(name, self.tensors(name), tolerance=float(tolerance))

    def facts(self, name: str) -> dict[str, Any]:
        """Content of a JSON file.

        Raises:
            FixtureError: where the file is missing or no JSON object.
        """
        path = self.path(name, FACTS)
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise FixtureError(f"no '{path.name}' in '{self.folder}'") from error
        except (ValueError, UnicodeDecodeError) as error:
            raise FixtureError(f"cannot read '{path}': {error}") from error
        if not isinstance(content, dict):
            raise FixtureError(f"'{path}' holds no JSON object")
        return content


def under(items: Mapping[str, Item], prefix: str) -> dict[str, Item]:
    """Entries whose key begins with ``prefix.``, without it."""
    start = f"{prefix}."
    return {k.removeprefix(start): v for k, v in items.items() if k.startswith(start)}


class Expected(NamedTuple):
    """Expected numbers, all of a fixture or those of a case of it.

    What a fixture does not hold is not compared: only inputs and weights have to be there.
    """

    fixture: str  # name of the file
    numbers: dict[str, Tensor]
    label: str = ""  # what stands before their keys in the file
    tolerance: float = OUTPUT  # absolute, of outputs; the file's own where it tells one

    def under(self, prefix: str) -> Expected:
        """Those whose key begins with ``prefix.``, without it."""
        own, label = under(self.numbers, prefix), f"{self.label}{prefix}."
        return self._replace(numbers=own, label=label)

    @property
    def weights(self) -> dict[str, Tensor]:
        """The authors' state dict, which stands behind ``weights.``."""
        return under(self.numbers, "weights")

    def cases(self) -> Iterator[tuple[str, Expected]]:
        """What stands before the first point of the keys, and the numbers under it."""
        for case in sorted({key.split(".")[0] for key in self.numbers}):
            yield case, self.under(case)

    def row(self, key: str, got: Tensor | float, *tolerances: float) -> Row:
        """Compare one where it is expected at all, see :func:`compare`."""
        return self.told(key, got, self.numbers.get(key), *tolerances)

    def told(self, key: str, got: Tensor | float, expected: Any, *tolerances: float) -> Row:
        """Compare with a number that stands among the facts; None where they do not tell it."""
        if expected is None:
            return NOT_GIVEN
        allowed = tolerances or (self.tolerance,)
        return compare(self.fixture, f"{self.label}{key}", got, expected, *allowed)

    def equal(self, key: str, got: object, expected: object) -> Row:
        """Compare exactly with what stands among the facts; None where they do not tell it."""
        if expected is None:
            return NOT_GIVEN
        return equal(self.fixture, f"{self.label}{key}", got, expected)

    def rows(self, got: Mapping[str, Tensor], *tolerances: float) -> Iterator[Row]:
        """Compare those of ours that are expected at all."""
        return (self.row(key, value, *tolerances) for key, value in got.items())

    def gradients(
        self, loss: Tensor, leaves: Mapping[str, Tensor], *tolerances: float
    ) -> Iterator[Row]:
        """Compare what a loss sends back to the leaves with ``grad.KEY``."""
        loss.backward()
        got = {
            f"grad.{key}": torch.zeros_like(leaf) if leaf.grad is None else leaf.grad
            for key, leaf in leaves.items()
        }
        return self.rows(got, *(tolerances or GRADIENT))

    def norms(
        self, named: Mapping[str, Tensor], expected: Mapping[str, float | None] | None
    ) -> list[Row]:
        """Compare norms of parameter gradients, see :func:`gradient_norms`."""
        return gradient_norms(self.fixture, self.label, named, expected or {})

    def probe(self, outputs: Mapping[str, Tensor], leaves: Mapping[str, Tensor]) -> Iterator[Row]:
        """Compare outputs, the scalar that the fixtures make of them, and its gradients."""
        yield from self.rows(outputs)
        loss = probe_loss(outputs.values())
        yield self.row("probe_loss", loss)
        yield from self.gradients(loss, leaves)
