"""One clip: every file decoded, and what is wrong with it. Runs in a worker."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeVar

from auralsam2.data.audio import SAMPLE_RATE
from auralsam2.data.checking.crosses import source_findings
from auralsam2.data.checking.files import (
    MAX_COLOURS,
    Colour,
    LabelFacts,
    SoundFacts,
    digest,
    frame_size,
    has_ramp,
    label_facts,
    needed_seconds,
    sound_facts,
)
from auralsam2.data.checking.plan import ClipTask, LabelRule, Masks
from auralsam2.data.datasets.log_mel_pickle import read_log_mel
from auralsam2.data.problems import Finding

SHOWN_COLOURS = 3
T = TypeVar("T")


class ClipFacts(NamedTuple):
    """What a clip was found to be.

    Attributes:
        findings: what is the matter.
        digests: file -> SHA-256 of its content, for every file that could be opened.
        num_frames: T.
        size: (H, W) of most frames; None where none can be decoded.
        seconds: of the sound; None where there is none to decode.
        rate: samples a second; None likewise.
        areas: share of each label that is object.
    """

    findings: list[Finding]
    digests: dict[Path, bytes]
    num_frames: int
    size: tuple[int, int] | None
    seconds: float | None
    rate: int | None
    areas: list[float]


def check_clip(task: ClipTask) -> ClipFacts:
    """Open every file of a clip."""
    findings: list[Finding] = []
    digests: dict[Path, bytes] = {}

    def read(path: Path, reader: Callable[[Path], T], kind: str) -> T | None:
        try:
            facts = reader(path)
            digests[path] = digest(path)
            return facts
        except (OSError, ValueError) as error:
            findings.append(Finding(kind, task.place(path), _reason(error)))
            return None

    sizes = [read(path, frame_size, "unreadable_image") for path in task.frames]
    usual = _usual(sizes)
    findings += _frame_sizes(task, sizes)
    areas = []
    colours: set[Colour] = set()
    for masks in task.masks:
        labels = [read(path, label_facts, "unreadable_image") for path in masks.files]
        colours |= {colour for label in labels if label for colour in label.colours or ()}
        areas += [label.area for label in labels if label]
        findings += _label_findings(task, masks, labels, usual)
    findings += source_findings(task, colours)
    recordings = [read(path, sound_facts, "unreadable_audio") for path in _files(task.sounds)]
    for path, sound in zip(_files(task.sounds), recordings, strict=True):
        if sound:
            findings += _sound_findings(task.place(path), sound, len(task.frames))
    for path in _files(task.log_mels) if task.frames else ():
        read(path, lambda p: read_log_mel(p, len(task.frames)), "unreadable_log_mel")
    if any(areas):
        silent = [p for p, s in zip(_files(task.sounds), recordings, strict=True) if s and s.silent]
        findings += [Finding("silent_audio", task.place(path)) for path in silent]
    sound = next((s for s in recordings if s), None)
    seconds, rate = (sound.seconds, sound.rate) if sound else (None, None)
    return ClipFacts(findings, digests, len(task.frames), usual, seconds, rate, areas)


def _usual(sizes: list[tuple[int, int] | None]) -> tuple[int, int] | None:
    """What most frames have, so that a single odd one is told once and not for every label."""
    known = Counter(size for size in sizes if size)
    return known.most_common(1)[0][0] if known else None


def _frame_sizes(task: ClipTask, sizes: list[tuple[int, int] | None]) -> list[Finding]:
    known = sorted({size for size in sizes if size})
    if len(known) < 2:
        return []
    return [Finding("size_mismatch", task.where, f"frames of {_listed(known)}")]


def _label_findings(
    task: ClipTask,
    masks: Masks,
    labels: list[LabelFacts | None],
    frame: tuple[int, int] | None,
) -> list[Finding]:
    findings = _shape_findings(masks, [label for label in labels if label])
    others = sorted({label.size for label in labels if label and frame and label.size != frame})
    if others and frame:
        detail = f"labels of {_listed(others)}, frames of {_listed([frame])}"
        findings.append(Finding("size_mismatch", masks.where, detail))
    for path, label in zip(masks.files, labels, strict=True):
        problem = _colour_problem(label, task.rule) if label else ""
        if problem:
            findings.append(Finding("unknown_label_value", task.place(path), problem))
    return findings


def _shape_findings(masks: Masks, labels: list[LabelFacts]) -> list[Finding]:
    """What all labels of a clip or an object have in common and should not."""
    shown = [label for label in labels if label.area]
    if labels and not shown and masks.named:
        return [Finding("empty_labels", masks.where, f"{len(labels)} label(s), all of them black")]
    if shown and all(label.framed for label in shown):
        return [Finding("inverted_labels", masks.where, f"{len(shown)} label(s) with an object")]
    return []


def _colour_problem(label: LabelFacts, rule: LabelRule) -> str:
    if label.colours is None:
        return f"more than {MAX_COLOURS} colours: smoothed by resizing or by JPEG?"
    strange = sorted(label.colours - rule.palette) if rule.palette is not None else []
    if strange:
        more = f" and {len(strange) - SHOWN_COLOURS} more" if len(strange) > SHOWN_COLOURS else ""
        return f"RGB {', '.join(map(str, strange[:SHOWN_COLOURS]))}{more} of no class"
    if rule.palette is None and has_ramp(label.colours):
        return "levels that fade from a colour to black: smoothed by resizing or by JPEG?"
    if len(label.colours) > rule.most:
        return (
            f"{len(label.colours)} colours beside black, at most {rule.most} expected: "
            "smoothed by resizing or by JPEG?"
        )
    return ""


def _sound_findings(where: str, sound: SoundFacts, num_frames: int) -> list[Finding]:
    findings = []
    seconds, rate = sound.seconds, sound.rate
    if rate != SAMPLE_RATE:
        findings.append(Finding("sample_rate", where, f"{rate} Hz"))
    if num_frames and seconds < needed_seconds(num_frames):
        detail = f"{seconds:.3f} s for {num_frames} frames, one a second"
        findings.append(Finding("short_audio", where, detail))
    return findings


def _files(paths: tuple[Path, ...]) -> list[Path]:
    return [path for path in paths if path.is_file()]


def _listed(sizes: list[tuple[int, int]]) -> str:
    return ", ".join(f"{height}x{width}" for height, width in sizes)


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__
