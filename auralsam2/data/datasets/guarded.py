"""What happens where a clip's files turn out to be corrupt: stop, or skip and say so."""

from __future__ import annotations

import errno
import logging
from collections.abc import Iterable
from typing import Any, NamedTuple

from torch.utils.data import DataLoader, Dataset

from auralsam2.data.datasets.wrapped import WrappedDataset
from auralsam2.data.problems import DataError

ON_CORRUPT = ("stop", "skip")
CORRUPT = (DataError, OSError)
"""What readers raise about files; anything else is a bug and always stops."""
MACHINE = frozenset(
    getattr(errno, name)
    for name in ("EMFILE", "ENFILE", "ENOMEM", "ENOSPC", "EDQUOT", "EROFS", "EAGAIN")
    if hasattr(errno, name)
)
"""What an operating system runs out of: no fault of a clip, which another try would read."""
SHOWN = 3


class CorruptClip(NamedTuple):
    """A clip that could not be read, and why; the reason names the file."""

    clip: str
    reason: str


class Guarded(WrappedDataset):
    """A data set that answers for corrupt files.

    * ``on_corrupt="stop"``: reading such a clip raises, naming clip and file.
    * ``on_corrupt="skip"`` in training: the next clip that can be read takes its place, so that
      epochs keep their length; its item has ``skipped``, the :class:`CorruptClip` passed over,
      which travels with the batch out of worker processes.
    * ``on_corrupt="skip"`` in evaluation: all clips are read once, when the first one is asked
      for, and corrupt ones are left out; ``left_out`` lists them, and a warning names them.
      Scores are those of the others.

    What the machine lacks, such as file handles or space on a disk, always stops.

    Args:
        dataset: of clips.
        on_corrupt: ``stop`` or ``skip``.
        training: whether clips are replaced rather than left out.
        num_workers: processes that read all clips, where that is to be done.
        split_name: for the warning.

    Raises:
        ValueError: on an unknown ``on_corrupt``.
    """

    def __init__(
        self,
        dataset: Any,
        on_corrupt: str = "stop",
        training: bool = False,
        num_workers: int = 0,
        split_name: str = "",
    ) -> None:
        if on_corrupt not in ON_CORRUPT:
            raise ValueError(f"data.on_corrupt got {on_corrupt!r}; known: {', '.join(ON_CORRUPT)}")
        super().__init__(dataset)
        self.on_corrupt, self.training, self.num_workers = on_corrupt, training, num_workers
        self.split_name = split_name
        self._readable: list[int] | None = None
        self._left_out: list[CorruptClip] = []

    @property
    def left_out(self) -> list[CorruptClip]:
        """Clips that are left out, in their order; asking reads all clips once."""
        self._indices()
        return list(self._left_out)

    @property
    def clips(self) -> list[str]:
        """Names of the clips, less those that are left out."""
        names = list(self.dataset.clips)
        return [names[i] for i in self._indices()]

    def __len__(self) -> int:
        return len(self._indices())

    def __getitem__(self, index: int) -> dict[str, Any]:
        """One clip; with ``skipped`` where it stands for others.

        Raises:
            DataError: naming clip and file; when skipping in training, where no clip can be read.
        """
        indices = self._indices()
        start = range(len(indices))[index]
        skip = self.on_corrupt == "skip" and self.training
        skipped: list[CorruptClip] = []
        for step in range(len(indices)):
            item = self._read(indices[(start + step) % len(indices)], skip)
            if not isinstance(item, CorruptClip):
                return {**item, "skipped": tuple(skipped)} if skipped else item
            skipped.append(item)
        raise DataError(f"none of {len(indices)} clips can be read: {_sentence(skipped[0])}")

    def _read(self, index: int, skip: bool) -> dict[str, Any] | CorruptClip:
        try:
            item: dict[str, Any] = self.dataset[index]
        except CORRUPT as error:
            if isinstance(error, OSError) and error.errno in MACHINE:
                raise
            corrupt = CorruptClip(self.dataset.clips[index], str(error))
            if skip:
                return corrupt
            raise DataError(_sentence(corrupt)) from error
        return item

    def _indices(self) -> list[int]:
        """Of the clips that are handed out."""
        if self._readable is None:
            everything = list(range(len(self.dataset)))
            if self.on_corrupt == "skip" and not self.training:
                probes = DataLoader(_Probe(self), batch_size=None, num_workers=self.num_workers)
                self._left_out = [CorruptClip(*found) for found in probes if found is not None]
                lost = {corrupt.clip for corrupt in self._left_out}
                everything = [i for i, clip in enumerate(self.dataset.clips) if clip not in lost]
                if not everything:
                    raise DataError(f"no clip can be read: {_sentence(self._left_out[0])}")
                if self._left_out:
                    note = left_out_note(self.split_name, self._left_out, len(self.dataset))
                    logging.getLogger(__name__).warning("%s", note)
            self._readable = everything
        return self._readable

    def __deepcopy__(self, memo: object) -> Guarded:
        # mmengine copies what it builds a loader from; thousands of paths take a second or more,
        # and kept clips the memory of all of them.
        return self

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.dataset!r}, on_corrupt={self.on_corrupt!r})"


def left_out_note(split: str, left_out: Iterable[CorruptClip], num_clips: int) -> str:
    """Say which clips of a split are left out, and what that makes of its scores.

    ``num_clips`` are those of the split, with the ones that are left out.
    """
    every = list(left_out)
    shown = "; ".join(f"'{corrupt.clip}': {corrupt.reason}" for corrupt in every[:SHOWN])
    more = f"; and {len(every) - SHOWN} more" if len(every) > SHOWN else ""
    return (
        f"{split or 'data'}: {len(every)} of {num_clips} clips cannot be read and are left out, "
        f"scores are means over the other {num_clips - len(every)} ({shown}{more})"
    )


def counted(num_clips: int, left_out: int) -> str:
    """Say how many clips scores are of: ``4 clips``, ``4 of 5 clips``."""
    word = "clip" if num_clips + left_out == 1 else "clips"
    return f"{num_clips} of {num_clips + left_out} {word}" if left_out else f"{num_clips} {word}"


class _Probe(Dataset[Any]):
    """Item i is what is wrong with clip i, or None."""

    def __init__(self, guarded: Guarded) -> None:
        self.guarded = guarded

    def __len__(self) -> int:
        return len(self.guarded.dataset)

    def __getitem__(self, index: int) -> CorruptClip | None:
        found = self.guarded._read(index, skip=True)
        return found if isinstance(found, CorruptClip) else None


def _sentence(corrupt: CorruptClip) -> str:
    return (
        f"clip '{corrupt.clip}': {corrupt.reason}; mend or remove it, or set "
        "data.on_corrupt='skip' to go on without it"
    )
