"""What a check reads of a data set: its clips, its rows, and what its index shows by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from auralsam2.data.datasets.avsbench_index import (
    OBJECT_LAYOUTS,
    SUBSETS,
    ObjectIndex,
    SemanticIndex,
)
from auralsam2.data.datasets.index import ClipFiles, Index, fingerprint
from auralsam2.data.datasets.ref_index import RefIndex
from auralsam2.data.datasets.semantic import FILE_NAME, ClassNumbersError, read_class_map
from auralsam2.data.pairing import usual_length
from auralsam2.data.problems import DataError, Finding

Colour = tuple[int, int, int]
NUM_CLASSES = 71
"""Of the semantic release, with the background."""


class LabelRule(NamedTuple):
    """Which colours labels may have."""

    most: int  # colours that one label may have at most beside black
    # Colour, black left out, -> name of its class; None where nothing tells them.
    classes: Mapping[Colour, str] | None = None


class Masks(NamedTuple):
    """Labels of one object or of all that sounds, and whether the index names any of it."""

    where: str
    files: tuple[Path, ...]
    named: bool = True


class ClipTask(NamedTuple):
    """Everything of one clip that lies on disk."""

    where: str  # what a report calls the clip
    frames: tuple[Path, ...]  # in order of time
    masks: tuple[Masks, ...]  # one for each object that has labels of its own
    sound: Path | None  # recording, there or not
    log_mel: Path | None  # pickled log-mel examples, likewise
    rule: LabelRule  # for its labels
    sources: frozenset[str] = frozenset()  # what the index says to sound


class Plan(NamedTuple):
    """A data set before any of its media is opened."""

    root: Path  # all files lie below it
    tasks: list[ClipTask]  # each clip once, however many rows name it
    findings: list[Finding]  # what index and folders show without opening a file
    # Split, such as ``v1m/train``, -> its rows; the names that fingerprints begin with.
    rows: dict[str, list[ClipFiles]]
    splits: dict[str, list[ClipFiles]]  # what readers take at once, one or several of these
    unit: str = "clips"  # what rows are

    def fingerprints(self, digests: Mapping[Path, bytes]) -> dict[str, str]:
        """SHA-256 of every split, that of the data set which reads it; without unreadable files."""
        splits = {**self.rows, **self.splits}
        return {s: fingerprint(s, self.root, rows, digests.get) for s, rows in splits.items()}


def joined(names: Iterable[str]) -> str:
    """List names, each once."""
    return ", ".join(sorted(set(names)))


def plan_of(index: Index, rule: LabelRule, told: Iterable[Finding] = ()) -> Plan:
    """List the clips of a data set, as its readers do; ``rule`` is for its labels."""
    findings = [*told, *_index_findings(index), *index.unnamed_folders()]
    rows: dict[str, list[ClipFiles]] = {}
    for part in dict.fromkeys(index.parts[index.rows.index]):
        clips, found = index.clips(part)
        name = f"{index.family}{part}"
        rows[name] = clips
        findings += found + _length_notes(name, clips, index.num_frames(part))
    splits: dict[str, list[ClipFiles]] = {}
    for split in index.splits:
        parts = [rows.get(f"{index.family}{part}", []) for part in index.parts_of(split)]
        if any(parts):
            splits[index.split_name(split)] = list(chain(*parts))
    tasks = _tasks(index, rule, [*chain(*rows.values())])
    return Plan(index.root, tasks, findings, rows, splits, index.unit)


def _index_findings(index: Index) -> Iterator[Finding]:
    """What the table of a data set shows by itself."""
    yield from [*index.tidied, *index.unread_rows(), *index.missing_rows()]
    splits = list(index.rows["split"])
    listed = joined(splits) or "none"
    missing = (split for split in index.splits if split not in splits)
    yield from (Finding("missing_split", s, f"the index has {listed}") for s in missing)
    yield from _across_splits(zip(index.ids(), splits, strict=True))
    yield from _videos_across_splits(index.videos(), splits)


def _across_splits(ids: Iterable[tuple[str, str]]) -> Iterator[Finding]:
    """What (id, split) pairs say about ids that stand in several splits."""
    splits: dict[str, set[str]] = {}
    for name, split in ids:
        splits.setdefault(name, set()).add(split)
    for name, found in splits.items():
        if len(found) > 1:
            yield Finding("duplicate_across_splits", name, f"in {joined(found)}")


def _videos_across_splits(
    videos: Iterable[tuple[str, str]], splits: Sequence[str]
) -> Iterator[Finding]:
    """Videos of which different clips or expressions stand in several splits."""
    held: dict[str, dict[str, str]] = {}
    for (video, name), split in zip(videos, splits, strict=True):
        held.setdefault(video, {}).setdefault(name, split)
    for video, of_names in held.items():
        if len(set(of_names.values())) > 1:
            yield Finding("video_across_splits", video, f"in {joined(of_names.values())}")


def _tasks(index: Index, rule: LabelRule, clips: Sequence[ClipFiles]) -> list[ClipTask]:
    """Clips by what they show, with the labels of every object that is referred to."""
    of_frames: dict[object, list[ClipFiles]] = {}
    for clip in clips:
        of_frames.setdefault(clip.frames or clip.audio, []).append(clip)
    tasks = []
    for same in of_frames.values():
        clip, where = same[0], index.name_of(same[0])
        if where is None:
            continue
        labels = {c.labels[0].parent: c for c in reversed(same) if c.labels}
        masks = (Masks(index.name_of_labels(c), c.labels, bool(c.sources)) for c in labels.values())
        sounds = index.sounds(clip)
        tasks.append(ClipTask(where, clip.frames, tuple(masks), *sounds, rule, clip.sources))
    return tasks


def _length_notes(split: str, clips: Sequence[ClipFiles], published: int) -> list[Finding]:
    """A note where most clips of a split have another number of frames than published."""
    usual = usual_length((len(clip.frames) for clip in clips), published)
    if usual == published:
        return []
    return [Finding("frames_differ", split, f"{usual} frames a clip, in the paper {published}")]


def _plan_semantic(root: Path, subsets: Sequence[str]) -> Plan:
    index = SemanticIndex(root, subsets)
    rule, findings = _semantic_rule(root)
    return plan_of(index, rule, findings)


def _semantic_rule(root: Path) -> tuple[LabelRule, list[Finding]]:
    """The colours of ``label2idx.json``, or no more than a bound on their number."""
    loose = LabelRule(NUM_CLASSES - 1)
    try:
        class_map = read_class_map(root)
    except FileNotFoundError:
        detail = (
            f"there is none; labels were checked for having at most {NUM_CLASSES - 1} colours each"
        )
        return loose, [Finding("unknown_palette", FILE_NAME, detail)]
    except ClassNumbersError as error:
        return loose, [Finding("class_numbers", FILE_NAME, str(error))]
    except DataError as error:
        return loose, [Finding("unusable_class_list", FILE_NAME, str(error))]
    colours = zip(class_map.colours.tolist(), class_map.names, strict=True)
    classes = {(r, g, b): name for (r, g, b), name in colours if r or g or b}
    return LabelRule(len(classes), classes), []


def _plan_object(root: Path, subset: str) -> Plan:
    return plan_of(ObjectIndex(root, subset), LabelRule(1))  # white on black


def _plan_ref_avs(root: Path) -> Plan:
    return plan_of(RefIndex(root), LabelRule(1))  # one object a picture, in whatever colour


LAYOUTS: dict[str, Callable[[Path], Plan]] = {
    **{subset: partial(_plan_semantic, subsets=(subset,)) for subset in SUBSETS},
    "avsbench": partial(_plan_semantic, subsets=SUBSETS),
    **{
        layout.name: partial(_plan_object, subset=subset)
        for subset, layout in OBJECT_LAYOUTS.items()
    },
    "ref_avs": _plan_ref_avs,
}
"""Layout -> function that lists its clips below a root."""
