"""The one way from ``runtime.device`` to a device of this machine.

Imports torch only where a machine is asked, so that configs are checked without it.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

AUTO, CPU, CUDA = "auto", "cpu", "cuda"
KNOWN = "auto (a GPU where there is one), cpu, cuda, cuda:0, cuda:1, ..."
_CUDA = re.compile(r"cuda(:\d+)?")


def device_problem(name: str) -> str:
    """Say what is wrong with the name of a device, on any machine; empty where nothing is."""
    if name in (AUTO, CPU) or _CUDA.fullmatch(name):
        return ""
    if name.partition(":")[0] == "mps":
        return (
            f"got {name!r}, which is not supported: on Apple's GPUs torch lacks the float64 that "
            "losses and metrics need; take cpu"
        )
    return f"got {name!r}; known: {KNOWN}"


def wants_gpu(name: str) -> bool:
    """Whether a run on a device goes to a GPU, as far as this machine shows."""
    if name != AUTO:
        return name != CPU
    return num_gpus() > 0


def num_gpus() -> int:
    """Return the number of GPUs that torch sees here."""
    import torch

    return torch.cuda.device_count() if torch.cuda.is_available() else 0


def pick_device(name: str) -> torch.device:
    """Return the device of ``runtime.device``; it becomes the current one where it is a GPU.

    ``auto`` and ``cuda`` are the first GPU, and in a process that torchrun started the one of its
    own number.

    Raises:
        ValueError: where nothing is called so, or this machine has no such GPU.
    """
    import torch

    if problem := device_problem(name):
        raise ValueError(f"runtime.device {problem}")
    if not wants_gpu(name):
        return torch.device(CPU)
    there = num_gpus()
    stated, rank = name.partition(":")[2], os.environ.get("LOCAL_RANK", "0")
    if stated and int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise ValueError(
            f"runtime.device got {name!r}, but several processes need a GPU each: take cuda or auto"
        )
    index = int(stated or rank)
    if index >= there:
        seen = f"sees {there} GPU{'s' * (there != 1)}" if there else "sees no GPU"
        whose = "" if stated or rank == "0" else f", process {rank} needs one of its own"
        raise ValueError(
            f"runtime.device got {name!r}, but torch {seen} here{whose}; take cpu, or look at "
            "nvidia-smi and CUDA_VISIBLE_DEVICES"
        )
    device = torch.device(CUDA, index)
    torch.cuda.set_device(device)
    return device


def set_up_device(runtime: Any) -> torch.device:
    """Return the device of ``runtime.device``; the CPU gets ``runtime.num_threads`` where stated.

    Matrix products have ``runtime.matmul_precision`` from here on, single precision where it says
    nothing.

    Raises:
        ValueError: as `pick_device` does.
    """
    import torch

    device = pick_device(runtime.device)
    if runtime.num_threads:
        torch.set_num_threads(runtime.num_threads)
    torch.set_float32_matmul_precision(runtime.get("matmul_precision", "highest"))
    return device


def check_amp(amp: str | None, device: torch.device) -> None:
    """Refuse a precision that a device does not train in, by a ValueError with what to take."""
    import torch

    if amp is None:
        return
    if device.type != CUDA:
        raise ValueError(
            f"optim.amp={amp!r} needs a GPU, this run is on the {device}: set it to None"
        )
    if amp == "bfloat16" and not torch.cuda.is_bf16_supported():
        raise ValueError(
            f"optim.amp={amp!r} is nothing that {torch.cuda.get_device_name(device)} can do: set "
            "optim.amp=float16 or None"
        )
