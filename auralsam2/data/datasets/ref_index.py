"""Ref-AVS's index: which expressions a split has and where their files lie."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from auralsam2.data.datasets.index import ClipFiles, repeated
from auralsam2.data.datasets.metadata import read_table
from auralsam2.data.pairing import (
    LABEL_SUFFIXES,
    Pictures,
    length_faults,
    numbered,
    pair,
    sound_faults,
)
from auralsam2.data.problems import DataError, Fault, settle

INDEX = Path("metadata.csv")
COLUMNS = ("vid", "uid", "split", "fid", "exp")
SPLITS = ("train", "val", "test_s", "test_u", "test_n")
PLACEHOLDER = "TODO"
"""Stands for a split in one row of the public index."""
KNOWN = {"split": (*SPLITS, PLACEHOLDER)}
"""Column of the index -> what it may say."""
NULL_SPLIT = "test_n"
NULL = "null_"
NUM_FRAMES = 10
"""Of every video, as published."""


class Expression(NamedTuple):
    """What is referred to in a video.

    Attributes:
        uid: name of the expression.
        video: name of the folder of its frames, sound and masks.
        fid: number of the object, as the index writes it.
        text: the words.
        null: whether it refers to nothing that the video shows.
    """

    uid: str
    video: str
    fid: str
    text: str
    null: bool


def read_expressions(root: Path, split: str) -> tuple[list[Expression], list[ClipFiles]]:
    """Expressions of one split and their files, in the order of the index.

    Args:
        root: folder that holds ``metadata.csv``, ``media/`` and ``gt_mask/``.
        split: ``train``, ``val``, ``test_s``, ``test_u`` or ``test_n``.

    Returns:
        As many expressions as files. The ``sources`` of a clip are its video, which no other
        video shares; null expressions have no label files.

    Raises:
        FileNotFoundError: where there is no index.
        DataError: where columns, the split or files are missing, or where numbers do not tell
            which frame, mask and second belong together; all are listed.
    """
    path = root / INDEX
    if not path.is_file():
        raise FileNotFoundError(
            f"no Ref-AVS index at '{path}'; set `data.root` to the folder that holds "
            "'metadata.csv', 'media' and 'gt_mask'"
        )
    table = read_table(path, COLUMNS, KNOWN)
    rows = table[table["split"] == split]
    if rows.empty:
        found = table.groupby("split").size().to_dict()
        known = ", ".join(f"{part}: {n}" for part, n in found.items())
        raise DataError(f"'{path}' has no expressions of '{split}'; it has {known or 'none'}")
    expressions = [
        expression_of(vid, uid, split, fid, text)
        for vid, uid, fid, text in zip(
            *(rows[c] for c in ("vid", "uid", "fid", "exp")), strict=True
        )
    ]
    files, faults = expression_files(root, expressions)
    repeats = repeated([e.uid for e in expressions])
    problems = [f"expression '{uid}' stands {n} times in the index" for uid, n in repeats]
    problems += [f"expression '{e.uid}' has no words" for e in expressions if not e.text.strip()]
    settle(faults, f"'{root}', {split}", problems)
    return expressions, files


def expression_of(vid: str, uid: str, split: str, fid: str, text: str) -> Expression:
    """One row of the index, with the folder that its video has."""
    null = split == NULL_SPLIT or (split in ("train", "val") and NULL in uid)
    # The column vid lacks the prefix that the folders of null videos have.
    video = "_".join(uid.split("_")[:-2]) if null else vid
    return Expression(uid, video, fid, text, null)


def expression_files(
    root: Path, expressions: list[Expression]
) -> tuple[list[ClipFiles], list[Fault]]:
    """Files of every expression of one split, there or not, and what is wrong with them.

    However many expressions share a video or an object, its folder is listed once.
    """
    media = {e.video: root / "media" / e.video for e in expressions}
    listed = {video: numbered(folder / "frames") for video, folder in media.items()}
    paired: dict[tuple[str, str], Pictures] = {}
    faults: list[Fault] = []
    files = []
    for e in expressions:
        # Null expressions of one video share its frames and have no masks.
        key = (e.video, "" if e.null else e.fid)
        if key not in paired:
            masks = None if e.null else numbered(mask_folder(root, e), LABEL_SUFFIXES)
            paired[key] = pair(listed[e.video], masks)
            faults += _faults(media[e.video], mask_folder(root, e), paired[key].faults)
        pictures, audio = paired[key], media[e.video] / "audio.wav"
        source = frozenset({e.video})
        files.append(ClipFiles(e.uid, source, pictures.frames, pictures.labels, audio))
    lengths = {found.folder: len(found.files) for found in listed.values()}
    return files, faults + length_faults(lengths, NUM_FRAMES)


def _faults(media: Path, masks: Path, found: tuple[Fault, ...]) -> list[Fault]:
    """Faults of a video and the masks of one object; a folder that is not there is one fault."""
    faults = [f for f in found if media not in f.place.parents or media.is_dir()]
    faults = [
        f._replace(kind="expression_without_object")
        if f.kind == "missing_labels" and not masks.is_dir()
        else f
        for f in faults
    ]
    if media.is_dir():
        return faults + sound_faults(media / "audio.wav")
    return [*faults, Fault("row_without_folder", media, "there is no such folder")]


def mask_folder(root: Path, expression: Expression) -> Path:
    """Where the masks of the object lie that an expression refers to."""
    return root / "gt_mask" / expression.video / f"fid_{expression.fid}"
