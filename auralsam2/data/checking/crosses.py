"""What contents, labels and splits say about each other; costs nothing beside decoding."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from auralsam2.data.checking.files import Colour
from auralsam2.data.checking.plan import ClipTask, Plan
from auralsam2.data.problems import SHOWN, Finding

Digests = Mapping[Path, bytes]


def content_findings(plan: Plan, digests: Digests) -> list[Finding]:
    """Clips of different splits with the same frames or the same sound, under other names.

    Args:
        plan: of the data set.
        digests: file -> SHA-256 of its content; clips with a file that lacks one are passed over.
    """
    splits = _splits_of_files(plan)
    findings = []
    for kind, groups in (
        ("same_frames_across_splits", _alike(plan, digests, lambda task: task.frames)),
        ("same_sound_across_splits", _alike(plan, digests, lambda task: task.sounds)),
    ):
        for tasks in groups:
            held = {task.where: splits.get(task.frames, set()) for task in tasks}
            if len(set().union(*held.values())) > 1:
                findings.append(_shared(kind, held))
    return findings


def _alike(
    plan: Plan, digests: Digests, files: Callable[[ClipTask], tuple[Path, ...]]
) -> list[list[ClipTask]]:
    """Clips in groups of those whose files have the same content."""
    groups: dict[tuple[bytes, ...], list[ClipTask]] = {}
    for task in plan.tasks:
        contents = tuple(digests.get(path, b"") for path in files(task))
        if task.frames and contents and all(contents):
            groups.setdefault(contents, []).append(task)
    return [tasks for tasks in groups.values() if len(tasks) > 1]


def _splits_of_files(plan: Plan) -> dict[tuple[Path, ...], set[str]]:
    """Frames of a clip -> its splits."""
    splits: dict[tuple[Path, ...], set[str]] = {}
    for name, clips in plan.rows.items():
        for clip in clips:
            splits.setdefault(clip.frames, set()).add(name.rpartition("/")[2])
    return splits


def _shared(kind: str, held: Mapping[str, Iterable[str]]) -> Finding:
    first, *others = [f"{clip} ({_joined(splits)})" for clip, splits in sorted(held.items())]
    more = f" and {len(others) - SHOWN} more" if len(others) > SHOWN else ""
    return Finding(kind, first, f"is {', '.join(others[:SHOWN])}{more}")


def source_findings(task: ClipTask, colours: Iterable[Colour]) -> list[Finding]:
    """Classes that a clip's labels show beside those that its index row names.

    Args:
        task: whose rule and row; where the class list lacks a name of the row nothing is compared.
        colours: of the clip's labels.
    """
    classes = task.rule.classes
    shown = {classes[colour] for colour in colours if colour in classes}
    strange = shown - task.sources
    if not strange or not task.sources or not task.sources <= set(classes.values()):
        return []
    kind = "unnamed_sources" if shown & task.sources else "other_sources"
    told = f"labels show {_joined(strange)}, the index names {_joined(task.sources)}"
    return [Finding(kind, task.where, told)]


def _joined(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
