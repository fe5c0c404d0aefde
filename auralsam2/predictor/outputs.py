"""What was said of frames, of which only the latest stay on the device."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, MutableMapping
from typing import Any

import torch

from auralsam2.predictor.kept import KeptTensors

Output = dict[str, Any]

TENSORS = ("maskmem_features", "pred_masks", "obj_ptr", "object_score_logits")
"""Of an output of the official predictor; its codes of positions are one copy for all."""


class RecentOutputs(MutableMapping[int, Output]):
    """Outputs by frame, in place of the official dict of those without prompts.

    Memory attention reads the latest ones again and again; older ones, which only a later click
    may ask for, lie where features do.

    Args:
        kept: takes the older ones.
        owner: tells these from the outputs of other objects there.
        recent: how many stay.
        device: of their tensors.
    """

    def __init__(
        self, kept: KeptTensors, owner: Hashable, recent: int, device: torch.device
    ) -> None:
        self._kept, self._owner, self._recent, self._device = kept, owner, recent, device
        self._near: dict[int, Output] = {}  # in the order in which they were set
        self._far: dict[int, Output] = {}  # without their tensors

    def __getitem__(self, frame: int) -> Output:
        if frame in self._near:
            return self._near[frame]
        rest = self._far[frame]
        tensors = self._kept.get(self._key(frame), self._device)
        return rest | dict(zip(TENSORS, tensors, strict=True))

    def __setitem__(self, frame: int, output: Output) -> None:
        self.pop(frame, None)
        self._near[frame] = output
        # What has no memory yet is still to be completed by the official code.
        if len(self._near) > self._recent and output["maskmem_features"] is not None:
            oldest = next(iter(self._near))
            output = self._near.pop(oldest)
            self._kept.put(self._key(oldest), [output[name] for name in TENSORS])
            self._far[oldest] = {k: v for k, v in output.items() if k not in TENSORS}

    def __delitem__(self, frame: int) -> None:
        if frame in self._near:
            del self._near[frame]
        else:
            del self._far[frame]
            self._kept.drop(self._key(frame))

    def __contains__(self, frame: object) -> bool:
        return frame in self._near or frame in self._far

    def __iter__(self) -> Iterator[int]:
        return iter([*self._far, *self._near])

    def __len__(self) -> int:
        return len(self._near) + len(self._far)

    def _key(self, frame: int) -> Hashable:
        return ("output", self._owner, frame)
