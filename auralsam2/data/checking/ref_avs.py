"""Plan of Ref-AVS: videos, objects and the expressions that refer to them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from auralsam2.data.checking.crosses import index_findings, video_findings
from auralsam2.data.checking.findings import Finding
from auralsam2.data.checking.plan import (
    ClipTask,
    LabelRule,
    Masks,
    Plan,
    Row,
    duplicate_findings,
    fault_findings,
    length_notes,
    split_counts,
)
from auralsam2.data.datasets.index import ClipFiles
from auralsam2.data.datasets.metadata import read_metadata
from auralsam2.data.datasets.ref_index import (
    COLUMNS,
    INDEX,
    KNOWN,
    NUM_FRAMES,
    PLACEHOLDER,
    SPLITS,
    Expression,
    expression_files,
    expression_of,
    mask_folder,
)
from auralsam2.listing import folders_in

if TYPE_CHECKING:
    import pandas as pd

RULE = LabelRule(None, 1)
"""A picture shows one object, in whatever colour."""


def plan_ref_avs(root: Path) -> Plan:
    """List videos, masks and expressions.

    Raises:
        FileNotFoundError: where there is no index.
        DataError: where the index lacks columns.
    """
    path = root / INDEX
    if not path.is_file():
        raise FileNotFoundError(
            f"no Ref-AVS index at '{path}'; ROOT is the folder that holds 'metadata.csv', 'media' "
            "and 'gt_mask'"
        )
    metadata = read_metadata(path, COLUMNS, KNOWN)
    table = metadata.table
    findings = _strays(table) + index_findings(metadata, SPLITS)
    known = table[table["split"].isin(SPLITS)]
    if known.empty:
        findings.append(Finding("unusable_index", INDEX.name, "no rows of any known split"))
    findings += duplicate_findings(zip(known["uid"], known["split"], strict=True))
    split_of = list(known["split"])
    expressions = [
        expression_of(vid, uid, split, fid, text)
        for vid, uid, split, fid, text in zip(*(known[c] for c in COLUMNS), strict=True)
    ]
    findings += [
        Finding("expression_without_words", e.uid) for e in expressions if not e.text.strip()
    ]
    places = enumerate(zip(expressions, split_of, strict=True))
    findings += video_findings((e.video, str(place), split) for place, (e, split) in places)
    # A row that no reader reads still accounts for its folder.
    findings += _unnamed_folders(root, expressions, set(table["vid"]))
    rows: dict[str, list[Row]] = {}
    pairs: list[tuple[Expression, ClipFiles]] = []
    for split in dict.fromkeys(split_of):
        name = f"ref_avs/{split}"
        of_split = [e for e, its in zip(expressions, split_of, strict=True) if its == split]
        files, faults = expression_files(root, of_split)
        findings += fault_findings(root, faults) + length_notes(name, files, NUM_FRAMES)
        found = list(zip(of_split, files, strict=True))
        if found:
            rows[name] = [_row(expression, clip) for expression, clip in found]
        pairs += found
    counts = split_counts(f"ref_avs/{split}" for split in split_of)
    return Plan(root, _tasks(root, pairs), findings, rows, counts, "expressions")


def _row(expression: Expression, clip: ClipFiles) -> Row:
    text = f"{expression.uid}:{expression.video}:{expression.fid}:{expression.text}"
    return Row(text, clip.all(), len(clip.frames))


def _strays(table: pd.DataFrame) -> list[Finding]:
    findings = []
    for uid, split in zip(table["uid"], table["split"], strict=True):
        if split == PLACEHOLDER:
            findings.append(Finding("stray_row", uid, f"split {split!r}"))
        elif split not in SPLITS:
            findings.append(Finding("unknown_split", uid, f"split {split!r}"))
    return findings


def _unnamed_folders(root: Path, expressions: list[Expression], vids: set[str]) -> list[Finding]:
    videos = {e.video for e in expressions} | vids
    objects = {(e.video, f"fid_{e.fid}") for e in expressions}
    strangers: dict[str, str] = {}
    for parent in ("media", "gt_mask"):
        for folder in folders_in(root / parent):
            if folder.name not in videos:
                strangers.setdefault(folder.name, f"{parent}/{folder.name}")
    findings = [Finding("folder_without_row", where) for where in strangers.values()]
    for video in sorted({e.video for e in expressions}):
        for folder in folders_in(root / "gt_mask" / video):
            if (video, folder.name) not in objects:
                where = f"gt_mask/{video}/{folder.name}"
                findings.append(Finding("masks_without_expression", where))
    return findings


def _tasks(root: Path, pairs: list[tuple[Expression, ClipFiles]]) -> list[ClipTask]:
    """Each video once, with the masks of every object that is referred to."""
    videos: dict[str, ClipFiles] = {}
    objects: dict[str, dict[Path, tuple[Path, ...]]] = {}
    for expression, clip in pairs:
        videos.setdefault(expression.video, clip)
        of_video = objects.setdefault(expression.video, {})
        if not expression.null:
            of_video[mask_folder(root, expression)] = clip.labels
    tasks = []
    for video, clip in videos.items():
        if (root / "media" / video).is_dir():
            masks = tuple(
                Masks(folder.relative_to(root).as_posix(), labels)
                for folder, labels in objects[video].items()
            )
            where = f"media/{video}"
            tasks.append(ClipTask(root, where, clip.frames, masks, (clip.audio,), (), RULE))
    return tasks


PLANNERS = {"ref_avs": plan_ref_avs}
"""Layout -> its plan."""
