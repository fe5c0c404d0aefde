"""AVSBench's index: which clips a split has and where their files lie."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from auralsam2.data.datasets.metadata import SPLITS, read_table
from auralsam2.data.pairing import LABEL_SUFFIXES, length_faults, numbered, pair, sound_faults
from auralsam2.data.problems import SHOWN as SHOWN
from auralsam2.data.problems import DataError as DataError
from auralsam2.data.problems import Fault, settle

INDEX = Path("avss_index") / "metadata.csv"
COLUMNS = ("uid", "a_obj", "split", "label")
FIRST_FRAME_ONLY = (("v1s", "train"),)
"""Subset and split whose clips have a label for their first frame only."""
SUBSETS = ("v1s", "v1m", "v2")
KNOWN = {"split": SPLITS, "label": SUBSETS}
"""Column -> what it may say."""
NUM_FRAMES = {"v1s": 5, "v1m": 5, "v2": 10}
"""Of the clips of each subset, as published."""


class ClipFiles(NamedTuple):
    """Files of one clip, frames and labels in order of time.

    Attributes:
        uid: name of the clip.
        sources: names of what sounds in it.
        frames: one image a second, that of second t at place t.
        labels: one mask a frame, or that of the first frame only, or none where nothing is shown.
        audio: the recording.
        first_only: whether only the first frame is labelled, and supervised.
    """

    uid: str
    sources: frozenset[str]
    frames: tuple[Path, ...]
    labels: tuple[Path, ...]
    audio: Path
    first_only: bool = False

    def all(self) -> tuple[Path, ...]:
        """Every file of the clip."""
        return (*self.frames, *self.labels, self.audio)


def read_index(root: Path, subset: str | Sequence[str], split: str) -> list[ClipFiles]:
    """Clips of one split, subset after subset, each in the order of the index.

    Args:
        root: folder that holds ``avss_index/metadata.csv`` and ``SUBSET/UID/``.
        subset: values of the column ``label``: ``v1s``, ``v1m`` or ``v2``, or several of them.
        split: ``train``, ``val`` or ``test``.

    Raises:
        FileNotFoundError: where there is no index.
        DataError: where columns, the split or files of clips are missing, or where numbers do not
            tell which frame, label and second belong together; all are listed.
    """
    import pandas as pd

    path = root / INDEX
    if not path.is_file():
        raise FileNotFoundError(
            f"no AVSBench index at '{path}'; set `data.root` to the folder that holds "
            f"'{INDEX.as_posix()}', or write clips with: auralsam2 make-synthetic {root}"
        )
    table = read_table(path, COLUMNS, KNOWN)
    subsets = (subset,) if isinstance(subset, str) else tuple(subset)
    of_split = table[table["split"] == split]
    empty = [f"{name}/{split}" for name in subsets if not (of_split["label"] == name).any()]
    if empty:
        found = sorted(Counter(table["label"] + "/" + table["split"]).items())
        known = ", ".join(f"{part}: {n}" for part, n in found)
        raise DataError(f"'{path}' has no clips of {' and '.join(empty)}; it has {known or 'none'}")
    rows = pd.concat([of_split[of_split["label"] == name] for name in subsets])
    problems = [f"clip '{uid}' stands {n} times in the index" for uid, n in repeated(rows["uid"])]
    clips: list[ClipFiles] = []
    faults: list[Fault] = []
    for name in subsets:
        of_subset = rows[rows["label"] == name]
        found, of_clips = read_clips(root, name, split, of_subset["uid"], of_subset["a_obj"])
        clips += found
        faults += of_clips
    settle(faults, f"'{root}', {'+'.join(subsets)}/{split}", problems)
    return clips


def read_clips(
    root: Path, subset: str, split: str, uids: Iterable[str], sources: Iterable[str]
) -> tuple[list[ClipFiles], list[Fault]]:
    """Files of the clips of one subset and split, there or not, and what is wrong with them.

    Args:
        root: of the data set.
        subset: a key of ``NUM_FRAMES``.
        split: of the clips.
        uids: names of the clips.
        sources: ``a_obj`` of each.
    """
    clips, faults = [], []
    lengths: dict[Path, int] = {}
    for uid, named in zip(uids, sources, strict=True):
        folder = root / subset / uid
        clip, found = clip_files(folder, uid, named, (subset, split) in FIRST_FRAME_ONLY)
        clips.append(clip)
        faults += found
        lengths[folder / "frames"] = len(clip.frames)
    return clips, faults + length_faults(lengths, NUM_FRAMES[subset])


def repeated(names: Iterable[str]) -> list[tuple[str, int]]:
    """Names that occur more than once, with their counts."""
    return [(name, n) for name, n in Counter(names).items() if n > 1]


def clip_files(
    folder: Path, uid: str, sources: str, first_only: bool
) -> tuple[ClipFiles, list[Fault]]:
    """Files of one clip of the semantic release, there or not, and what is wrong with them."""
    names = frozenset(sources.split("_")) - {"background", "off-the-screen", ""}
    audio = folder / "audio.wav"
    if not folder.is_dir():
        fault = Fault("row_without_folder", folder, "there is no such folder")
        return ClipFiles(uid, names, (), (), audio, first_only), [fault]
    labels = numbered(folder / "labels_rgb", LABEL_SUFFIXES)
    pictures = pair(numbered(folder / "frames"), labels, first_only=first_only)
    clip = ClipFiles(uid, names, pictures.frames, pictures.labels, audio, first_only)
    return clip, [*pictures.faults, *sound_faults(audio)]
