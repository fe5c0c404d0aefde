"""Who a run is: the same work by the same code has one name, and other work never has it.

The identity is a hash of what counts in the resolved config with its seed, of the data, of the
files that the config names, and of the code. It reads ``0123456789-abcdef``: work, code.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from auralsam2 import config
from auralsam2.config_identity import counts
from auralsam2.custom_imports import sources
from auralsam2.engine.provenance import code_version
from auralsam2.kept_digests import cached, content_digests
from auralsam2.listing import files_below
from auralsam2.registry import DATASETS
from auralsam2.weight_files import BUILTIN, leaves, stated_files

WORK, CODE = 10, 6
"""Digits of the two parts."""
LARGE = 2**26
"""Bytes of a file whose digest is kept in the user's cache folder."""


@dataclass(frozen=True)
class Identity:
    """The name of a run."""

    work: str  # hash of config, seed, data and files
    code: str  # hash of the code; empty for runs from before it counted

    def __str__(self) -> str:
        """Return it as it stands in records and folder names."""
        return f"{self.work}-{self.code}" if self.code else self.work


def identify(plain: Mapping[str, Any], data: str, config_hash: str | None = None) -> Identity:
    """Return the identity of a run, of its resolved config and the fingerprint of its data."""
    contents = file_digests(plain).values()
    return Identity(
        digest(config_hash or config.config_hash(plain), data, *contents)[:WORK], code_of(plain)
    )


def code_of(plain: Mapping[str, Any]) -> str:
    """Return the hash of the code that a config runs in this process."""
    custom = plain.get("custom_imports") or {}
    return _code(tuple(str(name) for name in custom.get("imports", ())))


def file_digests(plain: Mapping[str, Any]) -> dict[str, str]:
    """Return dotted key -> hash of the content of every file that a config names.

    Args:
        plain: a resolved config. Weights may be folders. Of all other texts, those that name a
            file, whatever the argument is called. The folders of the data have their fingerprint;
            what a data set reads there besides (its ``companions``) counts here.
    """
    weights = {
        key: Path(os.path.expanduser(path))
        for key, path in stated_files(plain)
        if not path.startswith(BUILTIN)
    }
    others = {
        key: Path(os.path.expanduser(text))  # as it is where there is no such user
        for key, text in leaves(plain)
        if isinstance(text, str) and key not in weights and counts(key)
        if os.sep in text or Path(text).suffix
    }
    found = {key: _content(path) for key, path in weights.items() if path.exists()}
    files = {**others, **_companions(plain.get("data") or {})}
    return found | {key: _content(path) for key, path in files.items() if os.path.isfile(path)}


def parse(run_id: str) -> Identity:
    """Read an identity as it stands in records."""
    work, _, code = run_id.partition("-")
    return Identity(work, code)


def digest(*parts: str) -> str:
    """Return one hash of several texts."""
    return sha256("".join(parts).encode()).hexdigest()


def _companions(data: Mapping[str, Any]) -> dict[str, Path]:
    """Return dotted key -> file beside the clips that a data set's class says it reads."""
    tests = data.get("test") or {}
    splits = {key: data.get(key) for key in ("train", "val")}
    splits |= {f"test.{name}": node for name, node in tests.items()}
    found = {}
    for split, node in splits.items():
        path = f"data.{split}"
        while isinstance(node, Mapping):
            told = getattr(DATASETS.lookup(node["type"]), "companions", None)
            arguments = {"root": data["root"], **node}
            for file in told(**arguments) if told else ():
                found[f"{path}.{file.name}"] = file
            path, node = f"{path}.dataset", node.get("dataset")
    return found


def _content(path: Path) -> str:
    """Return a hash of a file, or of all files of a folder."""
    if path.is_dir():
        inside = files_below(path)
        return digest(*(f"{file.relative_to(path)}\0{_content(file)}" for file in inside))
    stat = path.stat()
    return _file_content(os.fspath(path), stat.st_size, stat.st_mtime_ns)


@cache
def _file_content(path: str, size: int, changed: int) -> str:
    file = Path(path)
    kept = cached(file, "file.digests") if size >= LARGE else []
    return content_digests([file], file.parent, kept)[file].hex()


@cache
def _code(imports: tuple[str, ...]) -> str:
    """Return a hash of this package and of what a config imports besides."""
    own = (f"{file.name}\0{sha256(file.read_bytes()).hexdigest()}" for file in sources(imports))
    return digest(code_version(), *own)[:CODE]
