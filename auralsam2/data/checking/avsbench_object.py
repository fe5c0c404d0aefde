"""Plan of AVSBench's object release: S4 (V1S) and MS3 (V1M)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from auralsam2.data.checking.crosses import index_findings, video_findings, video_of
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
)
from auralsam2.data.datasets.index import NUM_FRAMES, ClipFiles
from auralsam2.data.datasets.metadata import SPLITS, read_metadata
from auralsam2.data.datasets.object_index import (
    KNOWN,
    LAYOUTS,
    SOUNDS,
    ObjectLayout,
    clip_folders,
    find_object_release,
    object_sound_faults,
    read_object_clips,
    sound_file,
)
from auralsam2.listing import folders_in

if TYPE_CHECKING:
    import pandas as pd

RULE = LabelRule(None, 1)
"""Masks are white on black."""


def plan_object_release(root: Path, subset: str) -> Plan:
    """List the clips of a subset.

    Recordings and log-mel pickles are both checked where their folders exist.

    Raises:
        FileNotFoundError: where there is no data folder or no index.
        DataError: where the index lacks columns.
    """
    layout = LAYOUTS[subset]
    data, path = find_object_release(root, subset)
    metadata = read_metadata(path, layout.columns, KNOWN)
    table = metadata.table
    known = table[table["split"].isin(SPLITS)]
    findings = _index_findings(path, layout, table) + index_findings(metadata, SPLITS)
    uids = known[layout.uid]
    findings += video_findings(zip(map(video_of, uids), uids, known["split"], strict=True))
    kinds = [kind for kind, (folder, _) in SOUNDS.items() if (data / folder).is_dir()]
    kinds = kinds or [next(iter(SOUNDS))]
    rows: dict[str, list[Row]] = {}
    tasks: dict[str, ClipTask] = {}
    for split in dict.fromkeys(known["split"]):
        of_split = known[known["split"] == split]
        named = [""] * len(of_split) if not layout.category else list(of_split[layout.category])
        clips, faults = read_object_clips(
            data, subset, split, of_split[layout.uid], named, kinds[0]
        )
        findings += fault_findings(root, faults)
        findings += length_notes(f"object/{subset}/{split}", clips, NUM_FRAMES[subset])
        for clip, category in zip(clips, named, strict=True):
            text = f"{clip.uid}:{','.join(sorted(clip.sources))}"
            rows.setdefault(f"object/{subset}/{split}", []).append(
                Row(text, clip.all(), len(clip.frames))
            )
            shown, below = clip_folders(layout, category, split, clip.uid)
            folders = (data / "visual_frames" / shown, data / "gt_masks" / below)
            if clip.uid in tasks or not any(folder.is_dir() for folder in folders):
                continue
            sounds = {kind: sound_file(data, below, kind) for kind in kinds}
            tasks[clip.uid] = _task(root, below.as_posix(), clip, sounds)
            for kind in kinds[1:]:
                findings += fault_findings(root, object_sound_faults(data, below, kind))
    findings += _unnamed_folders(data, layout, table[layout.uid])
    counts = {split: len(of_split) for split, of_split in rows.items()}
    return Plan(root, list(tasks.values()), findings, rows, counts)


def _index_findings(path: Path, layout: ObjectLayout, table: pd.DataFrame) -> list[Finding]:
    known = table[table["split"].isin(SPLITS)]
    findings = duplicate_findings(zip(known[layout.uid], known["split"], strict=True))
    if known.empty:
        findings.append(Finding("unusable_index", path.name, "no rows of any known split"))
    for uid, split in zip(table[layout.uid], table["split"], strict=True):
        if split not in SPLITS:
            findings.append(Finding("unknown_split", uid, f"split {split!r}"))
    return findings


def _task(root: Path, where: str, clip: ClipFiles, sounds: Mapping[str, Path]) -> ClipTask:
    wavs, log_mels = (
        tuple(path for kind, path in sounds.items() if kind == wanted)
        for wanted in ("wav", "log_mel")
    )
    masks = (Masks(where, clip.labels),)
    return ClipTask(root, where, clip.frames, masks, wavs, log_mels, RULE)


def _unnamed_folders(data: Path, layout: ObjectLayout, names: Iterable[str]) -> list[Finding]:
    """Folders of clips, below split and category, whose name no row has; each clip once."""
    named = set(names)
    levels = {"gt_masks": 2 if layout.category else 1}
    levels["visual_frames"] = levels["gt_masks"] if layout.frames_by_split else 0
    strangers: dict[str, str] = {}
    for parent, depth in levels.items():
        folders = [data / parent]
        for _ in range(depth + 1):
            folders = [below for folder in folders for below in folders_in(folder)]
        for folder in folders:
            if folder.name not in named:
                strangers.setdefault(folder.name, folder.relative_to(data).as_posix())
    return [Finding("folder_without_row", where) for where in strangers.values()]


PLANNERS = {
    layout.name: partial(plan_object_release, subset=subset) for subset, layout in LAYOUTS.items()
}
"""Layout -> its plan."""
