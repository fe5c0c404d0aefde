"""Index of AVSBench's object release: which clips a split has and where their files lie."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from auralsam2.data.datasets.index import (
    FIRST_FRAME_ONLY,
    NUM_FRAMES,
    ClipFiles,
    repeated,
)
from auralsam2.data.datasets.metadata import SPLITS, read_table
from auralsam2.data.pairing import (
    LABEL_SUFFIXES,
    Numbered,
    length_faults,
    numbered,
    pair,
    sound_faults,
)
from auralsam2.data.problems import DataError, Fault, settle


class ObjectLayout(NamedTuple):
    """Where a part of the release keeps its files.

    Attributes:
        name: of the part, as its folder says it.
        parent: folder that the published archive unpacks to.
        uid: column of the clips' names.
        category: column of the object that sounds, which is also a level of the folders; none
            where several objects sound.
        frames_by_split: whether frames lie below a folder of their split, as all else does.
    """

    name: str
    parent: str
    uid: str
    category: str | None
    frames_by_split: bool

    @property
    def columns(self) -> tuple[str, ...]:
        """That the index must have."""
        return (self.uid, *([self.category] if self.category else []), "split")


LAYOUTS = {
    "v1s": ObjectLayout("s4", "Single-source", "name", "category", True),
    "v1m": ObjectLayout("ms3", "Multi-sources", "video_id", None, False),
}
"""By subset, in the words of the semantic release."""
SOUNDS = {"log_mel": ("audio_log_mel", ".pkl"), "wav": ("audio_wav", ".wav")}
"""What the model hears -> its folder and the ending of its files."""
KNOWN = {"split": SPLITS}
"""Column of the index -> what it may say."""
FIRST = 1
"""Number of the first frame and the first mask of a clip."""


def read_object_index(root: Path, subset: str, split: str, audio: str) -> list[ClipFiles]:
    """Clips of one split in the order of the index.

    Args:
        root: folder that holds ``s4_data`` and ``s4_meta_data.csv``, or ``ms3_data`` and
            ``ms3_meta_data.csv``, or the folders ``Single-source`` and ``Multi-sources`` that
            hold them. The index may also lie inside of the data folder.
        subset: ``v1s`` or ``v1m``.
        split: ``train``, ``val`` or ``test``.
        audio: ``log_mel`` or ``wav``, which files are the clips' sound.

    Returns:
        The ``sources`` of a clip of ``v1s`` are its category, those of ``v1m``, whose index names
        no categories, the clip itself.

    Raises:
        FileNotFoundError: where there is no data folder or no index.
        DataError: where columns, the split or files of clips are missing, or where numbers do not
            tell which frame, mask and second belong together; all are listed.
    """
    layout = LAYOUTS[subset]
    data, path = find_object_release(root, subset)
    table = read_table(path, layout.columns, KNOWN)
    rows = table[table["split"] == split]
    if rows.empty:
        found = ", ".join(f"{part}: {n}" for part, n in sorted(Counter(table["split"]).items()))
        raise DataError(f"'{path}' has no clips of '{split}'; it has {found or 'none'}")
    names = list(rows[layout.uid])
    problems = [f"clip '{uid}' stands {n} times in the index" for uid, n in repeated(names)]
    categories = list(rows[layout.category]) if layout.category else [""] * len(names)
    clips, faults = read_object_clips(data, subset, split, names, categories, audio)
    settle(faults, f"'{data}', {subset}/{split}", problems)
    return clips


def read_object_clips(
    data: Path,
    subset: str,
    split: str,
    uids: Iterable[str],
    categories: Iterable[str],
    audio: str,
) -> tuple[list[ClipFiles], list[Fault]]:
    """Files of the clips of one subset and split, there or not, and what is wrong with them."""
    clips, faults = [], []
    lengths: dict[Path, int] = {}
    for uid, category in zip(uids, categories, strict=True):
        clip, found = object_clip(data, subset, uid, category, split, audio)
        clips.append(clip)
        faults += found
        shown, _ = clip_folders(LAYOUTS[subset], category, split, uid)
        lengths[data / "visual_frames" / shown] = len(clip.frames)
    return clips, faults + length_faults(lengths, NUM_FRAMES[subset])


def find_object_release(root: Path, subset: str) -> tuple[Path, Path]:
    """Data folder and index of a subset.

    Raises:
        FileNotFoundError: naming every place that was looked at.
    """
    layout = LAYOUTS[subset]
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


def clip_folders(layout: ObjectLayout, category: str, split: str, uid: str) -> tuple[Path, Path]:
    """Folder of frames and folder of masks, below ``visual_frames`` and ``gt_masks``."""
    below = Path(split, category, uid) if category else Path(split, uid)
    return (below if layout.frames_by_split else Path(uid)), below


def object_clip(
    data: Path, subset: str, uid: str, category: str, split: str, audio: str
) -> tuple[ClipFiles, list[Fault]]:
    """Files of one clip of the object release, there or not, and what is wrong with them."""
    layout, first_only = LAYOUTS[subset], (subset, split) in FIRST_FRAME_ONLY
    shown, below = clip_folders(layout, category, split, uid)
    frames = numbered(data / "visual_frames" / shown)
    masks = numbered(data / "gt_masks" / below, LABEL_SUFFIXES)
    pictures = pair(frames, masks, FIRST, first_only)
    sound = sound_file(data, below, audio)
    faults = _picture_faults(frames, masks, pictures.faults)
    if not any(fault.kind == "row_without_folder" for fault in faults):
        faults += object_sound_faults(data, below, audio)
    names = frozenset({category or uid})
    return ClipFiles(uid, names, pictures.frames, pictures.labels, sound, first_only), faults


def object_sound_faults(data: Path, below: Path, audio: str) -> list[Fault]:
    """Whether a clip lacks its sound, and what would find it in another form."""
    other = "wav" if audio == "log_mel" else "log_mel"
    found = sound_file(data, below, other).is_file()
    way_out = f"; audio={other!r} would find one" if found else ""
    return sound_faults(sound_file(data, below, audio), way_out)


def _picture_faults(frames: Numbered, masks: Numbered, faults: tuple[Fault, ...]) -> list[Fault]:
    """Of a clip that has neither folder, that it is not there at all."""
    if frames.folder.is_dir() or masks.folder.is_dir():
        return list(faults)
    detail = f"there is no such folder, and no '{frames.folder}'"
    return [Fault("row_without_folder", masks.folder, detail)]


def sound_file(data: Path, below: Path, audio: str) -> Path:
    """Where the sound of a clip lies, as ``audio`` of ``SOUNDS``."""
    folder, suffix = SOUNDS[audio]
    # Names may hold dots: with_suffix would cut them.
    return data / folder / below.with_name(below.name + suffix)
