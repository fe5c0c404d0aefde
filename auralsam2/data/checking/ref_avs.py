"""Plan of Ref-AVS: videos, objects and the expressions that refer to them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from auralsam2.data.checking.findings import Finding
from auralsam2.data.checking.plan import (
    ClipTask,
    LabelRule,
    Masks,
    Plan,
    Row,
    duplicate_findings,
    folders_of,
    split_counts,
)
from auralsam2.data.datasets.index import in_order, read_table
from auralsam2.data.datasets.ref_index import (
    COLUMNS,
    INDEX,
    Expression,
    expression_files,
    expression_of,
    mask_folder,
)

if TYPE_CHECKING:
    import pandas as pd

SPLITS = ("train", "val", "test_s", "test_u", "test_n")
PLACEHOLDER = "TODO"
"""Stands for a split in one row of the public index."""
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
    table = read_table(path, COLUMNS)
    findings = _strays(table)
    known = table[table["split"].isin(SPLITS)]
    if known.empty:
        findings.append(Finding("unusable_index", INDEX.name, "no rows of any known split"))
    findings += duplicate_findings(zip(known["uid"], known["split"], strict=True))
    split_of = list(known["split"])
    expressions = [
        expression_of(vid, uid, split, fid, text)
        for vid, uid, split, fid, text in zip(*(known[c] for c in COLUMNS), strict=True)
    ]
    findings += _expression_findings(root, expressions)
    findings += _shared_videos(expressions, split_of)
    # A row that no reader reads still accounts for its folder.
    findings += _unnamed_folders(root, expressions, set(table["vid"]))
    rows: dict[str, list[Row]] = {}
    for expression, clip, split in zip(
        expressions, expression_files(root, expressions), split_of, strict=True
    ):
        text = f"{expression.uid}:{expression.video}:{expression.fid}:{expression.text}"
        rows.setdefault(f"ref_avs/{split}", []).append(Row(text, clip.all()))
    counts = split_counts(f"ref_avs/{split}" for split in split_of)
    return Plan(root, _tasks(root, expressions), findings, rows, counts, "expressions")


def _strays(table: pd.DataFrame) -> list[Finding]:
    findings = []
    for uid, split in zip(table["uid"], table["split"], strict=True):
        if split == PLACEHOLDER:
            findings.append(Finding("stray_row", uid, f"split {split!r}"))
        elif split not in SPLITS:
            findings.append(Finding("unknown_split", uid, f"split {split!r}"))
    return findings


def _expression_findings(root: Path, expressions: list[Expression]) -> list[Finding]:
    findings = []
    for expression in expressions:
        if not expression.text.strip():
            findings.append(Finding("expression_without_words", expression.uid))
        if not (root / "media" / expression.video).is_dir():
            findings.append(Finding("row_without_folder", f"media/{expression.video}"))
        if not expression.null and not mask_folder(root, expression).is_dir():
            folder = mask_folder(root, expression).relative_to(root).as_posix()
            findings.append(Finding("expression_without_object", expression.uid, f"no {folder}"))
    return findings


def _shared_videos(expressions: list[Expression], split_of: list[str]) -> list[Finding]:
    splits: dict[str, set[str]] = {}
    for expression, split in zip(expressions, split_of, strict=True):
        splits.setdefault(expression.video, set()).add(split)
    return [
        Finding("video_across_splits", video, f"in {', '.join(sorted(found))}")
        for video, found in splits.items()
        if len(found) > 1
    ]


def _unnamed_folders(root: Path, expressions: list[Expression], vids: set[str]) -> list[Finding]:
    videos = {e.video for e in expressions} | vids
    objects = {(e.video, f"fid_{e.fid}") for e in expressions}
    strangers: dict[str, str] = {}
    for parent in ("media", "gt_mask"):
        for folder in folders_of(root / parent):
            if folder.name not in videos:
                strangers.setdefault(folder.name, f"{parent}/{folder.name}")
    findings = [Finding("folder_without_row", where) for where in strangers.values()]
    for video in sorted({e.video for e in expressions}):
        for folder in folders_of(root / "gt_mask" / video):
            if (video, folder.name) not in objects:
                where = f"gt_mask/{video}/{folder.name}"
                findings.append(Finding("masks_without_expression", where))
    return findings


def _tasks(root: Path, expressions: list[Expression]) -> list[ClipTask]:
    """Each video once, with the masks of every object that is referred to."""
    folders: dict[str, dict[Path, None]] = {}
    for expression in expressions:
        referred = folders.setdefault(expression.video, {})
        if not expression.null:
            referred[mask_folder(root, expression)] = None
    tasks = []
    for video, objects in folders.items():
        media = root / "media" / video
        if not media.is_dir():
            continue
        masks = tuple(
            Masks(folder.relative_to(root).as_posix(), in_order(folder, ".png"))
            for folder in objects
            if folder.is_dir()
        )
        frames, audio = in_order(media / "frames", ".jpg"), media / "audio.wav"
        tasks.append(ClipTask(root, f"media/{video}", frames, masks, (audio,), (), RULE))
    return tasks


PLANNERS = {"ref_avs": plan_ref_avs}
"""Layout -> its plan."""
