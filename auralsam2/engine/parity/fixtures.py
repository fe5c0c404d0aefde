"""Reading a folder of numbers that the authors' released code computed.

``NAME.safetensors.gz`` holds tensors in types that were chosen for size only, ``NAME.json``
settings and scalar results. Weight files use the authors' state-dict keys.
"""

from __future__ import annotations

import gzip
import json
import zlib
from pathlib import Path
from typing import Any

from torch import Tensor

SUFFIX = ".safetensors.gz"


class FixtureError(ValueError):
    """A fixture cannot be read, or is not of the expected schema."""


class Fixtures:
    """The fixtures of one folder.

    Args:
        folder: where they lie.

    Raises:
        FileNotFoundError: where there is no such folder.
    """

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise FileNotFoundError(f"no folder of parity fixtures at '{folder}'")
        self.folder = folder

    def has(self, *names: str) -> bool:
        """Whether all of these files of tensors are there."""
        return all((self.folder / f"{name}{SUFFIX}").is_file() for name in names)

    def missing(self, *names: str) -> list[str]:
        """Those that are not there."""
        return [name for name in names if not self.has(name)]

    def tensors(self, name: str) -> dict[str, Tensor]:
        """Tensors of a file, floating ones in float32.

        Raises:
            FixtureError: where the file is missing or damaged.
        """
        from safetensors.torch import load

        path = self.folder / f"{name}{SUFFIX}"
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

    def facts(self, name: str) -> dict[str, Any]:
        """Content of a JSON file.

        Raises:
            FixtureError: where the file is missing or no JSON object.
        """
        path = self.folder / f"{name}.json"
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise FixtureError(f"no '{path.name}' in '{self.folder}'") from error
        except (ValueError, UnicodeDecodeError) as error:
            raise FixtureError(f"cannot read '{path}': {error}") from error
        if not isinstance(content, dict):
            raise FixtureError(f"'{path}' holds no JSON object")
        return content


def under(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Entries whose key begins with ``prefix.``, without it."""
    start = f"{prefix}."
    return {k.removeprefix(start): v for k, v in tensors.items() if k.startswith(start)}
