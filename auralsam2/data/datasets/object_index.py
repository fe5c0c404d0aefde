"""Index of AVSBench's object release: which clips a split has and where their files lie."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import NamedTuple

from auralsam2.data.datasets.index import (
    FIRST_FRAME_ONLY,
    ClipFiles,
    in_order,
    number_problems,
    read_table,
    repeated,
)
from auralsam2.data.problems import DataError, refuse


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


LAYOUTS = {
    "v1s": ObjectLayout("s4", "Single-source", "name", "category", True),
    "v1m": ObjectLayout("ms3", "Multi-sources", "video_id", None, False),
}
"""By subset, in the words of the semantic release."""
SOUNDS = {"log_mel": ("audio_log_mel", ".pkl"), "wav": ("audio_wav", ".wav")}
"""What the model hears -> its folder and the ending of its files."""


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
        DataError: where columns, the split or files of clips are missing; all are listed.
    """
    layout = LAYOUTS[subset]
    data, path = find_object_release(root, subset)
    table = read_table(path, [layout.uid, *([layout.category] if layout.category else []), "split"])
    rows = table[table["split"] == split]
    if rows.empty:
        found = ", ".join(f"{part}: {n}" for part, n in sorted(Counter(table["split"]).items()))
        raise DataError(f"'{path}' has no clips of '{split}'; it has {found or 'none'}")
    names = list(rows[layout.uid])
    problems = [f"clip '{uid}' stands {n} times in the index" for uid, n in repeated(names)]
    categories = list(rows[layout.category]) if layout.category else [""] * len(names)
    first_only = (subset, split) in FIRST_FRAME_ONLY
    clips = []
    for uid, category in zip(names, categories, strict=True):
        clip = object_clip(data, layout, uid, category, split, audio, first_only)
        problems += _problems(clip, data, layout, category, split, audio)
        clips.append(clip)
    refuse(problems, f"'{data}', {subset}/{split}")
    return clips


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
    data: Path,
    layout: ObjectLayout,
    uid: str,
    category: str,
    split: str,
    audio: str,
    first_only: bool,
) -> ClipFiles:
    """Files of one clip of the object release, there or not."""
    frames, masks = clip_folders(layout, category, split, uid)
    labels = in_order(data / "gt_masks" / masks, ".png")
    return ClipFiles(
        uid,
        frozenset({category or uid}),
        in_order(data / "visual_frames" / frames, ".png"),
        labels[:1] if first_only else labels,
        sound_file(data, masks, audio),
        first_only,
    )


def sound_file(data: Path, below: Path, audio: str) -> Path:
    """Where the sound of a clip lies, as ``audio`` of ``SOUNDS``."""
    folder, suffix = SOUNDS[audio]
    # Names may hold dots: with_suffix would cut them.
    return data / folder / below.with_name(below.name + suffix)


def _problems(
    clip: ClipFiles, data: Path, layout: ObjectLayout, category: str, split: str, audio: str
) -> list[str]:
    shown, masks = clip_folders(layout, category, split, clip.uid)
    frames, labels = data / "visual_frames" / shown, data / "gt_masks" / masks
    problems = []
    if not frames.is_dir():
        problems.append(f"no folder '{frames}'")
    elif not clip.frames:
        problems.append(f"no *.png in '{frames}'")
    if not labels.is_dir():
        problems.append(f"no folder '{labels}'")
    elif clip.first_only and not clip.labels:
        problems.append(f"no *.png in '{labels}'; its first frame needs one")
    elif clip.frames and not clip.first_only and len(clip.frames) != len(clip.labels):
        problems.append(f"{len(clip.frames)} frames but {len(clip.labels)} masks in '{labels}'")
    problems += number_problems(frames, clip.frames) + number_problems(labels, clip.labels)
    if not clip.audio.is_file():
        other = "wav" if audio == "log_mel" else "log_mel"
        found = sound_file(data, masks, other).is_file()
        way_out = f"; audio={other!r} would find one" if found else ""
        problems.append(f"no '{clip.audio}'{way_out}")
    return problems
