"""What a check of a data set may find: kinds, how grave they are, what papers count."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from auralsam2.data.problems import SHOWN, Finding

FAULT, WARNING, NOTE = "fault", "warning", "note"
LEVELS = (FAULT, WARNING, NOTE)
"""Only faults make a data set unhealthy."""


class Kind(NamedTuple):
    """Level of a kind of finding, and what it says about one place."""

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


# AVSBench, arXiv 2207.05042 (V1S, V1M), and AVSBench-semantic, arXiv 2301.13190: the latter counts
# 8498, 1304 and 1554 clips of all three subsets, so that V2 has what V1S and V1M leave.
_V1S = {"train": 3452, "val": 740, "test": 740}
_V1M = {"train": 296, "val": 64, "test": 64}
_V2 = {"train": 4750, "val": 500, "test": 750}

COUNTS: dict[str, int] = {
    **{f"v1s/{split}": count for split, count in _V1S.items()},
    **{f"v1m/{split}": count for split, count in _V1M.items()},
    **{f"v2/{split}": count for split, count in _V2.items()},
    **{f"object/v1s/{split}": count for split, count in _V1S.items()},
    **{f"object/v1m/{split}": count for split, count in _V1M.items()},
    # Ref-AVS, arXiv 2407.10957, which gives one number for its three test splits.
    "ref_avs/train": 14_117,
    "ref_avs/test_s+test_u+test_n": 4770,
}
"""Split -> clips, of Ref-AVS expressions."""


def compare(counts: Mapping[str, int], unit: str) -> tuple[list[dict[str, object]], list[Finding]]:
    """Counts found beside counts published, for the data sets of which any split was found.

    Returns:
        ``split``, ``found`` and ``published`` of each split, and a note for each that differs.
    """
    families = {split.rpartition("/")[0] for split in counts}
    lines: list[dict[str, object]] = []
    notes = []
    for split, published in COUNTS.items():
        family, _, parts = split.rpartition("/")
        if family not in families:
            continue
        found = sum(counts.get(f"{family}/{part}", 0) for part in parts.split("+"))
        lines.append({"split": split, "found": found, "published": published})
        if found != published:
            detail = f"{unit}: {found}, in the paper {published}"
            notes.append(Finding("counts_differ", split, detail))
    return lines, notes
