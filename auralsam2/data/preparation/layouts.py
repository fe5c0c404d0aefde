"""Which clips a layout wants, and what the videos that hold them are called."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from auralsam2.data.datasets import avsbench_index, ref_index
from auralsam2.data.datasets.metadata import read_metadata
from auralsam2.data.problems import DataError

if TYPE_CHECKING:
    import pandas as pd


class Source(NamedTuple):
    """A video that may hold a clip, from second ``start`` on; ``stem`` is its name without ending.

    Kind ``uid`` holds this clip and nothing else, kind ``vid`` is the whole recording.
    """

    kind: str
    stem: str
    start: float


class Wanted(NamedTuple):
    """A clip that a data set asks for: its name, and where it may come from."""

    name: str
    sources: tuple[Source, ...]

    @classmethod
    def alone(cls, name: str) -> Wanted:
        """A clip that the video of its name holds alone."""
        return cls(name, (Source("uid", name, 0.0),))


class Layout(NamedTuple):
    """A benchmark's folders and table of clips, which last ``num_frames`` seconds.

    ``known`` says what a column may say, ``wanted`` which clips a table asks for.
    """

    num_frames: int
    folder: str
    table: Path
    columns: tuple[str, ...]
    known: Mapping[str, Iterable[str]]
    wanted: Callable[[pd.DataFrame], list[Wanted]]


def _avsbench(label: str) -> Layout:
    def wanted(table: pd.DataFrame) -> list[Wanted]:
        rows = table[table["label"] == label]
        if rows.empty:
            found = ", ".join(sorted(set(table["label"]))) or "none"
            raise DataError(f"the index has no clips with the label '{label}'; it has {found}")
        columns = (rows[name] for name in ("vid", "uid", "s_min", "s_sec"))
        return [
            Wanted(uid, (Source("uid", uid, 0.0), Source("vid", vid, _seconds(uid, s_min, s_sec))))
            for vid, uid, s_min, s_sec in zip(*columns, strict=True)
        ]

    columns = ("vid", "uid", "s_min", "s_sec", "label")
    num_frames, known = avsbench_index.NUM_FRAMES[label], {"label": avsbench_index.SUBSETS}
    return Layout(num_frames, label, avsbench_index.INDEX, columns, known, wanted)


def _seconds(uid: str, minutes: str, seconds: str) -> float:
    try:
        return 60 * float(minutes) + float(seconds)
    except ValueError as error:
        raise DataError(
            f"clip '{uid}' begins at s_min={minutes!r}, s_sec={seconds!r}; wanted two numbers"
        ) from error


def _ref_avs(table: pd.DataFrame) -> list[Wanted]:
    rows = table.to_dict("records")
    return [Wanted.alone(ref_index.expression_of(row).video) for row in rows]


LAYOUTS = {
    "v1s": _avsbench("v1s"),
    "v1m": _avsbench("v1m"),
    "v2": _avsbench("v2"),
    "ref_avs": Layout(
        ref_index.NUM_FRAMES, "media", ref_index.INDEX, ref_index.COLUMNS, ref_index.KNOWN, _ref_avs
    ),
}


def read_wanted(path: Path, layout: Layout) -> list[Wanted]:
    """Clips that a table of AVSBench's or Ref-AVS's ``metadata.csv`` asks for, each once.

    Raises:
        FileNotFoundError: where there is no such file.
        DataError: where columns or clips are missing, or a time is no number.
    """
    if not path.is_file():
        raise FileNotFoundError(f"no index at '{path}'")
    clips = layout.wanted(read_metadata(path, layout.columns, layout.known).table)
    odd = [clip.name for clip in clips if Path(clip.name).name != clip.name]
    if odd:
        raise DataError(f"'{path}' has names that are no names of folders: {odd[:3]}")
    return list({clip.name: clip for clip in clips}.values())
