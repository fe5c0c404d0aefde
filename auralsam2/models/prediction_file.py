"""Answers of other people's models, computed beforehand and kept in a JSON file.

    {"classes": ["guitar", "man"], "clips": {"CLIP": [FRAME, FRAME, ...]}}

One entry a frame (a second) of the clip; what stands in it is the reader's own affair.
"""

from __future__ import annotations

import json
import os
from abc import abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from torch import nn

Item = TypeVar("Item")
SHOWN = 5


class UnknownClipError(KeyError):
    """A clip that a file has no predictions of."""


class PredictionFile(NamedTuple):
    """What a file holds."""

    path: Path
    classes: tuple[str, ...]  # in order of their numbers
    clips: dict[str, list[Any]]  # one entry a frame

    def frames(self, clip: str, num_frames: int) -> list[Any]:
        """The entries of one clip.

        Raises:
            UnknownClipError: where the file does not have the clip.
            ValueError: where it has another number of frames.
        """
        if clip not in self.clips:
            raise UnknownClipError(
                f"'{self.path}' has no clip '{clip}'; it has {len(self.clips)} clips, such as "
                f"{sorted(self.clips)[:3]}: compute the missing ones too"
            )
        entries = self.clips[clip]
        if len(entries) != num_frames:
            raise ValueError(
                f"'{self.path}', clip '{clip}': {len(entries)} entries for {num_frames} frames; "
                "there must be one a frame, empty where nothing was found"
            )
        return entries

    def read(self, name: str, read: Callable[[Any], Item]) -> dict[str, list[Item]]:
        """Every entry of every clip, named ``frame`` or ``second``, read and checked.

        Raises:
            ValueError: naming the first few problems, and how many there are; ``read`` raises one
                with a problem a line.
        """
        problems: list[str] = []
        found: dict[str, list[Item]] = {}
        for clip, entries in self.clips.items():
            found[clip] = []
            for t, entry in enumerate(entries):
                try:
                    found[clip].append(read(entry))
                except ValueError as error:
                    problems += [f"clip '{clip}', {name} {t}: {p}" for p in str(error).split("\n")]
        if problems:
            more = f"; and {len(problems) - SHOWN} more" if len(problems) > SHOWN else ""
            raise ValueError(f"'{self.path}': " + "; ".join(problems[:SHOWN]) + more)
        return found


def is_number(value: Any) -> bool:
    """Whether a value of JSON is a number, which True and False are not."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def read_predictions(path: str | os.PathLike[str], num_classes: int) -> PredictionFile:
    """Read a file and check its frame, not yet its entries.

    Raises:
        ValueError: listing everything that is wrong with it.
    """
    file = Path(os.path.expanduser(path))
    try:
        read = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"'{file}' is no JSON: {error}") from error
    problems = _problems(read, num_classes)
    if problems:
        raise ValueError(f"'{file}': " + "; ".join(problems))
    return PredictionFile(file, tuple(read["classes"]), read["clips"])


def _problems(read: Any, num_classes: int) -> list[str]:
    if not isinstance(read, dict):
        return [f"must be an object with the keys classes and clips, got {type(read).__name__}"]
    problems = []
    classes, clips = read.get("classes"), read.get("clips")
    if not isinstance(classes, list) or not all(isinstance(name, str) for name in classes):
        problems.append(f"'classes' must be a list of names, got {classes!r:.80}")
    elif len(set(classes)) != len(classes):
        problems.append("'classes' names a class twice")
    elif len(classes) != num_classes:
        problems.append(
            f"'classes' names {len(classes)}, but model.num_classes is {num_classes}; the two "
            "must agree"
        )
    if not isinstance(clips, dict) or not all(isinstance(v, list) for v in clips.values()):
        problems.append("'clips' must map names of clips to lists, one entry a frame")
    return problems


class FilePart(nn.Module):
    """A part of a model that gives what another model answered beforehand; it learns nothing."""

    config_key: str  # that names the file
    entry_form: str  # what an entry must look like
    entry_name: str  # what an entry is about, ``frame`` or ``second``

    def __init__(self, path: str | os.PathLike[str], num_classes: int) -> None:
        super().__init__()
        if missing := self.problems(path):
            raise FileNotFoundError(missing[0])
        self.file = read_predictions(path, num_classes)
        self.classes = self.file.classes
        numbers = {name: number for number, name in enumerate(self.classes)}
        self.entries = self.file.read(self.entry_name, lambda one: self.read_entry(one, numbers))

    @classmethod
    def problems(cls, path: str | os.PathLike[str] | None = None, **_: object) -> list[str]:
        """What stands in the way of building, found without building."""
        if path is not None and Path(os.path.expanduser(path)).is_file():
            return []
        return [
            f"no predictions at '{path}'; set `{cls.config_key}` to a JSON file of the form "
            '{"classes": [NAME, ...], "clips": {CLIP: [FRAME, ...]}}, where FRAME, one a frame of '
            f"the clip, is {cls.entry_form}"
        ]

    @abstractmethod
    def read_entry(self, entry: Any, numbers: Mapping[str, int]) -> Any:
        """What is kept of an entry, by the classes' numbers.

        Raises:
            ValueError: with a line for each thing that is wrong with it.
        """
