"""Which code runs, and on what: nothing heavy is imported to find out."""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Any

from auralsam2 import __version__
from auralsam2.listing import files_below

_PACKAGE = Path(__file__).resolve().parents[1]
_DISTRIBUTIONS = ("torch", "torchvision", "numpy", "mmengine", "mmcv-lite", "sam2", "torchvggish")


@lru_cache(maxsize=1)
def code_version() -> str:
    """Return the version and a hash of the sources and embedded weights that run.

    The hash tells edited checkouts apart and needs no git, so a wheel gives the same one.
    """
    digest = hashlib.sha256()
    for path in files_below(_PACKAGE, "*.py", "*.safetensors"):
        digest.update(path.relative_to(_PACKAGE).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return f"{__version__}+{digest.hexdigest()[:10]}"


def environment() -> dict[str, Any]:
    """Return versions, machine and commit, nothing imported for it."""
    versions = {}
    for name in _DISTRIBUTIONS:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "num_cpus": os.cpu_count(),
        "packages": versions,
        "git_commit": _git_commit(),
    }


def _git_commit() -> str | None:
    checkout = _PACKAGE.parent
    if not (checkout / ".git").exists():
        return None
    command = ["git", "-C", str(checkout), "rev-parse", "--verify", "--quiet", "HEAD"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None
