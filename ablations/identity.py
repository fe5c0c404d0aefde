"""Who a run is: the same work by the same code has one name, and other work never has it.

The identity is a hash of the resolved config with its seed but without paths, of the data, of the
weight files that the config names, and of the code. It reads ``0123456789-abcdef``: work, code.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from auralsam2 import config
from auralsam2.engine import run_record
from auralsam2.engine.provenance import code_version
from auralsam2.engine.run_record import RunRecord
from auralsam2.weight_files import BUILTIN, stated_files

_WORK, _CODE = 10, 6
# Runs from before code was part of the identity have no second part.
_FOLDER = re.compile(rf"-s\d+-([0-9a-f]{{{_WORK}}})(?:-([0-9a-f]{{{_CODE}}}))?$")


@dataclass(frozen=True)
class Identity:
    """The name of a run.

    Attributes:
        work: hash of config, seed, data and weights.
        code: hash of the code; empty for runs from before it counted.
    """

    work: str
    code: str

    def __str__(self) -> str:
        """Return it as it stands in records and folder names."""
        return f"{self.work}-{self.code}" if self.code else self.work


def identify(plain: Mapping[str, Any], data: str, config_hash: str | None = None) -> Identity:
    """Return the identity of a run.

    Args:
        plain: its resolved config; what `auralsam2.config.config_hash` leaves out does not count.
        data: fingerprint of its data.
        config_hash: of the config, where it is known already.
    """
    weights = (_content(Path(path)) for _, path in _own_files(plain))
    work = digest(config_hash or config.config_hash(plain), data, *weights)[:_WORK]
    return Identity(work, code_of(plain))


def code_of(plain: Mapping[str, Any]) -> str:
    """Return the hash of the code that a config runs in this process."""
    return _code(tuple(_custom_imports(plain)))


def parse(run_id: str) -> Identity:
    """Read an identity as it stands in records."""
    work, _, code = run_id.partition("-")
    return Identity(work, code)


def digest(*parts: str) -> str:
    """Return one hash of several texts."""
    return hashlib.sha256("".join(parts).encode()).hexdigest()


class RunFolders:
    """Run folders that exist, by identity.

    Args:
        root: folder of the run folders.
        keep_code: take runs made by other code for a run's own.
    """

    def __init__(self, root: Path, keep_code: bool = False) -> None:
        self.root, self.keep_code = root, keep_code
        self._by_work: dict[str, dict[str, Path]] = {}
        # What is done with runs of other code -> (work, version of that code).
        self._others: dict[str, set[tuple[str, str]]] = {
            "kept": set(),
            "done": set(),
            "running": set(),
        }
        for path in sorted(root.iterdir()) if root.is_dir() else ():
            if match := _FOLDER.search(path.name):
                self._by_work.setdefault(match[1], {}).setdefault(match[2] or "", path)

    def find(self, identity: Identity, slug: str) -> tuple[Identity, Path]:
        """Return identity and folder of a run, which may be another code's.

        Args:
            identity: of the run.
            slug: begins the name of a new folder.
        """
        made = self._by_work.get(identity.work, {})
        records = {code: record for code, path in made.items() if (record := _record(path))}
        own = records.get(identity.code)
        if own is None or own.status != "done":
            for status in ("done", "running"):
                for code, record in records.items():
                    if code == identity.code or record.status != status:
                        continue
                    taken = self.keep_code and (status == "done" or own is None)
                    self._others["kept" if taken else status].add(
                        (identity.work, record.code_version)
                    )
                    if taken:
                        return Identity(identity.work, code), made[code]
        return identity, made.get(identity.code, self.root / f"{slug}-{identity}")

    def notes(self) -> list[str]:
        """Say what happens to runs made by other code, of all runs that were looked for."""
        said = {
            "kept": "are taken as they are (--keep-code)",
            "done": "are finished: they stay in their folders and are run anew here; "
            "--keep-code takes them as they are",
            "running": "are unfinished: they begin anew here; --keep-code goes on with them",
        }
        return [
            f"{len(runs)} runs made by other code ({_versions(runs)}; now {code_version()}) {what}"
            for how, what in said.items()
            if (runs := self._others[how]) and not (self.keep_code and how == "running")
        ]


def _record(run_dir: Path) -> RunRecord | None:
    try:
        return run_record.read_without_clips(run_dir)
    except (FileNotFoundError, ValueError):
        return None


def _versions(runs: set[tuple[str, str]]) -> str:
    return ", ".join(sorted({version or "unknown" for _, version in runs}))


def _own_files(plain: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [
        (key, path)
        for key, path in stated_files(plain)
        if not path.startswith(BUILTIN) and Path(path).expanduser().exists()
    ]


def _content(path: Path) -> str:
    """Return a hash of a file, or of all files of a folder."""
    path = path.expanduser()
    if path.is_dir():
        inside = sorted(file for file in path.rglob("*") if file.is_file())
        return digest(*(f"{file.relative_to(path)}\0{_content(file)}" for file in inside))
    stat = path.stat()
    return _file_content(os.fspath(path), stat.st_size, stat.st_mtime_ns)


@cache
def _file_content(path: str, size: int, changed: int) -> str:
    sha, block = hashlib.sha256(), memoryview(bytearray(1 << 20))
    with open(path, "rb", buffering=0) as file:
        while count := file.readinto(block):
            sha.update(block[:count])
    return sha.hexdigest()


def _custom_imports(plain: Mapping[str, Any]) -> list[str]:
    custom = plain.get("custom_imports") or {}
    return [str(name) for name in custom.get("imports", ())]


@cache
def _code(imports: tuple[str, ...]) -> str:
    """Return a hash of this package and of what a config imports besides."""
    files = [Path(name) if name.endswith(".py") else _source(name) for name in imports]
    contents = [file.read_text(encoding="utf-8") for file in files if file and file.is_file()]
    return digest(code_version(), *contents)[:_CODE]


def _source(module: str) -> Path | None:
    try:
        spec = find_spec(module)
    except (ImportError, ValueError):
        return None
    return Path(spec.origin) if spec is not None and spec.origin else None
