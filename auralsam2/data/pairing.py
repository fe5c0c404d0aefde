"""Frames, labels and seconds of sound that belong together, by the numbers in their names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from auralsam2.data.problems import Finding
from auralsam2.listing import files_in
from auralsam2.messages import first_of

FRAME_SUFFIXES = (".jpg", ".jpeg", ".png")
LABEL_SUFFIXES = (".png",)
"""Labels in a lossy format have colours of no meaning along every edge."""
SHOWN = 3


class Numbered(NamedTuple):
    """Pictures of a folder by the number in their names."""

    folder: Path  # where they lie, or should
    # Number -> file, in ascending order; of several with one number the first by name.
    files: dict[int, Path]
    faults: tuple[Finding, ...]  # files without a number, and numbers that several files have
    strangers: tuple[str, ...]  # names of files that are no such pictures


class Pictures(NamedTuple):
    """Frames and labels of a clip in order of time, and what is wrong with them."""

    frames: tuple[Path, ...]
    labels: tuple[Path, ...]
    faults: tuple[Finding, ...]


def number_of(path: Path) -> int | None:
    """The integer after the last underscore of a name, as AVSBench numbers its files."""
    digits = path.stem.split("_")[-1]
    return int(digits) if digits.isdecimal() else None


def numbered(folder: Path, suffixes: tuple[str, ...] = FRAME_SUFFIXES) -> Numbered:
    """List a folder of frames or labels once; files may have the suffixes in capitals."""
    files: dict[int, list[Path]] = {}
    faults, strangers = [], []
    for path in files_in(folder):
        number = number_of(path)
        if path.suffix.lower() not in suffixes:
            strangers.append(path.name)
        elif number is None:
            detail = "its name does not end in a number"
            faults.append(Finding("unnumbered_file", path, detail))
        else:
            files.setdefault(number, []).append(path)
    for number, several in sorted(files.items()):
        if len(several) > 1:
            names = first_of((path.name for path in several), SHOWN)
            faults.append(Finding("repeated_number", folder, f"{names} all have number {number}"))
    ordered = {number: files[number][0] for number in sorted(files)}
    return Numbered(folder, ordered, tuple(faults), tuple(strangers))


def pair(
    frames: Numbered, labels: Numbered | None, first: int = 0, first_only: bool = False
) -> Pictures:
    """Frame and label of the same number belong together, with second number - ``first``.

    Args:
        frames: of a clip, whose numbers are ``first``, ``first`` + 1, ... without a gap.
        labels: of the same clip; None where nothing is shown, so that there are none.
        first: number of the frame that belongs to second 0.
        first_only: whether only the first frame needs a label, and is given one.

    Returns:
        Pairs are right where there are no faults, and only there.
    """
    faults = list(frames.faults)
    if not frames.files:
        faults.append(Finding("missing_frames", frames.folder, _nothing(frames, FRAME_SUFFIXES)))
    if labels is None:
        faults += _order(frames, {}, first, "frame")
        return Pictures(tuple(frames.files.values()), (), tuple(faults))
    faults += labels.faults
    if not labels.files:
        needed = "; its first frame needs one" if first_only else ""
        detail = _nothing(labels, LABEL_SUFFIXES) + needed
        faults.append(Finding("missing_labels", labels.folder, detail))
    faults += _order(frames, labels.files, first, "frame")
    if not first_only:
        faults += _order(labels, frames.files, first, "label")
    if frames.files and labels.files:
        faults += _unpaired(frames, labels, first, first_only)
    kept = list(labels.files.values())
    return Pictures(
        tuple(frames.files.values()), tuple(kept[:1] if first_only else kept), tuple(faults)
    )


def sound_faults(path: Path, way_out: str = "") -> list[Finding]:
    """Whether a clip lacks its sound; ``way_out`` says what else there is."""
    if path.is_file():
        return []
    loud = path.with_name(path.stem + path.suffix.upper())
    way_out = f"; rename '{loud.name}'" if loud.is_file() else way_out
    return [Finding("missing_audio", path, f"there is no such file{way_out}")]


def length_faults(lengths: Mapping[Path, int], published: int) -> list[Finding]:
    """Clips of a split that have another number of frames than most of it; see `usual_length`."""
    usual = usual_length(lengths.values(), published)
    return [
        Finding("frame_count", folder, f"{length} frames; most clips of its split have {usual}")
        for folder, length in lengths.items()
        if length not in (0, usual)
    ]


def usual_length(lengths: Iterable[int], published: int) -> int:
    """The most frequent number of frames, of equally frequent ones ``published``; 0 is none."""
    counted = Counter({published: 0})
    counted.update(length for length in lengths if length)
    return max(counted, key=lambda length: (counted[length], length == published, length))


def _order(own: Numbered, others: Mapping[int, Path], first: int, what: str) -> list[Finding]:
    """Numbers that begin elsewhere, and gaps that the other list does not fill."""
    if not own.files:
        return []
    numbers = list(own.files)
    faults = []
    # Where the other list has the first number, it says which one is missing here.
    shifted = numbers[0] < first or first not in others or len(others) == len(numbers)
    if numbers[0] != first and shifted:
        detail = (
            f"{what}s count from {numbers[0]} where this layout counts from {first}: second "
            f"{numbers[0] - first} of the sound would belong to the first of them"
        )
        faults.append(Finding("numbering_offset", own.folder, detail))
    gaps = [
        number
        for low, high in zip(numbers, numbers[1:], strict=False)
        if high - low > 1
        for number in range(low + 1, min(high, low + 1 + SHOWN))
        if number not in others
    ]
    if gaps:
        detail = (
            f"there is no {what} {first_of(gaps, SHOWN)} between {numbers[0]} and {numbers[-1]}"
        )
        faults.append(Finding("numbering_gap", own.folder, detail))
    return faults


def _unpaired(frames: Numbered, labels: Numbered, first: int, first_only: bool) -> list[Finding]:
    """Labels without a frame, and frames that lack a label which they need."""
    needed = [first] if first_only else list(frames.files)
    faults = [
        Finding("label_without_frame", path, f"there is no frame {number}")
        for number, path in labels.files.items()
        if number not in frames.files
    ]
    for number in needed:
        if number in frames.files and number not in labels.files:
            there = first_of((path.name for path in labels.files.values()), SHOWN)
            detail = f"there is no label {number}; there are {there}"
            faults.append(Finding("frame_without_label", frames.files[number], detail))
    return faults


def _nothing(found: Numbered, suffixes: Iterable[str]) -> str:
    wanted = ", ".join(f"*{suffix}" for suffix in suffixes)
    if not found.folder.is_dir():
        return "there is no such folder"
    if found.faults:
        return f"no file of {wanted} has a number"
    strangers = f"; it has {first_of(found.strangers, SHOWN)}" if found.strangers else ""
    return f"no {wanted} in it{strangers}"
