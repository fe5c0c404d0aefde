"""Which code runs, and on what; torch is imported only to ask about a device."""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auralsam2 import __version__
from auralsam2.listing import files_below

if TYPE_CHECKING:
    import torch

_PACKAGE = Path(__file__).resolve().parents[1]
_DISTRIBUTIONS = ("torch", "torchvision", "numpy", "mmengine", "mmcv-lite", "sam2", "torchvggish")


@lru_cache(maxsize=1)
def code_version() -> str:
    """Return the version and a hash of the sources and embedded weights that run.

    The hash tells edited checkouts apart and needs no git, so a wheel gives the same one.
    """
    return f"{__version__}+{sources_hash(_PACKAGE, '*.py', '*.safetensors')}"


def sources_hash(root: Path, *patterns: str) -> str:
    """Return a hash of the files below a folder that match patterns, ten digits."""
    digest = hashlib.sha256()
    for path in files_below(root, *patterns):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:10]


def environment() -> dict[str, Any]:
    """Return versions, machine and commit."""
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


def hardware(device: torch.device) -> dict[str, Any]:
    """Return what changes a training by rounding alone.

    These are ``device`` (kind and model, e.g. ``cuda: NVIDIA H100 80GB HBM3``), ``num_threads``,
    ``processes`` and, on a GPU, the versions of CUDA and cuDNN.
    """
    import torch
    from mmengine import dist

    on_gpu = device.type == "cuda"
    model = torch.cuda.get_device_name(device) if on_gpu else _cpu()
    found: dict[str, Any] = {
        "device": f"{device.type}: {model}" if model else device.type,
        "num_threads": torch.get_num_threads(),
        "processes": dist.get_world_size(),
    }
    if on_gpu:
        found |= {"cuda": torch.version.cuda, "cudnn": torch.backends.cudnn.version()}
    return found


def precision(optim_wrapper: Any) -> str | None:
    """Return the type that autocast really used, e.g. ``bfloat16``; None for none."""
    if not hasattr(optim_wrapper, "loss_scaler"):
        return None
    dtype = getattr(optim_wrapper, "cast_dtype", None)
    return str(dtype or "float16").removeprefix("torch.")


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
