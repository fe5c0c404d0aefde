from __future__ import annotations

from auralsam2.data.checking.published import COUNTS, compare


def test_the_whole_benchmark_has_no_note() -> None:
    lines, notes = compare({k: n for k, n in COUNTS.items() if k.startswith("v1m/")}, "clips")
    assert notes == []
    assert [line["found"] for line in lines] == [296, 64, 64]


def test_subsets_add_up_to_what_the_semantic_release_counts() -> None:
    sums = [
        sum(COUNTS[f"{s}/{split}"] for s in ("v1s", "v1m", "v2"))
        for split in ("train", "val", "test")
    ]
    assert sums == [8498, 1304, 1554]


def test_missing_and_differing_splits_are_noted() -> None:
    _, notes = compare({"v1m/train": 296, "v1m/test": 60}, "clips")
    assert [(note.where, note.detail) for note in notes] == [
        ("v1m/val", "clips: 0, in the paper 64"),
        ("v1m/test", "clips: 60, in the paper 64"),
    ]


def test_the_test_splits_of_ref_avs_are_counted_together() -> None:
    counts = {"ref_avs/train": 14_117, "ref_avs/test_s": 2000, "ref_avs/test_u": 1500}
    lines, notes = compare({**counts, "ref_avs/test_n": 1270}, "expressions")
    assert notes == []
    assert lines[1] == {
        "split": "ref_avs/test_s+test_u+test_n",
        "found": 4770,
        "published": 4770,
    }
