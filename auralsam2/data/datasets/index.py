"""What the table of a data set names and where the files lie: for readers and checks alike."""

from __future__ import annotations

import hashlib
import os
import re
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from auralsam2.data.datasets.metadata import SPLITS, read_metadata
from auralsam2.data.pairing import length_faults
from auralsam2.data.problems import TOLERATED, DataError, Finding, settle
from auralsam2.text_files import encode

if TYPE_CHECKING:
    import pandas as pd

VIDEO = re.compile(r"(?P<video>.{11})(_\d+){1,2}")
"""Name of a clip: that of a video on YouTube, and where in it the clip begins and ends."""


class ClipFiles(NamedTuple):
    """Files of one clip, frames and labels in order of time."""

    uid: str  # name of the clip
    sources: frozenset[str]  # names of what sounds in it
    frames: tuple[Path, ...]  # one image a second, that of second t at place t
    # One mask a frame, or that of the first frame only, or none where nothing is shown.
    labels: tuple[Path, ...]
    audio: Path  # the recording
    first_only: bool = False  # whether only the first frame is labelled, and supervised
    said: str = ""  # what the index says of it, where that is more than name and sources

    def all(self) -> tuple[Path, ...]:
        """Every file of the clip."""
        return (*self.frames, *self.labels, self.audio)


