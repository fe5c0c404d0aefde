"""Count the corrupt clips that training had to pass over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from mmengine.hooks import Hook

from auralsam2.data.datasets.guarded import CorruptClip
from auralsam2.engine.run_record import RunRecord
from auralsam2.registry import HOOKS


@HOOKS.register_module()
class SkippedClipsHook(Hook):
    """Takes what :class:`Guarded` passed over out of every batch before the model sees it.

    Worker processes have no part in the ``tally`` of how often: what they find comes with batches.
    """

    priority = "VERY_HIGH"

    def __init__(self, tally: Counter[CorruptClip]) -> None:
        self.tally = tally

    def before_train_iter(
        self, runner: Any, batch_idx: int, data_batch: dict[str, Any] | None = None
    ) -> None:
        """Count and remove ``skipped``."""
        if data_batch is not None:
            self.tally.update(data_batch.pop("skipped", ()))


def note_skipped(record: RunRecord, split: str, tally: Mapping[CorruptClip, int]) -> None:
    """Enter which corrupt clips of a split were skipped, and how often."""
    if not tally:
        return
    record.skipped[split] = sum(tally.values())
    for corrupt, times in tally.items():
        often = f"{times} times" if times > 1 else "once"
        record.notes.append(
            f"{split}: skipped the corrupt clip '{corrupt.clip}' {often}: {corrupt.reason}"
        )
