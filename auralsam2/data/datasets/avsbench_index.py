"""Indices of AVSBench: the semantic release (V1S, V1M, V2) and the object release (S4, MS3)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from auralsam2.data.datasets.index import ClipFiles, Index
from auralsam2.data.datasets.metadata import SPLITS
from auralsam2.data.pairing import LABEL_SUFFIXES, numbered, pair, sound_faults
from auralsam2.data.problems import Finding
from auralsam2.listing import folders_in

if TYPE_CHECKING:
    import pandas as pd

INDEX = Path("avss_index") / "metadata.csv"
FIRST_FRAME_ONLY = (("v1s", "train"),)
"""Subset and split whose clips have a label for their first frame only."""
SUBSETS = ("v1s", "v1m", "v2")
NUM_FRAMES = {"v1s": 5, "v1m": 5, "v2": 10}
"""Of the clips of each subset, as published."""
NOT_SEEN = {"background", "off-the-screen", ""}
"""Stand in ``a_obj`` where nothing that can be seen sounds."""


class SemanticIndex(Index):
    """Clips in folders ``SUBSET/UID`` below the root, listed in ``avss_index/metadata.csv``.

    ``subsets`` of ``SUBSETS`` are read one after the other.

    Raises:
        FileNotFoundError: where there is no table.
        DataError: where it lacks columns.
    """

    columns = ("uid", "a_obj", "split", "label")
    known = {"label": SUBSETS, "split": SPLITS}

    def __init__(self, root: Path, subsets: Sequence[str]) -> None:
        if not (root / INDEX).is_file():
            raise FileNotFoundError(
                f"no AVSBench index at '{root / INDEX}'; set `data.root` (ROOT of check-data) to "
                f"the folder that holds '{INDEX.as_posix()}', or write clips with: "
                f"auralsam2 make-synthetic {root}"
            )
        self.subsets = tuple(subsets)
        super().__init__(root, root / INDEX)

    def part_of_rows(self) -> pd.Series[str]:
        """``SUBSET/SPLIT``."""
        return self.table["label"] + "/" + self.table["split"]

    def parts_of(self, split: str) -> list[str]:
        """The split in each of the subsets."""
        return [f"{subset}/{split}" for subset in self.subsets]

    def split_name(self, split: str) -> str:
        """Of all subsets together."""
        return f"{'+'.join(self.subsets)}/{split}"

    def num_frames(self, part: str) -> int:
        """As published for the subset."""
        return NUM_FRAMES[part.partition("/")[0]]

    def clip_files(self, row: Mapping[str, str]) -> tuple[ClipFiles, list[Finding]]:
        """``frames``, ``labels_rgb`` and ``audio.wav`` of a folder."""
        subset, uid = row["label"], row["uid"]
        folder, first_only = self.root / subset / uid, (subset, row["split"]) in FIRST_FRAME_ONLY
        names, audio = frozenset(row["a_obj"].split("_")) - NOT_SEEN, folder / "audio.wav"
        if not folder.is_dir():
            fault = Finding("row_without_folder", folder, "there is no such folder")
            return ClipFiles(uid, names, (), (), audio, first_only), [fault]
        labels = numbered(folder / "labels_rgb", LABEL_SUFFIXES) if self.labelled else None
        pictures = pair(numbered(folder / "frames"), labels, first_only=first_only)
        clip = ClipFiles(uid, names, pictures.frames, pictures.labels, audio, first_only)
        return clip, [*pictures.faults, *sound_faults(audio)]

    def name_of(self, clip: ClipFiles) -> str | None:
        """``SUBSET/UID``."""
        folder = clip.audio.parent
        return folder.relative_to(self.root).as_posix() if folder.is_dir() else None

    def ids(self) -> pd.Series[str]:
        """``SUBSET/UID``: subsets may share names."""
        return self.rows["label"] + "/" + self.rows["uid"]

    def videos(self) -> Iterable[tuple[str, str]]:
        """By the column ``vid``, where the table has it."""
        if "vid" not in self.rows:
            return super().videos()
        return zip(self.rows["vid"], self.rows["uid"], strict=True)

    def missing_rows(self) -> Iterator[Finding]:
        """Subsets without a row."""
        found = ", ".join(f"{k}: {n}" for k, n in sorted(Counter(self.table["label"]).items()))
        for subset in self.subsets:
            if not (self.rows["label"] == subset).any():
                detail = f"no rows of '{subset}'; it has {found or 'none'}"
                yield Finding("unusable_index", self.path, detail)

    def unnamed_folders(self) -> Iterator[Finding]:
        """A row with an unknown subset is one finding, and its folder no second one."""
        for subset in self.subsets:
            mine = (self.table["label"] == subset) | ~self.table["label"].isin(SUBSETS)
            named = set(self.table["uid"][mine])
            strangers = (f for f in folders_in(self.root / subset) if f.name not in named)
            yield from (Finding("folder_without_row", folder) for folder in strangers)


class ObjectLayout(NamedTuple):
    """Where a part of the object release keeps its files."""

    name: str  # of the part, as its folder says it
    parent: str  # folder that the published archive unpacks to
    uid: str  # column of the clips' names
    # Column of the object that sounds, which is also a level of the folders; none where several
    # objects sound.
    category: str | None
    frames_by_split: bool  # whether frames lie below a folder of their split, as all else does


OBJECT_LAYOUTS = {
    "v1s": ObjectLayout("s4", "Single-source", "name", "category", True),
    "v1m": ObjectLayout("ms3", "Multi-sources", "video_id", None, False),
}
"""By subset, in the words of the semantic release."""
SOUNDS = {"log_mel": ("audio_log_mel", ".pkl"), "wav": ("audio_wav", ".wav")}
"""What the model hears -> its folder and the ending of its files."""
FIRST = 1
"""Number of the first frame and the first mask of a clip."""


class ObjectIndex(Index):
    """Clips of a subset of the object release.

    The ``sources`` of a clip of ``v1s`` are its category, those of ``v1m``, whose table names no
    categories, the clip itself.

    Args:
        root: folder that holds ``s4_data`` and ``s4_meta_data.csv``, or ``ms3_data`` and
            ``ms3_meta_data.csv``, or the folders ``Single-source`` and ``Multi-sources`` that
            hold them. The table may also lie inside of the data folder.
        subset: ``v1s`` or ``v1m``.
        audio: ``log_mel`` or ``wav``, which files are the clips' sound; None for every form that
            has a folder, the first of them being the clips' sound.

    Raises:
        FileNotFoundError: where there is no data folder or no table, naming every place.
        DataError: where the table lacks columns.
    """

    def __init__(self, root: Path, subset: str, audio: str | None = None) -> None:
        self.subset, self.layout = subset, OBJECT_LAYOUTS[subset]
        self.uid, self.family = self.layout.uid, f"object/{subset}/"
        category = [self.layout.category] if self.layout.category else []
        self.columns = (self.uid, *category, "split")
        self.data, path = _find_release(root, self.layout)
        there = [kind for kind, (folder, _) in SOUNDS.items() if (self.data / folder).is_dir()]
        self.kinds = [audio] if audio else there or list(SOUNDS)[:1]
        super().__init__(root, path)

    def num_frames(self, part: str) -> int:
        """As published for the subset."""
        return NUM_FRAMES[self.subset]

    def clip_files(self, row: Mapping[str, str]) -> tuple[ClipFiles, list[Finding]]:
        """``visual_frames``, ``gt_masks`` and a file of sound."""
        uid, category = row[self.uid], row[self.layout.category] if self.layout.category else ""
        below = Path(row["split"], category, uid)
        first_only = (self.subset, row["split"]) in FIRST_FRAME_ONLY
        frames = numbered(self._frames(below))
        masks = numbered(self.data / "gt_masks" / below, LABEL_SUFFIXES)
        pictures = pair(frames, masks if self.labelled else None, FIRST, first_only)
        if frames.folder.is_dir() or masks.folder.is_dir():
            sounds = [f for kind in self.kinds for f in self._sound_findings(below, kind)]
            findings = [*pictures.faults, *sounds]
        else:
            detail = f"there is no such folder, and no '{frames.folder}'"
            findings = [Finding("row_without_folder", masks.folder, detail)]
        names, audio = frozenset({category or uid}), self._sound(below, self.kinds[0])
        clip = ClipFiles(uid, names, pictures.frames, pictures.labels, audio, first_only)
        return clip, findings

    def name_of(self, clip: ClipFiles) -> str | None:
        """Split, category and name, where the release has frames or masks of it."""
        below = self._below(clip)
        folders = (self._frames(below), self.data / "gt_masks" / below)
        return below.as_posix() if any(folder.is_dir() for folder in folders) else None

    def sounds(self, clip: ClipFiles) -> tuple[Path | None, Path | None]:
        """None where the release has no such folder."""
        found = {kind: self._sound(self._below(clip), kind) for kind in self.kinds}
        return found.get("wav"), found.get("log_mel")

    def unnamed_folders(self) -> Iterator[Finding]:
        """Folders below split and category; each clip once."""
        named = set(self.table[self.uid])
        depth = 2 if self.layout.category else 1
        levels = {"gt_masks": depth, "visual_frames": depth * self.layout.frames_by_split}
        strangers: dict[str, Path] = {}
        for parent, depth in levels.items():
            folders = [self.data / parent]
            for _ in range(depth + 1):
                folders = [below for folder in folders for below in folders_in(folder)]
            for folder in folders:
                if folder.name not in named:
                    strangers.setdefault(folder.name, folder.relative_to(self.data))
        yield from (Finding("folder_without_row", f.as_posix()) for f in strangers.values())

    def _frames(self, below: Path) -> Path:
        shown = below if self.layout.frames_by_split else Path(below.name)
        return self.data / "visual_frames" / shown

    def _below(self, clip: ClipFiles) -> Path:
        folder, suffix = SOUNDS[self.kinds[0]]
        below = clip.audio.relative_to(self.data / folder)
        return below.with_name(below.name.removesuffix(suffix))

    def _sound(self, below: Path, kind: str) -> Path:
        folder, suffix = SOUNDS[kind]
        # Names may hold dots: with_suffix would cut them.
        return self.data / folder / below.with_name(below.name + suffix)

    def _sound_findings(self, below: Path, kind: str) -> list[Finding]:
        """Whether a clip lacks its sound, and what would find it in another form."""
        other = "wav" if kind == "log_mel" else "log_mel"
        found = self._sound(below, other).is_file()
        way_out = f"; audio={other!r} would find one" if found else ""
        return sound_faults(self._sound(below, kind), way_out)


def _find_release(root: Path, layout: ObjectLayout) -> tuple[Path, Path]:
    """Data folder and table."""
    folder, index = f"{layout.name}_data", f"{layout.name}_meta_data.csv"
    homes = [root, root / layout.parent]
    data = next((home / folder for home in homes if (home / folder).is_dir()), None)
    if data is None:
        raise FileNotFoundError(
            f"no folder '{folder}' in '{root}' or '{root / layout.parent}'; set `data.root` to the "
            "folder that AVSBench's object release was unpacked to. Its semantic release "
            "('avss_index/metadata.csv') is read by AVSBenchDataset"
        )
    places = [data.parent / index, data / index]
    path = next((place for place in places if place.is_file()), None)
    if path is None:
        raise FileNotFoundError(f"no index at {' or '.join(f'{str(p)!r}' for p in places)}")
    return data, path
