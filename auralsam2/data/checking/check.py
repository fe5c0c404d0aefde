"""Check a data set: plan it, open every file in workers, and report all at once."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from auralsam2.data.checking.clips import ClipFacts, check_clip
from auralsam2.data.checking.crosses import content_findings
from auralsam2.data.checking.findings import group, groups_to_json, groups_to_text, is_healthy
from auralsam2.data.checking.plan import LAYOUTS, ClipTask, Plan
from auralsam2.data.checking.published import compare
from auralsam2.data.checking.summary import summarise, summary_to_text
from auralsam2.data.problems import DataError, Finding

CHUNK = 8
"""Clips handed to a worker at once."""


class Report(NamedTuple):
    """Everything that a check found.

    Attributes:
        layout: key of ``LAYOUTS``.
        root: folder of the data set.
        groups: findings by kind.
        summary: see :func:`summarise`.
        counts: clips or expressions of each split of the index.
        unit: what ``counts`` counts.
        published: counts found beside counts published.
        fingerprints: split -> SHA-256 of names and contents.
    """

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
    for clip in _checked(plan.tasks, workers):
        facts.append(clip)
        on_clip()
    counts = {split: len(rows) for split, rows in plan.rows.items()}
    published, notes = compare(counts, plan.unit)
    digests = {path: content for clip in facts for path, content in clip.digests.items()}
    found = [*plan.findings, *notes, *content_findings(plan, digests)]
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


def _checked(tasks: Sequence[ClipTask], workers: int) -> Iterator[ClipFacts]:
    """Facts of the clips, in order."""
    if workers <= 1 or len(tasks) <= CHUNK:
        yield from map(check_clip, tasks)
        return
    # A fork of a process with threads, as OpenCV's or torch's, may wait for ever.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, initializer=_one_thread) as pool:
        yield from pool.map(check_clip, tasks, chunksize=CHUNK)


def _one_thread() -> None:
    """OpenCV would start as many threads as cores in each process."""
    import cv2

    cv2.setNumThreads(1)
