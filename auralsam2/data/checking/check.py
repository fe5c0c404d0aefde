"""Check a data set: plan it, open every file in workers, and report all at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from auralsam2.data.checking.clips import ClipFacts, check_clip
from auralsam2.data.checking.findings import (
    compare,
    group,
    groups_to_json,
    groups_to_text,
    is_healthy,
)
from auralsam2.data.checking.plan import LAYOUTS, ClipTask, Plan, joined
from auralsam2.data.problems import SHOWN, DataError, Finding
from auralsam2.data.processes import in_processes
from auralsam2.messages import first_of

CHUNK = 8
"""Clips handed to a worker at once."""
AREA_EDGES = (0.0, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0)
"""Shares of a picture; the first bin holds what is above nothing and up to 1 %."""


class Report(NamedTuple):
    """Everything that a check found; ``published`` are counts found beside counts of the papers."""

    layout: str
    root: Path
    groups: dict[str, list[Finding]]
    summary: dict[str, Any]
    counts: dict[str, int]
    unit: str
    published: list[dict[str, object]]
    fingerprints: dict[str, str]

    @property
    def healthy(self) -> bool:
        """Whether there is no fault; warnings and notes are none."""
        return is_healthy(self.groups)

    def to_json(self) -> dict[str, Any]:
        """All of it, every finding included."""
        return {
            "layout": self.layout,
            "root": str(self.root),
            "healthy": self.healthy,
            "findings": groups_to_json(self.groups),
            "summary": self.summary,
            "counts": {"unit": self.unit, "splits": self.counts},
            "published": self.published,
            "fingerprints": self.fingerprints,
        }

    def to_text(self) -> str:
        """For a terminal, a few places of each kind."""
        splits = ", ".join(f"{split}: {count}" for split, count in self.counts.items())
        lines = [f"{self.layout} at {self.root}", *summary_to_text(self.summary)]
        lines.append(f"{self.unit} in the index: {splits or 'none'}")
        lines += [f"fingerprint of {k}: {v[:16]}" for k, v in self.fingerprints.items()]
        lines += ["", *groups_to_text(self.groups)] if self.groups else []
        faults = sum(len(f) for kind, f in self.groups.items() if not is_healthy({kind: f}))
        return "\n".join([*lines, "", "healthy" if self.healthy else f"{faults} fault(s)"])


def check_data(
    layout: str,
    root: Path,
    workers: int = 1,
    on_start: Callable[[int], None] = lambda total: None,
    on_clip: Callable[[], None] = lambda: None,
) -> Report:
    """Check every clip of a data set.

    Args:
        layout: key of ``LAYOUTS``.
        root: folder that holds the index.
        workers: processes; the report does not depend on it.
        on_start: called with the number of clips before the first is opened.
        on_clip: called after every clip.

    Raises:
        FileNotFoundError: where there is no index.
    """
    plan = _plan(layout, root)
    on_start(len(plan.tasks))
    facts = []
    for clip in in_processes(check_clip, plan.tasks, workers, CHUNK):
        facts.append(clip)
        on_clip()
    counts = {split: len(rows) for split, rows in plan.rows.items()}
    published, notes = compare(counts, plan.unit)
    digests = {path: content for clip in facts for path, content in clip.digests.items()}
    found = [*plan.findings, *notes, *_content_findings(plan, digests)]
    found += [finding for clip in facts for finding in clip.findings]
    groups = group(finding.below(root) for finding in found)
    prints = plan.fingerprints(digests)
    return Report(layout, root, groups, summarise(facts), counts, plan.unit, published, prints)


def _plan(layout: str, root: Path) -> Plan:
    """The layout's plan, or an empty one that tells what is wrong with the index."""
    try:
        return LAYOUTS[layout](root)
    except DataError as error:
        return Plan(root, [], [Finding("unusable_index", str(root), str(error))], {}, {})


