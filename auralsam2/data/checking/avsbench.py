"""Plan of AVSBench's semantic release: V1S, V1M and V2, alone or together."""

from __future__ import annotations

from collections.abc import Sequence
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
    split_counts,
)
from auralsam2.data.datasets.index import (
    COLUMNS,
    INDEX,
    KNOWN,
    NUM_FRAMES,
    SUBSETS,
    ClipFiles,
    read_clips,
)
from auralsam2.data.datasets.metadata import SPLITS, Metadata, read_metadata
from auralsam2.data.datasets.semantic import FILE_NAME, ClassNumbersError, read_class_map
from auralsam2.data.problems import DataError
from auralsam2.listing import folders_in

if TYPE_CHECKING:
    import pandas as pd

NUM_CLASSES = 71
"""Of the semantic release, with the background."""


def plan_avsbench(root: Path, subsets: Sequence[str]) -> Plan:
    """List the clips of some subsets.

    Raises:
        FileNotFoundError: where there is no index.
        DataError: where the index lacks columns.
    """
    path = root / INDEX
    if not path.is_file():
        raise FileNotFoundError(
            f"no AVSBench index at '{path}'; ROOT is the folder that holds '{INDEX.as_posix()}'"
        )
    metadata = read_metadata(path, COLUMNS, KNOWN)
    table = metadata.table
    rule, findings = _label_rule(root)
    findings += _unknown_rows(table)
    known = table[table["split"].isin(SPLITS) & table["label"].isin(subsets)]
    ids = zip(known["label"] + "/" + known["uid"], known["split"], strict=True)
    findings += duplicate_findings(ids) + _cross_findings(metadata, known)
    rows: dict[str, list[Row]] = {}
    tasks: list[ClipTask] = []
    for subset in subsets:
        of_subset = known[known["label"] == subset]
        if of_subset.empty:
            found = ", ".join(f"{k}: {n}" for k, n in split_counts(table["label"]).items())
            detail = f"no rows of '{subset}'; it has {found or 'none'}"
            findings.append(Finding("unusable_index", INDEX.as_posix(), detail))
        clips: dict[str, ClipFiles] = {}
        for split in dict.fromkeys(of_subset["split"]):
            found, told = _clips(root, subset, split, of_subset)
            findings += told
            if found:
                rows[f"{subset}/{split}"] = [_row(clip) for clip in found]
            # However many rows an id has, its folder is read once.
            clips = {**{clip.uid: clip for clip in found}, **clips}
        tasks += [
            _task(root, f"{subset}/{uid}", clip, rule)
            for uid, clip in clips.items()
            if (root / subset / uid).is_dir()
        ]
        findings += _unnamed_folders(root, subset, table)
    counts = {split: len(found) for split, found in rows.items()}
    return Plan(root, tasks, findings, _with_joined(rows, subsets), counts)


def _cross_findings(metadata: Metadata, known: pd.DataFrame) -> list[Finding]:
    videos = known["vid"] if "vid" in known else map(video_of, known["uid"])
    own = Metadata(known, metadata.tidied)
    clips = zip(videos, known["uid"], known["split"], strict=True)
    return index_findings(own, SPLITS) + video_findings(clips)


def _label_rule(root: Path) -> tuple[LabelRule, list[Finding]]:
    """The colours of ``label2idx.json``, or no more than a bound on their number."""
    loose = LabelRule(None, NUM_CLASSES - 1)
    try:
        class_map = read_class_map(root)
    except FileNotFoundError:
        detail = (
            f"there is none; labels were checked for having at most {NUM_CLASSES - 1} colours each"
        )
        return loose, [Finding("unknown_palette", FILE_NAME, detail)]
    except ClassNumbersError as error:
        return loose, [Finding("class_numbers", FILE_NAME, str(error))]
    except DataError as error:
        return loose, [Finding("unusable_class_list", FILE_NAME, str(error))]
    colours = zip(class_map.colours.tolist(), class_map.names, strict=True)
    classes = {(r, g, b): name for (r, g, b), name in colours if r or g or b}
    return LabelRule(frozenset(classes), len(classes), classes), []


def _unknown_rows(table: pd.DataFrame) -> list[Finding]:
    findings = []
    for uid, label, split in zip(table["uid"], table["label"], table["split"], strict=True):
        if label not in SUBSETS or split not in SPLITS:
            findings.append(Finding("unknown_split", uid, f"subset {label!r}, split {split!r}"))
    return findings


def _clips(
    root: Path, subset: str, split: str, rows: pd.DataFrame
) -> tuple[list[ClipFiles], list[Finding]]:
    """Files of every row of a split, and what their reader would refuse."""
    of_split = rows[rows["split"] == split]
    clips, faults = read_clips(root, subset, split, of_split["uid"], of_split["a_obj"])
    notes = length_notes(f"{subset}/{split}", clips, NUM_FRAMES[subset])
    return clips, fault_findings(root, faults) + notes


def _unnamed_folders(root: Path, subset: str, table: pd.DataFrame) -> list[Finding]:
    # A row with an unknown subset is one finding, and its folder no second one.
    named = set(table["uid"][(table["label"] == subset) | ~table["label"].isin(SUBSETS)])
    names = [folder.name for folder in folders_in(root / subset)]
    return [Finding("folder_without_row", f"{subset}/{n}") for n in names if n not in named]


def _task(root: Path, where: str, clip: ClipFiles, rule: LabelRule) -> ClipTask:
    masks = Masks(where, clip.labels, named=bool(clip.sources))
    return ClipTask(root, where, clip.frames, (masks,), (clip.audio,), (), rule, clip.sources)


def _row(clip: ClipFiles) -> Row:
    return Row(f"{clip.uid}:{','.join(sorted(clip.sources))}", clip.all(), len(clip.frames))


def _with_joined(rows: dict[str, list[Row]], subsets: Sequence[str]) -> dict[str, list[Row]]:
    """Splits of the subsets, and of all of them read one after the other."""
    if len(subsets) == 1:
        return rows
    joined = {
        f"{'+'.join(subsets)}/{split}": [
            row for subset in subsets for row in rows.get(f"{subset}/{split}", [])
        ]
        for split in SPLITS
    }
    return {**rows, **{split: found for split, found in joined.items() if found}}


PLANNERS = {
    **{subset: partial(plan_avsbench, subsets=(subset,)) for subset in SUBSETS},
    "avsbench": partial(plan_avsbench, subsets=SUBSETS),
}
"""Layout -> its plan."""
