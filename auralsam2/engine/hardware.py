"""What a training runs on and how: all that changes a result by rounding alone."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import Any

import torch
from mmengine import dist


def hardware(device: torch.device) -> dict[str, Any]:
    """Return device, threads, processes and, on a GPU, the versions of CUDA and cuDNN."""
    found: dict[str, Any] = {
        "device": device_name(device),
        "num_threads": torch.get_num_threads(),
        "processes": dist.get_world_size(),
    }
    if device.type == "cuda":
        found |= {"cuda": torch.version.cuda, "cudnn": torch.backends.cudnn.version()}
    return found


def device_name(device: torch.device) -> str:
    """Return kind and model, e.g. ``cuda: NVIDIA H100 80GB HBM3``."""
    model = torch.cuda.get_device_name(device) if device.type == "cuda" else _cpu()
    return f"{device.type}: {model}" if model else device.type


def precision(optim_wrapper: Any) -> str | None:
    """Return the type that autocast really used, e.g. ``bfloat16``; None for none."""
    if not hasattr(optim_wrapper, "loss_scaler"):
        return None
    dtype = getattr(optim_wrapper, "cast_dtype", None)
    return str(dtype or torch.float16).removeprefix("torch.")


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
