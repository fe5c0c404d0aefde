"""One clip: every file decoded, and what is wrong with it. Runs in a worker."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple, TypeVar, cast

import numpy as np

from auralsam2.data.audio import CHANNELS, EXAMPLE_ROWS, ROWS_PER_SECOND, SAMPLE_RATE, read_waveform
from auralsam2.data.checking.plan import ClipTask, Colour, LabelRule, Masks, joined
from auralsam2.data.datasets.log_mel_pickle import read_log_mel
from auralsam2.data.images import read_image
from auralsam2.data.labels import read_colours
from auralsam2.data.problems import Finding
from auralsam2.messages import first_of

WINDOW_SECONDS, ROUNDING = 0.025, 0.001
MAX_COLOURS = 256
"""A picture with more colours than this is no label, whatever its classes are."""

FRAMED = 0.75
"""Share of the border that few objects cover, and nearly every background does."""
RAMP = 4
"""Darker and lighter forms of one colour that a label may have."""
SHOWN_COLOURS = 3
T = TypeVar("T")


class LabelFacts(NamedTuple):
    """What a label picture shows."""

    size: tuple[int, int]  # (H, W)
    area: float  # share of the pixels that are not black
    # RGB of each colour but black; None where there are more than ``MAX_COLOURS``.
    colours: frozenset[Colour] | None
    framed: bool  # whether what is not black covers most of the border and half of the picture


class SoundFacts(NamedTuple):
    """Length and rate of a recording, and whether it is zero throughout."""

    seconds: float
    rate: int
    silent: bool


class ClipFacts(NamedTuple):
    """What a clip was found to be."""

    findings: list[Finding]  # what is the matter
    digests: dict[Path, bytes]  # SHA-256 of the content of every file that could be opened
    num_frames: int  # T
    size: tuple[int, int] | None  # (H, W) of most frames, where any can be decoded
    sound: SoundFacts | None  # where any can be decoded
    areas: list[float]  # share of each label that is object


def check_clip(task: ClipTask) -> ClipFacts:
    """Open every file of a clip."""
    findings: list[Finding] = []
    digests: dict[Path, bytes] = {}

    def read(path: Path, reader: Callable[[Path], T], kind: str) -> T | None:
        try:
            facts = reader(path)
            digests[path] = hashlib.sha256(path.read_bytes()).digest()
            return facts
        except (OSError, ValueError) as error:
            reason = " ".join(str(error).split())[:300] or type(error).__name__
            findings.append(Finding(kind, path, reason))
            return None

    frames = [read(path, frame_size, "unreadable_image") for path in task.frames]
    sizes = Counter(size for size in frames if size)
    # A single odd one is told once and not for every label.
    usual = sizes.most_common(1)[0][0] if sizes else None
    if len(sizes) > 1:
        findings.append(Finding("size_mismatch", task.where, f"frames of {_listed(sizes)}"))
    areas: list[float] = []
    colours: set[Colour] = set()
    for masks in task.masks:
        labels = {path: read(path, label_facts, "unreadable_image") for path in masks.files}
        known = {path: label for path, label in labels.items() if label}
        colours |= {colour for label in known.values() for colour in label.colours or ()}
        areas += [label.area for label in known.values()]
        findings += _label_findings(task, masks, known, usual)
    findings += _source_findings(task, colours)
    sound = None
    if task.sound and task.sound.is_file():
        sound = read(task.sound, sound_facts, "unreadable_audio")
        if sound:
            findings += _sound_findings(task.sound, sound, len(task.frames), any(areas))
    if task.log_mel and task.log_mel.is_file() and task.frames:
        read(task.log_mel, lambda p: read_log_mel(p, len(task.frames)), "unreadable_log_mel")
    return ClipFacts(findings, digests, len(task.frames), usual, sound, areas)


def _label_findings(
    task: ClipTask, masks: Masks, labels: dict[Path, LabelFacts], frame: tuple[int, int] | None
) -> list[Finding]:
    findings = _shape_findings(masks, list(labels.values()))
    others = {label.size for label in labels.values()} - {frame}
    if others and frame:
        detail = f"labels of {_listed(others)}, frames of {_listed([frame])}"
        findings.append(Finding("size_mismatch", masks.where, detail))
    problems = {path: _colour_problem(label, task.rule) for path, label in labels.items()}
    return findings + [
        Finding("unknown_label_value", path, told) for path, told in problems.items() if told
    ]


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
    strange = [] if rule.classes is None else sorted(label.colours - rule.classes.keys())
    if strange:
        return f"RGB {first_of(strange, SHOWN_COLOURS)} of no class"
    if rule.classes is None and has_ramp(label.colours):
        return "levels that fade from a colour to black: smoothed by resizing or by JPEG?"
    if len(label.colours) > rule.most:
        return (
            f"{len(label.colours)} colours beside black, at most {rule.most} expected: "
            "smoothed by resizing or by JPEG?"
        )
    return ""


def _source_findings(task: ClipTask, colours: Iterable[Colour]) -> list[Finding]:
    """Classes that a clip's labels show beside those that its index row names.

    Where the class list lacks a name of the row nothing is compared.
    """
    classes = task.rule.classes or {}
    shown = {classes[colour] for colour in colours if colour in classes}
    strange = shown - task.sources
    if not strange or not task.sources or not task.sources <= set(classes.values()):
        return []
    kind = "unnamed_sources" if shown & task.sources else "other_sources"
    told = f"labels show {joined(strange)}, the index names {joined(task.sources)}"
    return [Finding(kind, task.where, told)]


def _sound_findings(
    path: Path, sound: SoundFacts, num_frames: int, shows_objects: bool
) -> Iterator[Finding]:
    if sound.rate != SAMPLE_RATE:
        yield Finding("sample_rate", path, f"{sound.rate} Hz")
    if num_frames and sound.seconds < needed_seconds(num_frames):
        detail = f"{sound.seconds:.3f} s for {num_frames} frames, one a second"
        yield Finding("short_audio", path, detail)
    if sound.silent and shows_objects:
        yield Finding("silent_audio", path)


def _listed(sizes: Iterable[tuple[int, int]]) -> str:
    return ", ".join(f"{height}x{width}" for height, width in sorted(sizes))


def frame_size(path: Path) -> tuple[int, int]:
    """(H, W) of a frame that was decoded in whole."""
    height, width = read_image(path).shape[:2]
    return height, width


def label_facts(path: Path) -> LabelFacts:
    """Decode a label as the readers do, and take stock of its colours."""
    from PIL import Image

    picture = read_colours(path)
    size = picture.shape[0], picture.shape[1]
    # Counts in C; np.unique would sort every picture.
    counted = Image.fromarray(picture).getcolors(MAX_COLOURS)
    if counted is None:
        colours, black = None, size[0] * size[1] - int(np.count_nonzero(picture.any(axis=2)))
    else:
        counts = {cast(Colour, colour): count for count, colour in counted}
        black = counts.pop((0, 0, 0), 0)
        colours = frozenset(counts)
    area = 1 - black / (size[0] * size[1])
    border = np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])
    framed = float(border.any(axis=1).mean()) >= FRAMED and area > 0.5
    return LabelFacts(size, area, colours, framed)


def has_ramp(colours: frozenset[Colour]) -> bool:
    """Whether several colours are darker forms of one, as at edges that were smoothed.

    Of the PASCAL VOC palette no more than three are.
    """
    if len(colours) <= RAMP:
        return False
    lightest = np.array(max(colours, key=lambda colour: (sum(colour), colour)), float)
    others = np.array(list(colours), float)
    share = others.sum(axis=1, keepdims=True) / lightest.sum()
    return int((np.abs(others - share * lightest) <= 1).all(axis=1).sum()) > RAMP


def sound_facts(path: Path) -> SoundFacts:
    """Decode a recording in whole; an error where nothing is in the channels that are heard."""
    samples, rate = read_waveform(path)
    CHANNELS["both"](samples)
    return SoundFacts(len(samples) / rate, rate, not samples.any())


def needed_seconds(num_frames: int) -> float:
    """Length of the sound that the example of the last frame ends with, without padding."""
    rows = (num_frames - 1) * ROWS_PER_SECOND + EXAMPLE_ROWS
    return (rows - 1) / ROWS_PER_SECOND + WINDOW_SECONDS - ROUNDING