def _content_findings(plan: Plan, digests: Mapping[Path, bytes]) -> Iterator[Finding]:
    """Clips of different splits with the same frames or the same sound, under other names.

    Clips with a file that lacks a digest are passed over.
    """
    splits: dict[tuple[Path, ...], set[str]] = {}
    for name, clips in plan.rows.items():
        for clip in clips:
            splits.setdefault(clip.frames, set()).add(name.rpartition("/")[2])
    files = {
        "same_frames_across_splits": [(task, task.frames) for task in plan.tasks],
        "same_sound_across_splits": [(task, (task.sound,)) for task in plan.tasks if task.sound],
    }
    for kind, of_tasks in files.items():
        groups: dict[tuple[bytes, ...], list[ClipTask]] = {}
        for task, paths in of_tasks:
            contents = tuple(digests.get(path, b"") for path in paths)
            if task.frames and all(contents):
                groups.setdefault(contents, []).append(task)
        for tasks in groups.values():
            held = {task.where: splits[task.frames] for task in tasks}
            if len(held) > 1 and len(set().union(*held.values())) > 1:
                yield _shared(kind, held)


def _shared(kind: str, held: Mapping[str, Iterable[str]]) -> Finding:
    first, *others = [f"{clip} ({joined(splits)})" for clip, splits in sorted(held.items())]
    return Finding(kind, first, f"is {first_of(others, SHOWN)}")


def summarise(facts: Sequence[ClipFacts]) -> dict[str, Any]:
    """Totals of all clips that could be opened.

    Returns:
        Counts; ``silent_share``: share of the labels that show nothing, so of the frames in which
        nothing that can be seen sounds (None without labels); ``areas``: labels by the share of
        the picture that is object, empty ones left out.
    """
    sounds = [clip.sound for clip in facts if clip.sound]
    areas = np.array([area for clip in facts for area in clip.areas])
    empty = int((areas == 0).sum())
    # Bins are open on the left: an object of exactly 1 % belongs to the first.
    bins = np.searchsorted(AREA_EDGES, areas[areas > 0], side="left") - 1
    counted = np.bincount(bins, minlength=len(AREA_EDGES) - 1)
    return {
        "clips": len(facts),
        "frames": sum(clip.num_frames for clip in facts),
        "seconds": round(sum((sound.seconds for sound in sounds), 0.0), 3),
        "labels": len(areas),
        "silent_labels": empty,
        "silent_share": round(empty / len(areas), 4) if len(areas) else None,
        "areas": {
            f"{100 * low:g}-{100 * high:g} %": int(count)
            for low, high, count in zip(AREA_EDGES, AREA_EDGES[1:], counted, strict=False)
        },
        "frames_per_clip": _counted(clip.num_frames for clip in facts),
        "sizes": _counted(f"{c.size[0]}x{c.size[1]}" for c in facts if c.size),
        "sample_rates": _counted(sound.rate for sound in sounds),
    }


def summary_to_text(summary: dict[str, Any]) -> list[str]:
    """Lines for a terminal."""
    share = summary["silent_share"]
    silent = "" if share is None else f", of which {100 * share:.1f} % show nothing"
    lines = [
        f"clips: {summary['clips']}, frames: {summary['frames']}, sound: "
        f"{summary['seconds']:.1f} s, labels: {summary['labels']}{silent}"
    ]
    for title, key in (
        ("frames a clip (clips)", "frames_per_clip"),
        ("height x width (clips)", "sizes"),
        ("sample rate (clips)", "sample_rates"),
    ):
        shown = ", ".join(f"{value} ({n})" for value, n in list(summary[key].items())[:5])
        more = len(summary[key]) - 5
        lines.append(f"{title}: {shown or 'none'}{f' and {more} others' if more > 0 else ''}")
    most = max(summary["areas"].values(), default=0) or 1
    lines.append("area of masks, share of the picture:")
    for name, count in summary["areas"].items():
        bar = "#" * round(30 * count / most)
        lines.append(f"  {name:>9} {count:>7} {bar}".rstrip())
    return lines


def _counted(values: Any) -> dict[str, int]:
    """Value -> how often, the most frequent first."""
    ranked = sorted(Counter(values).items(), key=lambda item: (-item[1], str(item[0])))
    return {str(value): count for value, count in ranked}
