"""What a layout hands to the check: clips to read, rows to account for, findings of the index."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from auralsam2.data.checking.files import Colour
from auralsam2.data.checking.findings import Finding
from auralsam2.data.datasets.index import ClipFiles
from auralsam2.data.problems import Fault
from auralsam2.text_files import encode


class LabelRule(NamedTuple):
    """Which colours labels may have.

    Attributes:
        palette: the colours with a meaning, black left out; None where nothing tells them.
        most: colours that one label may have at most beside black.
        classes: colour -> name of its class, where a list tells it.
    """

    palette: frozenset[Colour] | None
    most: int
    classes: Mapping[Colour, str] = {}


class Masks(NamedTuple):
    """Labels of one object, or of all that sounds in a clip.

    Attributes:
        where: what a report calls them.
        files: in order of time.
        named: whether the index names something that they show.
    """

    where: str
    files: tuple[Path, ...]
    named: bool = True


class ClipTask(NamedTuple):
    """Everything of one clip that lies on disk.

    Attributes:
        root: of the data set.
        where: what a report calls the clip.
        frames: in order of time.
        masks: one for each object that has labels of its own.
        sounds: recordings.
        log_mels: pickled log-mel examples.
        rule: for its labels.
        sources: what the index says to sound; none where it does not name classes.
    """

    root: Path
    where: str
    frames: tuple[Path, ...]
    masks: tuple[Masks, ...]
    sounds: tuple[Path, ...]
    log_mels: tuple[Path, ...]
    rule: LabelRule
    sources: frozenset[str] = frozenset()

    def place(self, path: Path) -> str:
        """What a report calls a file."""
        return path.relative_to(self.root).as_posix()


class Row(NamedTuple):
    """A row of an index as the fingerprint of a split sees it.

    Attributes:
        text: what the index says.
        files: of the clip, in the order in which the reader lists them.
        num_frames: how many of the files, at their beginning, are frames.
    """

    text: str
    files: tuple[Path, ...]
    num_frames: int


class Plan(NamedTuple):
    """A data set before any of its media is opened.

    Attributes:
        root: all files lie below it.
        tasks: each clip once, however many rows name it.
        findings: what index and folders show without opening a file.
        rows: split -> rows, such as ``v1m/train``; the names that fingerprints begin with.
        counts: what is counted in each split, such as ``v1m/train`` -> 296.
        unit: what ``counts`` counts.
    """

    root: Path
    tasks: list[ClipTask]
    findings: list[Finding]
    rows: dict[str, list[Row]]
    counts: dict[str, int]
    unit: str = "clips"


def fingerprints(plan: Plan, digests: Mapping[Path, bytes]) -> dict[str, str]:
    """SHA-256 of every split, the same as that of the data set which reads it.

    Files that cannot be read are left out.
    """
    found = {}
    for split, rows in plan.rows.items():
        whole = hashlib.sha256(encode(split))
        for row in rows:
            whole.update(encode(row.text))
            for path in row.files:
                if path in digests:
                    whole.update(encode(path.relative_to(plan.root).as_posix()))
                    whole.update(digests[path])
        found[split] = whole.hexdigest()
    return found


def fault_findings(root: Path, faults: Iterable[Fault]) -> list[Finding]:
    """What readers refuse, as findings."""
    return [Finding(f.kind, f.place.relative_to(root).as_posix(), f.detail) for f in faults]


def length_notes(split: str, clips: Sequence[ClipFiles], published: int) -> list[Finding]:
    """A note where most clips of a split have another number of frames than published."""
    counted = Counter(len(clip.frames) for clip in clips if clip.frames)
    usual = counted.most_common(1)[0][0] if counted else published
    if usual == published:
        return []
    return [Finding("frames_differ", split, f"{usual} frames a clip, in the paper {published}")]


def duplicate_findings(ids: Iterable[tuple[str, str]]) -> list[Finding]:
    """What (id, split) pairs say about ids that occur more than once, one finding an id."""
    splits: dict[str, list[str]] = {}
    for name, split in ids:
        splits.setdefault(name, []).append(split)
    findings = []
    for name, found in splits.items():
        if len(set(found)) > 1:
            listed = ", ".join(sorted(set(found)))
            findings.append(Finding("duplicate_across_splits", name, f"in {listed}"))
        elif len(found) > 1:
            findings.append(Finding("duplicate_row", name, f"{len(found)} rows in {found[0]}"))
    return findings


def split_counts(names: Iterable[str]) -> dict[str, int]:
    """How often each split occurs, sorted by name."""
    return dict(sorted(Counter(names).items()))
