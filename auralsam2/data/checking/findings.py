"""What a check of a data set may find: kinds, how grave they are, and their grouping."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from auralsam2.data.problems import SHOWN, Finding

FAULT, WARNING, NOTE = "fault", "warning", "note"
LEVELS = (FAULT, WARNING, NOTE)
"""Only faults make a data set unhealthy."""


class Kind(NamedTuple):
    """A kind of finding.

    Attributes:
        level: ``fault``, ``warning`` or ``note``.
        meaning: what it says about one place.
    """

    level: str
    meaning: str


KINDS = {
    "unusable_index": Kind(FAULT, "the index cannot be read, or names none of the clips"),
    "unusable_class_list": Kind(FAULT, "label2idx.json cannot be read"),
    "unknown_split": Kind(FAULT, "row whose split or subset is not known"),
    "duplicate_row": Kind(FAULT, "id that stands several times in one split of the index"),
    "duplicate_across_splits": Kind(FAULT, "id that stands in several splits of the index"),
    "row_without_folder": Kind(FAULT, "missing clip: row of the index without a folder"),
    "folder_without_row": Kind(FAULT, "folder that no row of the index names"),
    "expression_without_words": Kind(FAULT, "expression of no words"),
    "expression_without_object": Kind(FAULT, "expression whose fid has no folder of masks"),
    "missing_frames": Kind(FAULT, "clip without any frame"),
    "missing_labels": Kind(FAULT, "clip or object without any label"),
    "missing_audio": Kind(FAULT, "clip without its sound"),
    "unnumbered_file": Kind(FAULT, "file whose name does not tell its place in time"),
    "repeated_number": Kind(FAULT, "pictures of a clip that have the same number"),
    "numbering_gap": Kind(FAULT, "number that neither a frame nor a label has, between others"),
    "numbering_offset": Kind(FAULT, "frames or labels that do not count from the first number"),
    "frame_without_label": Kind(FAULT, "frame whose number no label has"),
    "label_without_frame": Kind(FAULT, "label whose number no frame has"),
    "unreadable_image": Kind(FAULT, "frame or label that cannot be decoded"),
    "unreadable_audio": Kind(FAULT, "sound that cannot be decoded"),
    "unreadable_log_mel": Kind(FAULT, "pickle that holds no log-mel examples of the clip"),
    "size_mismatch": Kind(FAULT, "pictures of a clip that differ in size"),
    "short_audio": Kind(FAULT, "sound that ends before the last frame's example does"),
    "unknown_label_value": Kind(FAULT, "label with a colour or level that means nothing"),
    "silent_audio": Kind(FAULT, "sound that is zero throughout, and labels that show objects"),
    "other_sources": Kind(FAULT, "labels that show none of the objects that the index names"),
    "same_frames_across_splits": Kind(FAULT, "frames that a clip of another split has, too"),
    "frame_count": Kind(WARNING, "clip with more or fewer frames than most of its split"),
    "empty_labels": Kind(WARNING, "clip or object that the index names and no label shows"),
    "inverted_labels": Kind(WARNING, "object along most of the border of every label: inverted?"),
    "unnamed_sources": Kind(WARNING, "labels that show an object that the index does not name"),
    "same_sound_across_splits": Kind(WARNING, "sound that a clip of another split has, too"),
    "class_numbers": Kind(WARNING, "label2idx.json does not count 0, 1, 2, ...: no semantic=True"),
    "missing_split": Kind(WARNING, "split without a row, which configs read"),
    "untidy_cell": Kind(WARNING, "cell with blanks, or a known word in another case"),
    "sample_rate": Kind(WARNING, "sound that is not at 16 kHz; it is resampled when read"),
    "video_across_splits": Kind(WARNING, "video of which several splits have clips or expressions"),
    "masks_without_expression": Kind(WARNING, "folder of masks that no expression refers to"),
    "stray_row": Kind(NOTE, "row with a placeholder for a split, left out by every reader"),
    "unknown_palette": Kind(NOTE, "nothing says what colours of labels mean"),
    "counts_differ": Kind(NOTE, "not as many as published"),
    "frames_differ": Kind(NOTE, "not as many frames a clip as published"),
}
"""In the order in which they are reported."""


def group(findings: Iterable[Finding]) -> dict[str, list[Finding]]:
    """Findings by kind, in the order of ``KINDS``, each once and sorted by place."""
    groups: dict[str, list[Finding]] = {kind: [] for kind in KINDS}
    for finding in sorted(set(findings)):
        groups[finding.kind].append(finding)
    return {kind: found for kind, found in groups.items() if found}


def is_healthy(groups: dict[str, list[Finding]]) -> bool:
    """Whether no kind found is a fault."""
    return all(KINDS[kind].level != FAULT for kind in groups)


def groups_to_json(groups: dict[str, list[Finding]]) -> dict[str, Any]:
    """Every finding, by kind."""
    return {
        kind: {
            **KINDS[kind]._asdict(),
            "count": len(found),
            "places": [{"where": f.where, "detail": f.detail} for f in found],
        }
        for kind, found in groups.items()
    }


def groups_to_text(groups: dict[str, list[Finding]]) -> list[str]:
    """Lines with the count and the first few places of each kind."""
    lines = []
    for kind, found in groups.items():
        level, meaning = KINDS[kind]
        lines.append(f"{level}: {kind}, {len(found)} ({meaning})")
        lines += [f"  - {finding}" for finding in found[:SHOWN]]
        if len(found) > SHOWN:
            lines.append(f"  ... and {len(found) - SHOWN} more; --json has all")
    return lines
