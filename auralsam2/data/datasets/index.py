"""AVSBench's index: which clips a split has and where their files lie."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from auralsam2.data.problems import SHOWN as SHOWN
from auralsam2.data.problems import DataError as DataError
from auralsam2.data.problems import refuse

if TYPE_CHECKING:
    import pandas as pd

INDEX = Path("avss_index") / "metadata.csv"
COLUMNS = ("uid", "a_obj", "split", "label")
FIRST_FRAME_ONLY = (("v1s", "train"),)
"""Subset and split whose clips have a label for their first frame only."""


class ClipFiles(NamedTuple):
    """Files of one clip, frames and labels in order of time.

    Attributes:
        uid: name of the clip.
        sources: names of what sounds in it.
        frames: one image a second.
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
        DataError: where columns, the split or files of clips are missing; all are listed.
    """
    import pandas as pd

    path = root / INDEX
    if not path.is_file():
        raise FileNotFoundError(
            f"no AVSBench index at '{path}'; set `data.root` to the folder that holds "
            f"'{INDEX.as_posix()}', or write clips with: auralsam2 make-synthetic {root}"
        )
    table = read_table(path, COLUMNS)
    subsets = (subset,) if isinstance(subset, str) else tuple(subset)
    of_split = table[table["split"] == split]
    empty = [f"{name}/{split}" for name in subsets if not (of_split["label"] == name).any()]
    if empty:
        found = sorted(Counter(table["label"] + "/" + table["split"]).items())
        known = ", ".join(f"{part}: {n}" for part, n in found)
        raise DataError(f"'{path}' has no clips of {' and '.join(empty)}; it has {known or 'none'}")
    rows = pd.concat([of_split[of_split["label"] == name] for name in subsets])
    problems = [f"clip '{uid}' stands {n} times in the index" for uid, n in repeated(rows["uid"])]
    clips = []
    for label, uid, sources in zip(rows["label"], rows["uid"], rows["a_obj"], strict=True):
        folder = root / label / uid
        clip = clip_files(folder, uid, sources, first_only=(label, split) in FIRST_FRAME_ONLY)
        problems += _problems(clip, folder)
        clips.append(clip)
    refuse(problems, f"'{root}', {'+'.join(subsets)}/{split}")
    return clips


def read_table(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    """All cells of an index as text.

    Raises:
        DataError: where columns are missing.
    """
    import pandas as pd

    # Names such as NA are no missing values.
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    missing = [name for name in columns if name not in table.columns]
    if missing:
        raise DataError(f"'{path}' lacks columns {missing}; it has {list(table.columns)}")
    return table


def repeated(names: Iterable[str]) -> list[tuple[str, int]]:
    """Names that occur more than once, with their counts."""
    return [(name, n) for name, n in Counter(names).items() if n > 1]


def in_order(folder: Path, suffix: str) -> tuple[Path, ...]:
    """Files sorted by the integer after the last underscore of their name, as AVSBench's are."""
    files = list(folder.glob(f"*{suffix}")) if folder.is_dir() else []
    return tuple(sorted(files, key=lambda p: (_number(p), p.name)))


def media_problems(folder: Path, frames: Sequence[Path], audio: Path) -> list[str]:
    """What is wrong with the frames and the sound that lie in a clip's folder."""
    if not folder.is_dir():
        return [f"no folder '{folder}'"]
    problems = [] if frames else [f"no frames/*.jpg in '{folder}'"]
    problems += number_problems(folder, frames)
    if not audio.is_file():
        problems.append(f"no {audio.name} in '{folder}'")
    return problems


def number_problems(folder: Path, files: Sequence[Path]) -> list[str]:
    """Files whose place in time their name does not tell."""
    odd = [p.name for p in files if _number(p) < 0]
    return [f"names without a number in '{folder}': {', '.join(odd[:3])}"] if odd else []


def clip_files(folder: Path, uid: str, sources: str, first_only: bool) -> ClipFiles:
    """Files of one clip of the semantic release, there or not."""
    names = frozenset(sources.split("_")) - {"background", "off-the-screen", ""}
    labels = in_order(folder / "labels_rgb", ".png")
    return ClipFiles(
        uid,
        names,
        in_order(folder / "frames", ".jpg"),
        labels[:1] if first_only else labels,
        folder / "audio.wav",
        first_only,
    )


def _number(path: Path) -> int:
    digits = path.stem.split("_")[-1]
    return int(digits) if digits.isdecimal() else -1


def _problems(clip: ClipFiles, folder: Path) -> list[str]:
    problems = media_problems(folder, clip.frames, clip.audio)
    if not folder.is_dir():
        return problems
    if clip.first_only and not clip.labels:
        problems.append(f"no labels_rgb/*.png in '{folder}'; its first frame needs one")
    elif not clip.first_only and len(clip.frames) != len(clip.labels):
        problems.append(f"{len(clip.frames)} frames but {len(clip.labels)} labels in '{folder}'")
    return problems + number_problems(folder, clip.labels)
