"""What can be measured of a stretch of a program: seconds, floating-point operations, memory."""

from __future__ import annotations

import math
import re
import resource
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import nullcontext
from functools import cache, partial
from pathlib import Path
from typing import Any

import torch
from torch.utils.flop_counter import (
    FlopCounterMode,
    conv_flop_count,
    sdpa_backward_flop_count,
    sdpa_flop_count,
)

from auralsam2.models.linear import linear

KIB = 1024
_PROCESS = Path("/proc/self")
_FORGET_PEAK = "5"
"""Written to ``clear_refs``, the peak of the resident memory begins anew."""


class Meter(ABC):
    """Measures one stretch after the other."""

    @abstractmethod
    def lap(self) -> float:
        """What has been measured since the last call; the first one's answer means nothing."""

    def join(self, before: float, now: float) -> float:
        """What two stretches of the same part come to."""
        return before + now


class _Difference(Meter):
    """Measures by how much something has grown that only grows."""

    _last = 0.0

    @abstractmethod
    def now(self) -> float:
        """How much there has been since the beginning."""

    def lap(self) -> float:
        """What has come since the last call."""
        before, self._last = self._last, self.now()
        return self._last - before


class Seconds(_Difference):
    """Wall time; a GPU is waited for, so that its kernels count where they were called."""

    def __init__(self, device: torch.device) -> None:
        self.device = device

    def now(self) -> float:
        """Seconds."""
        wait_for(self.device)
        return time.perf_counter()


def wait_for(device: torch.device) -> None:
    """Let a GPU end what it was told to do; its kernels run behind the calls."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


class CoreSeconds(_Difference):
    """Time that the cores spend on this process, all together; other load tells little on it."""

    def now(self) -> float:
        """Seconds."""
        return time.process_time()


class Operations(_Difference):
    """Floating-point operations of a torch counter, two a multiply-add.

    Matrix products, convolutions and attention are counted, forward and backward; what works
    element by element, resizes or normalises is not.
    """

    def __init__(self, counter: FlopCounterMode) -> None:
        self.counter = counter

    def now(self) -> float:
        """Operations."""
        return float(self.counter.get_total_flops())


def operation_counter() -> FlopCounterMode:
    """Torch's counter, which so far leaves out the CPU's fused attention and oneDNN's products.

    It also counts the weights' gradient of a grouped convolution as if it had one group. It counts
    for the whole alone: its own look at modules asks views of parameters for gradients that
    evaluation does not have.
    """
    aten = torch.ops.aten
    own: dict[Any, Callable[..., int]] = {
        aten._scaled_dot_product_flash_attention_for_cpu: _attention,
        aten._scaled_dot_product_flash_attention_for_cpu_backward: _attention_backward,
        aten.convolution_backward: _convolution_backward,
    }
    if hasattr(torch.ops.mkldnn, "_linear_pointwise"):
        own[torch.ops.mkldnn._linear_pointwise] = _linear
    counter = FlopCounterMode(display=False, custom_mapping=own)
    counter.mod_tracker = _OneModule()  # type: ignore[assignment]
    return counter


class _OneModule(nullcontext[None]):
    """Stands in for torch's tracker of modules."""

    parents = frozenset({"Global"})


def _attention(query: Any, key: Any, value: Any, *_: Any, **__: Any) -> int:
    return int(sdpa_flop_count(query, key, value))


def _linear(x: Any, weight: Any, *_: Any, **__: Any) -> int:
    return 2 * math.prod(x) * int(weight[0])


def _convolution_backward(gradient: Any, x: Any, weight: Any, *others: Any, **__: Any) -> int:
    _bias, _stride, _padding, _dilation, transposed, _output_padding, _groups, wanted = others
    return int(conv_flop_count(x, weight, gradient, transposed)) * sum(wanted[:2])


def _attention_backward(gradient: Any, query: Any, key: Any, value: Any, *_: Any, **__: Any) -> int:
    return int(sdpa_backward_flop_count(gradient, query, key, value))


class PeakMemory(Meter):
    """Largest memory in bytes: tensors on a GPU; on the CPU what the process holds, all in all.

    The latter is the resident memory, which the system counts in pages and an allocator gives back
    as it likes. Where the system does not let its peak begin anew (Linux does), a stretch has the
    largest of the process so far.
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device

    @property
    def what(self) -> str:
        """What is counted."""
        if self.device.type == "cuda":
            return "tensors on the GPU"
        return "memory of the process"

    def lap(self) -> float:
        """Bytes."""
        if self.device.type == "cuda":
            peak = torch.cuda.max_memory_allocated(self.device)
            torch.cuda.reset_peak_memory_stats(self.device)
            return peak
        peak = process_peak()
        forget_peak()
        return peak

    def join(self, before: float, now: float) -> float:
        """The larger one."""
        return max(before, now)


def process_peak() -> int:
    """Bytes that this process has held at most since its start or since `forget_peak`."""
    try:
        found = re.search(r"VmHWM:\s*(\d+) kB", (_PROCESS / "status").read_text(encoding="ascii"))
    except OSError:
        found = None
    if found is not None:
        return int(found[1]) * KIB
    unit = 1 if sys.platform == "darwin" else KIB
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def forget_peak() -> bool:
    """Let the peak of this process begin anew; whether the system does that."""
    try:
        with (_PROCESS / "clear_refs").open("wb") as control:
            control.write(_FORGET_PEAK.encode())
    except OSError:
        return False
    return True


def machine(device: torch.device) -> dict[str, Any]:
    """What seconds hang on: the device by its name, torch's threads on the CPU, its version."""
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
    return {"device": name, "num_threads": torch.get_num_threads(), "torch": torch.__version__}


@cache
def peak_operations(device: torch.device, dtype: torch.dtype) -> float:
    """Operations a second of a large matrix product: what a device can be brought to do here.

    The best of as many products as fit in half a second, in the mode in which the process
    multiplies (TF32 among them), of 1024 by 1024 on the CPU and 8192 by 8192 on a GPU. A process
    measures it once.
    """
    side = 8192 if device.type == "cuda" else 1024
    left = torch.ones(side, side, device=device, dtype=dtype)
    product = partial(linear, left, left)  # by the library that the model's layers take
    meter, laps = Seconds(device), []
    product()
    meter.lap()
    while sum(laps) < 0.5:
        product()
        laps.append(meter.lap())
    return 2 * side**3 / min(laps)
