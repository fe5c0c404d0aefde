"""One run on several processes, each with a share of every batch (data-parallel training).

torchrun starts the processes and picks a free port; what is here makes them train the run that one
process would: the same global batch, one writer, one verdict on stopping.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import torch
from mmengine import dist
from mmengine.model import MMDistributedDataParallel, is_model_wrapper
from mmengine.registry import MODEL_WRAPPERS
from torch import nn

from auralsam2.engine.progress import Forwarding, Progress, StopRun
from auralsam2.engine.run_record import RunRecord

# A rank that has died is noticed by the others, at the latest after this.
_TIMEOUT = timedelta(minutes=30)


def join(device: torch.device) -> None:
    """Meet the other processes, where torchrun has started this one as one of several."""
    if int(os.environ.get("WORLD_SIZE", "1")) > 1 and not dist.is_distributed():
        backend = "nccl" if device.type == "cuda" else "gloo"
        torch.distributed.init_process_group(backend, timeout=_TIMEOUT)


def leave() -> bool:
    """Wait for the others and part; whether this process is the one that goes on."""
    main = dist.is_main_process()
    if dist.is_distributed():
        dist.barrier()
        torch.distributed.destroy_process_group()
        # Whoever looks later, for example mmengine's metrics in the test, is alone.
        for name in ("WORLD_SIZE", "RANK", "LOCAL_RANK"):
            os.environ.pop(name, None)
    return main


def wrapping(device: torch.device) -> dict[str, Any]:
    """How mmengine's Runner wraps the model where there are several processes.

    On GPUs batch norms see the whole batch as they do in one process; torch has no such norm for
    the CPU, where each process has the statistics of its share.
    """
    wrapped: dict[str, Any] = {"model_wrapper_cfg": {"type": "SharedBatch"}}
    if device.type == "cuda":
        wrapped["sync_bn"] = "torch"
    return wrapped


def note(record: RunRecord) -> None:
    """Say in a record how many processes train the run."""
    if dist.is_distributed():
        record.notes.append(
            f"trained by {dist.get_world_size()} processes that share every batch; skipped clips "
            "are those of the first one"
        )


def share_of_batch(batch_size: int) -> int:
    """Clips of a global batch that this process takes.

    Raises:
        ValueError: where they cannot be shared out evenly.
    """
    processes = dist.get_world_size()
    if batch_size % processes:
        raise ValueError(
            f"data.batch_size={batch_size} cannot be shared by {processes} processes; take a "
            "multiple of them (and a smaller optim.accumulate for the same step)"
        )
    return batch_size // processes


@MODEL_WRAPPERS.register_module()
class SharedBatch(MMDistributedDataParallel):
    """mmengine's wrapper, also for processes without a GPU.

    Parameters that a step leaves without a gradient are looked for: which ones these are hangs on
    the config.
    """

    def __init__(self, module: nn.Module, device_ids: Sequence[int] | None = None) -> None:
        on_gpu = next(module.parameters()).is_cuda
        super().__init__(
            module,
            device_ids=list(device_ids) if on_gpu and device_ids else None,
            broadcast_buffers=False,
            find_unused_parameters=True,
        )


def unwrapped(model: Any) -> Any:
    """The model itself, where several processes share its batches."""
    return model.module if is_model_wrapper(model) else model


class SharedVerdict(Forwarding):
    """Passes everything on in the main process alone, and ends all processes together.

    Args:
        progress: what it raises in `validated` is raised in every process.
    """

    def __init__(self, progress: Progress | None) -> None:
        super().__init__(progress if progress and dist.is_main_process() else Progress())

    def validated(self, epoch: int, scores: Mapping[str, float]) -> None:
        """Pass on, and raise in every process what is raised in the main one."""
        reason: list[str | None] = [None]
        try:
            super().validated(epoch, scores)
        except StopRun as stopped:
            reason = [stopped.reason]
        dist.broadcast_object_list(reason)
        if reason[0] is not None:
            raise StopRun(reason[0])


def launch(processes: int, module: str, arguments: Sequence[str]) -> int:
    """Run a module of this package in several processes of this machine; the exit status."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += [f"--nproc-per-node={processes}", "--module", module, *arguments]
    return subprocess.run(command, check=False).returncode
