from __future__ import annotations

from pathlib import Path

from auralsam2.data.checking.findings import (
    COUNTS,
    KINDS,
    LEVELS,
    compare,
    group,
    groups_to_json,
    groups_to_text,
    is_healthy,
)
from auralsam2.data.problems import Finding


def test_kinds_are_explained_and_go_from_faults_to_notes() -> None:
    levels = [LEVELS.index(kind.level) for kind in KINDS.values()]
    assert levels == sorted(levels)
    assert all(kind.meaning for kind in KINDS.values())


def test_the_page_on_data_explains_every_kind() -> None:
    page = (Path(__file__).parents[4] / "docs" / "data.md").read_text(encoding="utf-8")
    rows = [f"| `{name}` | {kind.level} | {kind.meaning} |" for name, kind in KINDS.items()]
    assert [row for row in rows if row not in page] == []


def test_findings_are_grouped_once_each_in_the_order_of_kinds() -> None:
    short, late, early = (Finding("short_audio", "b"), *(Finding("missing_audio", n) for n in "ca"))
    groups = group([short, late, early, late])
    assert list(groups) == ["missing_audio", "short_audio"]
    assert groups["missing_audio"] == [early, late]


def test_only_faults_make_it_unhealthy() -> None:
    assert is_healthy(group([Finding("sample_rate", "a"), Finding("stray_row", "b")]))
    assert not is_healthy(group([Finding("sample_rate", "a"), Finding("missing_audio", "b")]))


def test_text_shows_five_places_and_json_all() -> None:
    groups = group(Finding("missing_audio", f"clip{n}", "no audio.wav") for n in range(7))
    text = "\n".join(groups_to_text(groups))
    assert "fault: missing_audio, 7" in text
    assert text.count("no audio.wav") == 5 and "... and 2 more" in text
    content = groups_to_json(groups)["missing_audio"]
    assert content["count"] == 7 == len(content["places"])
    assert content["places"][6] == {"where": "clip6", "detail": "no audio.wav"}


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
