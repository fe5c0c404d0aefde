"""Ref-AVS's index: which expressions a split has and where their files lie."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from auralsam2.data.datasets.index import ClipFiles, Index
from auralsam2.data.pairing import LABEL_SUFFIXES, Numbered, Pictures, numbered, pair, sound_faults
from auralsam2.data.problems import Finding
from auralsam2.listing import folders_in

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
    """What is referred to in a video."""

    uid: str  # name of the expression
    video: str  # name of the folder of its frames, sound and masks
    fid: str  # number of the object, as the index writes it
    text: str  # the words
    null: bool  # whether it refers to nothing that the video shows


def expression_of(row: Mapping[str, str]) -> Expression:
    """One row of the index, with the folder that its video has."""
    uid, split = row["uid"], row["split"]
    null = split == NULL_SPLIT or (split in ("train", "val") and NULL in uid)
    # The column vid lacks the prefix that the folders of null videos have.
    video = "_".join(uid.split("_")[:-2]) if null else row["vid"]
    return Expression(uid, video, row["fid"], row["exp"], null)


class RefIndex(Index):
    """Expressions, whose clips share the files of their video.

    The ``sources`` of a clip are its video, which no other video shares; null expressions have no
    label files. However many expressions share a video or an object, its folder is listed once.

    Args:
        root: folder that holds ``metadata.csv``, ``media/`` and ``gt_mask/``.

    Raises:
        FileNotFoundError: where there is no table.
        DataError: where it lacks columns.
    """

    columns, known, splits = COLUMNS, KNOWN, SPLITS
    unit = "expressions"
    family = "ref_avs/"

    def __init__(self, root: Path) -> None:
        if not (root / INDEX).is_file():
            raise FileNotFoundError(
                f"no Ref-AVS index at '{root / INDEX}'; set `data.root` (ROOT of check-data) to "
                "the folder that holds 'metadata.csv', 'media' and 'gt_mask'"
            )
        super().__init__(root, root / INDEX)
        self._frames: dict[str, Numbered] = {}
        self._pictures: dict[tuple[str, str], Pictures] = {}

    def expressions(self, split: str) -> list[Expression]:
        """Of one split, in the order of the table."""
        return [expression_of(row) for row in self._records if row["split"] == split]

    def num_frames(self, part: str) -> int:
        """The same of every video."""
        return NUM_FRAMES

    def clip_files(self, row: Mapping[str, str]) -> tuple[ClipFiles, list[Finding]]:
        """``frames`` and ``audio.wav`` of a video, and the masks of an object."""
        e = expression_of(row)
        media, masks = self.root / "media" / e.video, self._masks(e)
        if e.video not in self._frames:
            self._frames[e.video] = numbered(media / "frames")
        # Null expressions of one video share its frames and have no masks.
        key = (e.video, "" if e.null else e.fid)
        if key not in self._pictures:
            needed = self.labelled and not e.null
            labels = numbered(masks, LABEL_SUFFIXES) if needed else None
            self._pictures[key] = pair(self._frames[e.video], labels)
        frames, labels, faults = self._pictures[key]
        said = f"{e.uid}:{e.video}:{e.fid}:{e.text}"
        sound = media / "audio.wav"
        clip = ClipFiles(e.uid, frozenset({e.video}), frames, labels, sound, said=said)
        return clip, _told(media, masks, faults)

    def name_of(self, clip: ClipFiles) -> str | None:
        """Folder of the video."""
        media = clip.audio.parent
        return media.relative_to(self.root).as_posix() if media.is_dir() else None

    def name_of_labels(self, clip: ClipFiles) -> str:
        """Folder of the object."""
        return clip.labels[0].parent.relative_to(self.root).as_posix()

    def videos(self) -> Iterable[tuple[str, str]]:
        """By number of the row: an expression in two splits is one of two."""
        known = (row for row in self._records if row["split"] in SPLITS)
        return [(expression_of(row).video, str(n)) for n, row in enumerate(known)]

    def unread_rows(self) -> Iterator[Finding]:
        """Also those with a placeholder."""
        yield from super().unread_rows()
        for row in self._records:
            if row["split"] == PLACEHOLDER:
                yield Finding("stray_row", row["uid"], f"split {PLACEHOLDER!r}")

    def row_findings(self, part: str) -> Iterator[Finding]:
        """Also expressions without words."""
        yield from super().row_findings(part)
        silent = (e.uid for e in self.expressions(part) if not e.text.strip())
        yield from (Finding("expression_without_words", uid, "it has no words") for uid in silent)

    def unnamed_folders(self) -> Iterator[Finding]:
        """Of videos and of masks; a row that no reader reads still accounts for its folder."""
        expressions = [expression_of(row) for row in self.rows.to_dict("records")]
        videos = {e.video for e in expressions} | set(self.table["vid"])
        objects = {self._masks(e) for e in expressions}
        strangers: dict[str, Path] = {}
        for parent in ("media", "gt_mask"):
            for folder in folders_in(self.root / parent):
                if folder.name not in videos:
                    strangers.setdefault(folder.name, folder)
        yield from (Finding("folder_without_row", folder) for folder in strangers.values())
        for video in sorted({e.video for e in expressions}):
            for folder in folders_in(self.root / "gt_mask" / video):
                if folder not in objects:
                    yield Finding("masks_without_expression", folder)

    @cached_property
    def _records(self) -> list[dict[str, str]]:
        records: list[dict[str, str]] = self.table.to_dict("records")
        return records

    def _masks(self, expression: Expression) -> Path:
        return self.root / "gt_mask" / expression.video / f"fid_{expression.fid}"


def _told(media: Path, masks: Path, found: Iterable[Finding]) -> list[Finding]:
    """Findings of a video and an object; a folder that is not there is one of them."""
    there = media.is_dir()
    findings = [f for f in found if there or media not in Path(f.where).parents]
    findings = [
        f._replace(kind="expression_without_object")
        if f.kind == "missing_labels" and not masks.is_dir()
        else f
        for f in findings
    ]
    if there:
        return findings + sound_faults(media / "audio.wav")
    return [*findings, Finding("row_without_folder", media, "there is no such folder")]
