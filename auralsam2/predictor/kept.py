"""Tensors kept by key: up to a budget in memory, the rest in a temporary file."""

from __future__ import annotations

import os
import tempfile
from collections import defaultdict
from collections.abc import Hashable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

MEGABYTE = 2**20


class Layout(NamedTuple):
    """How a tensor lies in the file."""

    shape: tuple[int, ...]
    stride: tuple[int, ...]  # in elements: convolutions round by how a map lies in memory
    dtype: torch.dtype
    length: int  # bytes


class KeptTensors:
    """Tensors of a video: ``budget_mb`` of them in main memory, the rest in a file without a name.

    The file is gone when it is closed, with the last reference to this and with the process.
    """

    def __init__(self, budget_mb: float) -> None:
        self._budget, self.in_memory = int(budget_mb * MEGABYTE), 0
        self._kept: dict[Hashable, tuple[Tensor, ...]] = {}
        self._filed: dict[Hashable, list[tuple[int, Layout]]] = {}  # offset and layout
        self._layouts: dict[Layout, Layout] = {}  # one of each, not one a tensor
        self._free: dict[int, list[int]] = defaultdict(list)  # length -> offsets
        self._file = tempfile.TemporaryFile(prefix="auralsam2-")  # noqa: SIM115  (closed later)
        self.in_file = 0

    def __contains__(self, key: Hashable) -> bool:
        return key in self._kept or key in self._filed

    def put(self, key: Hashable, tensors: Sequence[Tensor]) -> None:
        """Keep tensors under a key, in place of what was there.

        Raises:
            OSError: where the disk is full.
        """
        self.drop(key)
        # Copies, as views would hold all that they look into; dense, but in their order of axes.
        copies = tuple(tensor.detach().to("cpu", copy=True) for tensor in tensors)
        size = sum(copy.nbytes for copy in copies)
        if self.in_memory + size <= self._budget:
            self.in_memory += size
            self._kept[key] = copies
        else:
            self._filed[key] = [self._write(copy) for copy in copies]

    def get(self, key: Hashable, device: torch.device) -> tuple[Tensor, ...]:
        """Tensors under a key, on a device; those in memory are not to be written into."""
        if key in self._kept:
            return tuple(tensor.to(device) for tensor in self._kept[key])
        return tuple(self._read(*place).to(device) for place in self._filed[key])

    def drop(self, key: Hashable) -> None:
        """Forget what is under a key, if anything is."""
        for tensor in self._kept.pop(key, ()):
            self.in_memory -= tensor.nbytes
        for offset, layout in self._filed.pop(key, ()):
            self._free[layout.length].append(offset)

    def close(self) -> None:
        """Forget everything, and give the file back."""
        self._kept.clear()
        self._filed.clear()
        self._free.clear()
        self.in_memory = 0
        self._file.close()

    def _write(self, tensor: Tensor) -> tuple[int, Layout]:
        flat = tensor.as_strided((tensor.numel(),), (1,)).view(torch.uint8).numpy()
        free = self._free[len(flat)]
        offset = free.pop() if free else self.in_file
        self.in_file = max(self.in_file, offset + len(flat))
        data = memoryview(flat)
        done = 0
        try:
            while done < len(data):
                done += os.pwrite(self._file.fileno(), data[done:], offset + done)
        except OSError as error:
            raise self._out_of_room(error) from error
        layout = Layout(tuple(tensor.shape), tensor.stride(), tensor.dtype, len(flat))
        return offset, self._layouts.setdefault(layout, layout)

    def _read(self, offset: int, layout: Layout) -> Tensor:
        flat = torch.empty(layout.length, dtype=torch.uint8)
        data = memoryview(flat.numpy())
        done = 0
        while done < layout.length:
            done += os.preadv(self._file.fileno(), [data[done:]], offset + done)
        return flat.view(layout.dtype).as_strided(layout.shape, layout.stride)

    def _out_of_room(self, error: OSError) -> OSError:
        held = (self.in_memory + self.in_file) / 2**30
        return OSError(
            error.errno,
            f"cannot keep the features of more frames ({held:.1f} GiB by now) in "
            f"'{tempfile.gettempdir()}': {error.strerror}; set TMPDIR to a larger disk, give more "
            "memory_mb, or take fewer frames a second by fps",
        )