class Index(ABC):
    """The table of a data set and the files of the clips that it names.

    A reader takes a split and refuses what is wrong with it (:meth:`read`); a check takes all of
    them and reports the same findings, so that what one accepts the other lets pass.

    Attributes:
        columns: that the table must have.
        known: column -> what it may say.
        splits: that configs read.
        uid: column of names.
        unit: what rows are.
        family: what names of parts and splits begin with.
        root: folder below which all files lie.
        path: of the table.
        table: all its rows.
        tidied: cells that are not read as they are written.
        parts: part of the data that each row belongs to, such as ``v1m/train``.
        rows: those of the table that readers know.
        labelled: whether clips have labels; else nobody looks for them.
    """

    columns: tuple[str, ...]
    known: ClassVar[dict[str, tuple[str, ...]]] = {"split": SPLITS}
    splits: ClassVar[tuple[str, ...]] = SPLITS
    uid = "uid"
    unit = "clips"
    family = ""
    labelled = True

    def __init__(self, root: Path, path: Path) -> None:
        self.root, self.path = root, path
        self.table, self.tidied = read_metadata(path, self.columns, self.known)
        self.parts = self.part_of_rows()
        every = [part for split in self.splits for part in self.parts_of(split)]
        self.rows = self.table[self.parts.isin(every)]

    def part_of_rows(self) -> pd.Series[str]:
        """Part of the data that each row belongs to."""
        return self.table["split"]

    def parts_of(self, split: str) -> list[str]:
        """Parts that a split consists of, one after the other."""
        return [split]

    def split_name(self, split: str) -> str:
        """What fingerprints and errors call a split."""
        return f"{self.family}{split}"

    @abstractmethod
    def num_frames(self, part: str) -> int:
        """Frames of a clip, as published."""

    @abstractmethod
    def clip_files(self, row: Mapping[str, str]) -> tuple[ClipFiles, list[Finding]]:
        """Files of the clip of one row, there or not, and what is wrong with them."""

    @abstractmethod
    def name_of(self, clip: ClipFiles) -> str | None:
        """What a report calls a clip; None where no folder of it is there."""

    def name_of_labels(self, clip: ClipFiles) -> str:
        """What a report calls the labels of a clip that has some."""
        return self.name_of(clip) or ""

    @abstractmethod
    def unnamed_folders(self) -> Iterator[Finding]:
        """Folders of clips that no row names."""

    def sounds(self, clip: ClipFiles) -> tuple[Path | None, Path | None]:
        """Where recording and pickled log-mel examples lie, there or not; None: not released."""
        return clip.audio, None

    def ids(self) -> pd.Series[str]:
        """Names of the rows that stand for one thing each."""
        return self.rows[self.uid]

    def videos(self) -> Iterable[tuple[str, str]]:
        """Video and name of the clip or expression of each row."""
        return [(video_of(uid), uid) for uid in self.rows[self.uid]]

    def unread_rows(self) -> Iterator[Finding]:
        """Rows that nothing reads."""
        for row in self.table.to_dict("records"):
            if any(row[column] not in values for column, values in self.known.items()):
                detail = ", ".join(f"{column} {row[column]!r}" for column in self.known)
                yield Finding("unknown_split", row[self.uid], detail)

    def missing_rows(self) -> Iterator[Finding]:
        """What the table has nothing of."""
        if self.rows.empty:
            yield Finding("unusable_index", self.path, "no rows of any known split")

    def row_findings(self, part: str) -> Iterator[Finding]:
        """What is wrong with the rows of a part by themselves."""
        ids = self.ids()
        for name, n in Counter(ids[self.parts[ids.index] == part]).items():
            if n > 1:
                detail = f"{n} rows in {part.rpartition('/')[2]}"
                yield Finding("duplicate_row", name, detail)

    def clips(self, part: str) -> tuple[list[ClipFiles], list[Finding]]:
        """Clips of a part in the order of the table, there or not, and what is wrong with them."""
        clips, findings = [], [*self.row_findings(part)]
        for row in self.table[self.parts == part].to_dict("records"):
            clip, found = self.clip_files(row)
            clips.append(clip)
            findings += found
        lengths = {c.frames[0].parent: len(c.frames) for c in clips if c.frames}
        return clips, findings + length_faults(lengths, self.num_frames(part))

    def read(self, split: str, labelled: bool = True) -> list[ClipFiles]:
        """Clips of a split in the order of the table, with their labels or without.

        Raises:
            DataError: where the split or files of clips are missing, or where numbers do not tell
                which frame, label and second belong together; all are listed.
        """
        self.labelled = labelled
        known = ", ".join(f"{column} {' '.join(of)}" for column, of in self.known.items())
        unread = (finding for finding in self.unread_rows() if finding.kind in TOLERATED)
        settle(unread, f"rows of '{self.path}' that nothing reads (known: {known})")
        parts = self.parts_of(split)
        empty = [f"'{part}'" for part in parts if not (self.parts == part).any()]
        if empty:
            counts = sorted(Counter(self.parts).items())
            known = ", ".join(f"{part}: {n}" for part, n in counts) or "none"
            raise DataError(
                f"'{self.path}' has no {self.unit} of {' and '.join(empty)}; it has {known}"
            )
        clips, findings = [], []
        for part in parts:
            of_part, found = self.clips(part)
            # Scores and files of clips are told apart by these names alone.
            twice = {clip.uid for clip in clips} & {clip.uid for clip in of_part}
            findings += found
            findings += [Finding("duplicate_row", uid, f"also in {part}") for uid in sorted(twice)]
            clips += of_part
        where = f"'{self.root}', {self.split_name(split)}"
        settle(findings, where)
        return clips


def video_of(clip: str) -> str:
    """The video that a clip's name tells; its own name where it tells none."""
    match = VIDEO.fullmatch(clip)
    return match["video"] if match else clip


def fingerprint(
    name: str, root: Path, clips: Iterable[ClipFiles], digest: Callable[[Path], bytes | None]
) -> str:
    """SHA-256 over the names and contents of a split's files and what the index says of them.

    Args:
        name: of the data and the split.
        root: folder below which the files lie.
        clips: in the order of the index.
        digest: file -> SHA-256 of its content; files without one are left out.
    """
    whole, prefix = hashlib.sha256(encode(name)), os.path.join(os.fspath(root), "")
    for clip in clips:
        whole.update(encode(clip.said or f"{clip.uid}:{','.join(sorted(clip.sources))}"))
        for path in clip.all():
            content = digest(path)
            if content is not None:
                # As ``relative_to`` has it, which takes longer than all else together.
                below = os.fspath(path).removeprefix(prefix).replace(os.sep, "/")
                whole.update(encode(below))
                whole.update(content)
    return whole.hexdigest()
