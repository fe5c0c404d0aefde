from __future__ import annotations

from pathlib import Path

import pytest

from auralsam2.data.pairing import LABEL_SUFFIXES, length_faults, numbered, pair


def put(folder: Path, names: str) -> Path:
    """Empty files; pairing opens none."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names.split():
        (folder / name).touch()
    return folder


def test_pictures_pair_by_number_whatever_their_names(tmp_path: Path) -> None:
    frames = numbered(put(tmp_path / "frames", "a_b_0.jpg 1.JPG 2.jpeg 3.png"))
    labels = numbered(put(tmp_path / "labels", "00000.png x_1.PNG 2.png 3.png"), LABEL_SUFFIXES)
    found = pair(frames, labels)
    assert found.faults == ()
    assert [p.name for p in found.frames] == ["a_b_0.jpg", "1.JPG", "2.jpeg", "3.png"]
    assert [p.name for p in found.labels] == ["00000.png", "x_1.PNG", "2.png", "3.png"]


@pytest.mark.parametrize(
    ("frames", "labels", "first", "first_only", "kinds"),
    [
        ("0 2 3", "0 2 3", 0, False, ["numbering_gap", "numbering_gap"]),
        ("0 2 3", "0 1 2 3", 0, False, ["label_without_frame"]),
        ("0 2 3", "0", 0, True, ["numbering_gap"]),
        ("1 2 3", "1 2 3", 0, False, ["numbering_offset", "numbering_offset"]),
        ("1 2 3", "1 2 3", 1, False, []),
        ("0 1 2", "0 1 2", 1, False, ["numbering_offset", "numbering_offset"]),
        ("0 1 2 3", "1", 1, True, ["numbering_offset"]),
        ("1 2 3", "2", 0, True, ["numbering_offset"]),
        ("1 2 3", "0 1 2 3", 0, False, ["label_without_frame"]),
        ("0 1 2", "0 1 2 7", 0, False, ["numbering_gap", "label_without_frame"]),
        ("0 1 2", "2", 0, True, ["frame_without_label"]),
        ("0 1 2", "", 0, True, ["missing_labels"]),
        ("0 00 1", "0 1", 0, False, ["repeated_number"]),
        ("0 1 cover", "0 1", 0, False, ["unnumbered_file"]),
        ("0 1 (1)", "0 1", 0, False, ["unnumbered_file"]),
    ],
)
def test_faults_of_numbers(
    tmp_path: Path, frames: str, labels: str, first: int, first_only: bool, kinds: list[str]
) -> None:
    shown = numbered(put(tmp_path / "frames", " ".join(f"{n}.jpg" for n in frames.split())))
    drawn = numbered(put(tmp_path / "masks", " ".join(f"{n}.png" for n in labels.split())))
    assert [fault.kind for fault in pair(shown, drawn, first, first_only).faults] == kinds


def test_no_selection_of_numbers_but_the_whole_one_is_without_a_fault(tmp_path: Path) -> None:
    """All pairs of non-empty sets of the numbers 0 to 3, under both rules."""
    sets = [[n for n in range(4) if bits >> n & 1] for bits in range(1, 16)]
    listed = {}
    for index, chosen in enumerate(sets):
        folder = put(tmp_path / str(index), " ".join(f"{n}.png" for n in chosen))
        listed[index] = numbered(folder, LABEL_SUFFIXES)
    for first in (0, 1):
        for i, frames in enumerate(sets):
            whole = frames == list(range(first, first + len(frames)))
            for j, labels in enumerate(sets):
                every = not pair(listed[i], listed[j], first).faults
                assert every == (whole and frames == labels)
                alone = not pair(listed[i], listed[j], first, first_only=True).faults
                assert alone == (whole and first in labels and set(labels) <= set(frames))


def test_what_lies_in_the_place_of_pictures_is_told(tmp_path: Path) -> None:
    frames = numbered(put(tmp_path / "frames", "0.bmp 1.bmp"))
    (fault,) = pair(frames, None).faults
    assert fault.kind == "missing_frames" and fault.where == tmp_path / "frames"
    assert fault.detail == "no *.jpg, *.jpeg, *.png in it; it has 0.bmp, 1.bmp"


def test_clips_of_a_split_are_equally_long(tmp_path: Path) -> None:
    def odd(*lengths: int) -> list[str]:
        clips = {tmp_path / str(i): length for i, length in enumerate(lengths)}
        return [f"{f.where.name}: {f.detail}" for f in length_faults(clips, 10)]

    assert odd(10, 5, 10) == ["1: 5 frames; most clips of its split have 10"]
    for other in (5, 15):
        told = f"0: {other} frames; most clips of its split have 10"  # the papers' number
        assert odd(other, 10) == [told]
    assert odd(3, 3, 0) == []  # a clip without frames has a fault of its own
