"""Ref-AVS's index: which expressions a split has and where their files lie."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from auralsam2.data.datasets.index import (
    ClipFiles,
    in_order,
    media_problems,
    number_problems,
    read_table,
    repeated,
)
from auralsam2.data.problems import DataError, refuse

INDEX = Path("metadata.csv")
COLUMNS = ("vid", "uid", "split", "fid", "exp")
NULL_SPLIT = "test_n"
NULL = "null_"


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
        DataError: where columns, the split or files are missing; all are listed.
    """
    path = root / INDEX
    if not path.is_file():
        raise FileNotFoundError(
            f"no Ref-AVS index at '{path}'; set `data.root` to the folder that holds "
            "'metadata.csv', 'media' and 'gt_mask'"
        )
    table = read_table(path, COLUMNS)
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
    files = expression_files(root, expressions)
    refuse(_problems(root, expressions, files), f"'{root}', {split}")
    return expressions, files


def expression_of(vid: str, uid: str, split: str, fid: str, text: str) -> Expression:
    """One row of the index, with the folder that its video has."""
    null = split == NULL_SPLIT or (split in ("train", "val") and NULL in uid)
    # The column vid lacks the prefix that the folders of null videos have.
    video = "_".join(uid.split("_")[:-2]) if null else vid
    return Expression(uid, video, fid, text, null)


def expression_files(root: Path, expressions: list[Expression]) -> list[ClipFiles]:
    """Files of every expression, there or not."""
    frames = {e.video: in_order(root / "media" / e.video / "frames", ".jpg") for e in expressions}
    shown = [e for e in expressions if not e.null]
    labels = {(e.video, e.fid): in_order(mask_folder(root, e), ".png") for e in shown}
    return [
        ClipFiles(
            e.uid,
            frozenset({e.video}),
            frames[e.video],
            () if e.null else labels[e.video, e.fid],
            root / "media" / e.video / "audio.wav",
        )
        for e in expressions
    ]


def mask_folder(root: Path, expression: Expression) -> Path:
    """Where the masks of the object lie that an expression refers to."""
    return root / "gt_mask" / expression.video / f"fid_{expression.fid}"


def _problems(root: Path, expressions: list[Expression], files: list[ClipFiles]) -> list[str]:
    """Each fault once, however many expressions share the video or the object."""
    problems = [
        f"expression '{uid}' stands {n} times in the index"
        for uid, n in repeated([e.uid for e in expressions])
    ]
    for expression, clip in zip(expressions, files, strict=True):
        if not expression.text.strip():
            problems.append(f"expression '{expression.uid}' has no words")
        problems += media_problems(root / "media" / expression.video, clip.frames, clip.audio)
        if expression.null:
            continue
        folder = mask_folder(root, expression)
        if not folder.is_dir():
            problems.append(f"no folder '{folder}'")
        elif len(clip.labels) != len(clip.frames):
            problems.append(f"{len(clip.frames)} frames but {len(clip.labels)} masks in '{folder}'")
        problems += number_problems(folder, clip.labels)
    return list(dict.fromkeys(problems))
