"""Whatever breaks the pairing of frames, labels and seconds: every reader and its check say so."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from auralsam2.data.checking.findings import FAULT, KINDS
from auralsam2.data.datasets.clip_dataset import ClipDataset
from auralsam2.data.problems import TOLERATED, DataError
from auralsam2.registry import DATASETS

from ..trees import NUM_FRAMES, TREES, Tree


def _move(folder: Path, number: int, to: int) -> None:
    for path in sorted(folder.iterdir()):
        if int(path.stem.split("_")[-1]) == number:
            stem = path.stem.rpartition("_")
            path.rename(path.with_name("".join([*stem[:2], f"{to}{path.suffix}"])))


def drop_frame(tree: Tree) -> None:
    tree.numbered(tree.frames, tree.first + 1).unlink()


def drop_label(tree: Tree) -> None:
    tree.numbered(tree.labels, tree.first).unlink()


def drop_both(tree: Tree) -> None:
    drop_frame(tree)
    if not tree.first_only:
        tree.numbered(tree.labels, tree.first + 1).unlink()


def drop_first(tree: Tree) -> None:
    tree.numbered(tree.frames, tree.first).unlink()
    drop_label(tree)
    if tree.first_only:
        shutil.copy(next(tree.frames.iterdir()), tree.labels / f"{tree.first + 1}.png")


def drop_last(tree: Tree) -> None:
    tree.numbered(tree.frames, tree.first + NUM_FRAMES - 1).unlink()
    if not tree.first_only:
        tree.numbered(tree.labels, tree.first + NUM_FRAMES - 1).unlink()


def shift_frames(tree: Tree) -> None:
    for number in reversed(range(NUM_FRAMES)):
        _move(tree.frames, tree.first + number, tree.first + number + 1)


def shift_both(tree: Tree) -> None:
    shift_frames(tree)
    for number in reversed(range(NUM_FRAMES)):
        _move(tree.labels, tree.first + number, tree.first + number + 1)


def move_label(tree: Tree) -> None:
    """V1S' only label named 4.png, and its like."""
    _move(tree.labels, tree.first, tree.first + NUM_FRAMES)


def repeat(tree: Tree) -> None:
    path = tree.numbered(tree.frames, tree.first)
    shutil.copy(path, path.with_name(f"00{tree.first}{path.suffix}"))


def repeat_in_another_format(tree: Tree) -> None:
    path = tree.numbered(tree.frames, tree.first)
    shutil.copy(path, path.with_suffix(".JPEG"))


def unname(tree: Tree) -> None:
    path = tree.numbered(tree.frames, tree.first + 1)
    path.rename(path.with_stem("cover"))


def silence(tree: Tree) -> None:
    tree.sound.unlink()


def nothing_shown(tree: Tree) -> None:
    shutil.rmtree(tree.frames)


def nothing_labelled(tree: Tree) -> None:
    shutil.rmtree(tree.labels)


DAMAGES: dict[Callable[[Tree], None], str] = {
    drop_frame: "label_without_frame numbering_gap frame_count",
    drop_label: "frame_without_label missing_labels",
    drop_both: "numbering_gap frame_count",
    drop_first: "numbering_offset frame_count",
    shift_frames: "numbering_offset frame_without_label label_without_frame",
    shift_both: "numbering_offset",
    move_label: "frame_without_label label_without_frame numbering_offset",
    repeat: "repeated_number",
    repeat_in_another_format: "repeated_number",
    unname: "unnumbered_file label_without_frame numbering_gap frame_count",
    silence: "missing_audio",
    nothing_shown: "missing_frames",
    nothing_labelled: "missing_labels expression_without_object",
}
"""What is done to a clip -> kinds of fault that may tell it; at least one must."""
PAIRING = {kind for kinds in DAMAGES.values() for kind in kinds.split()}


def test_every_reader_of_clips_has_a_tree(tmp_path: Path) -> None:
    readers = {
        name
        for name, cls in DATASETS.module_dict.items()
        if isinstance(cls, type) and issubclass(cls, ClipDataset)
    }
    for name, plant in TREES.items():
        (tmp_path / name).mkdir()
        tree = plant(tmp_path / name)
        readers.discard(tree.node["type"])
        assert len(tree.read()) == 3 and tree.check().healthy
    assert not readers, "no tree in tests/auralsam2/data/trees.py"


@pytest.mark.parametrize("layout", TREES)
@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_readers_and_checks_tell_the_same_faults(
    tmp_path: Path, layout: str, damage: Callable[[Tree], None]
) -> None:
    tree = TREES[layout](tmp_path)
    damage(tree)
    with pytest.raises(DataError) as caught:
        tree.read()
    groups = tree.check().groups
    faults = {kind: found for kind, found in groups.items() if kind in PAIRING}
    assert faults and set(faults) <= set(DAMAGES[damage].split())
    refused = {kind: found for kind, found in faults.items() if kind not in TOLERATED}
    assert all((KINDS[kind].level == FAULT) == (kind in refused) for kind in faults)
    told = {line[4:] for line in str(caught.value).splitlines() if line.startswith("  - ")}
    found = {f"'{tree.root / f.where}': {f.detail}" for each in refused.values() for f in each}
    assert told <= found and len(told) == min(len(found), 5)


@pytest.mark.parametrize("layout", TREES)
def test_faults_of_a_split_are_told_together(tmp_path: Path, layout: str) -> None:
    tree = TREES[layout](tmp_path)
    rows = tree.index.read_text()
    tree.index.write_text(rows + rows.splitlines()[-1] + "\n")
    drop_frame(tree)
    silence(tree)
    with pytest.raises(DataError) as caught:
        tree.read()
    header, *told = str(caught.value).splitlines()
    assert header == f"'{tree.root}', {tree.split_name}: {len(told)} problems"
    for part in ("2 rows in train", "there is no frame", f"'{tree.sound}': there is no such"):
        assert any(part in line for line in told)
    assert ("audio='wav' would find one" in str(caught.value)) == (tree.sound.suffix == ".pkl")


@pytest.mark.parametrize("layout", TREES)
def test_a_clip_that_ends_early_is_read_and_told(
    tmp_path: Path, layout: str, caplog: pytest.LogCaptureFixture
) -> None:
    tree = TREES[layout](tmp_path)
    drop_last(tree)
    assert [len(clip.frames) for clip in tree.read().files] == [4, 3, 4]
    place, detail = tree.frames, "3 frames; most clips of its split have 4"
    assert f"'{place}': {detail}" in caplog.text
    (found,) = tree.check().groups["frame_count"]
    assert (tree.root / found.where, found.detail) == (place, detail)
