"""AVSBench's index: which clips a split has and where their files lie."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

INDEX = Path("avss_index") / "metadata.csv"
COLUMNS = ("uid", "a_obj", "split", "label")
SHOWN = 5


class DataError(ValueError):
    """A data set cannot be read; lists all problems at once."""


class ClipFiles(NamedTuple):
    """Files of one clip, frames and labels in order of time.

    Attributes:
        uid: name of the clip.
        sources: names of what sounds in it.
        frames: one image a second.
        labels: one mask a labelled frame.
        audio: the recording.
    """

    uid: str
    sources: frozenset[str]
    frames: tuple[Path, ...]
    labels: tuple[Path, ...]
    audio: Path

    def all(self) -> tuple[Path, ...]:
        """Every file of the clip."""
        return (*self.frames, *self.labels, self.audio)


def read_index(root: Path, subset: str, split: str) -> list[ClipFiles]:
    """Clips of one split, in the order of the index.

    Args:
        root: folder that holds ``avss_index/metadata.csv`` and ``SUBSET/UID/``.
        subset: value of the column ``label``: ``v1s``, ``v1m`` or ``v2``.
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
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    missing = [name for name in COLUMNS if name not in table.columns]
    if missing:
        raise DataError(f"'{path}' lacks columns {missing}; it has {list(table.columns)}")
    rows = table[(table["label"] == subset) & (table["split"] == split)]
    if rows.empty:
        found = table.groupby(["label", "split"]).size().to_dict()
        known = ", ".join(f"{label}/{part}: {n}" for (label, part), n in found.items())
        raise DataError(f"'{path}' has no clips of {subset}/{split}; it has {known or 'none'}")
    problems = [f"clip '{uid}' stands {n} times in the index" for uid, n in _repeated(rows["uid"])]
    clips = []
    for uid, sources in zip(rows["uid"], rows["a_obj"], strict=True):
        clip = _clip(root / subset / uid, uid, sources)
        problems += _problems(clip, root / subset / uid)
        clips.append(clip)
    if problems:
        shown = "\n".join(f"  - {p}" for p in problems[:SHOWN])
        more = f"\n  ... and {len(problems) - SHOWN} more" if len(problems) > SHOWN else ""
        raise DataError(f"{len(problems)} problem(s) in '{root}', {subset}/{split}:\n{shown}{more}")
    return clips


def _repeated(uids: object) -> list[tuple[str, int]]:
    import pandas as pd

    counts = pd.Series(uids).value_counts()
    return [(str(uid), int(n)) for uid, n in counts[counts > 1].items()]


def _clip(folder: Path, uid: str, sources: str) -> ClipFiles:
    names = frozenset(sources.split("_")) - {"background", "off-the-screen", ""}
    return ClipFiles(
        uid,
        names,
        _in_order(folder / "frames", ".jpg"),
        _in_order(folder / "labels_rgb", ".png"),
        folder / "audio.wav",
    )


def _in_order(folder: Path, suffix: str) -> tuple[Path, ...]:
    """Files sorted by the integer after the last underscore of their name, as AVSBench's are."""
    files = list(folder.glob(f"*{suffix}")) if folder.is_dir() else []
    return tuple(sorted(files, key=lambda p: (_number(p), p.name)))


def _number(path: Path) -> int:
    digits = path.stem.split("_")[-1]
    return int(digits) if digits.isdecimal() else -1


def _problems(clip: ClipFiles, folder: Path) -> list[str]:
    if not folder.is_dir():
        return [f"no folder '{folder}'"]
    problems = []
    if not clip.frames:
        problems.append(f"no frames/*.jpg in '{folder}'")
    if len(clip.frames) != len(clip.labels):
        problems.append(f"{len(clip.frames)} frames but {len(clip.labels)} labels in '{folder}'")
    odd = [p.name for p in (*clip.frames, *clip.labels) if _number(p) < 0]
    if odd:
        problems.append(f"names without a number in '{folder}': {', '.join(odd[:3])}")
    if not clip.audio.is_file():
        problems.append(f"no audio.wav in '{folder}'")
    return problems
