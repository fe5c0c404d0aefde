"""The words of a report."""

from __future__ import annotations

from auralsam2.engine.conversion.names import Structure
from auralsam2.engine.conversion.report import Coverage, Report, describe, with_guesses


def test_coverage_counts_and_names() -> None:
    coverage = Coverage(("a",), tuple(f"m{i}" for i in range(9)), ("u",), ())
    assert not coverage.complete
    assert str(coverage) == (
        "1 matched; 9 missing (m0 | m1 | m2 | m3 | m4 | m5 | ...); 1 unexpected (u); 0 misshapen"
    )
    assert Coverage(("a",), (), (), (), filled=("z",)).complete


def test_released_depths_need_no_remark() -> None:
    assert "released:" not in describe(Structure("avs", (3, 6, 12), (3, 3, 3)))
    assert "released: (3, 6, 12)" in describe(Structure("avs", (3, 6, 11), (3, 3, 3)))


def test_report_tells_what_did_not_come_along() -> None:
    structure = Structure("ref", (3, 6, 12), (3, 3, 3), vggish=False)
    whole = Coverage(("a",), (), (), ())
    text = str(Report("ours", structure, whole, ("training_layers.0.bias",), 0, ("backbone.x",)))
    for part in (
        "our names",
        "duplicates dropped: 1",
        "fuser alone: 1",
        "backbone.x",
        "no VGGish",
    ):
        assert part in text


def test_guesses_are_missing_names_and_few() -> None:
    unknown = {"atn.q.weight": "x.atn.q.weight", "zzzzzzzz": "zzzzzzzz"}
    first, second = with_guesses(unknown, ["attn.kv.weight", "attn.q.weight"])
    assert first == "x.atn.q.weight, did you mean attn.q.weight?"
    assert second == "zzzzzzzz"
    many = {f"attn.q.weight{i}": f"attn.q.weight{i}" for i in range(20)}
    assert sum("did you mean" in text for text in with_guesses(many, ["attn.q.weight"])) == 8
    assert with_guesses({"a.bias": "a.bias"}, []) == ("a.bias",)
