"""What a checkpoint is, told from its names."""

from __future__ import annotations

import pytest

from auralsam2.engine.conversion.names import RELEASED_WIDTHS, Structure, entries, resolve
from auralsam2.engine.conversion.structure import (
    Report,
    describe,
    find_widths,
    recognise,
    side_of,
    split_carried,
    told,
    with_guesses,
)
from auralsam2.models.weights.loading import Coverage


@pytest.mark.parametrize("side", ["authors", "ours"])
@pytest.mark.parametrize(
    "structure",
    [
        Structure("avs", (3, 6, 12), (3, 3, 3), True),
        Structure("ref", (0, 0, 1), (2, 2, 2), False),
        Structure("avs", (2,), (0,), False),
    ],
)
def test_structure_is_found_again(structure: Structure, side: str) -> None:
    keys = [entry.key(side) for entry in entries(structure)]
    assert side_of(keys) == side
    assert recognise(keys, side) == structure
    assert recognise(keys, side, structure.variant) == structure


def test_a_damaged_number_is_no_depth() -> None:
    keys = [entry.authors for entry in entries(Structure("avs", (1,), (1,), False))]
    wrong = ["f_blocks.0.99999999999999999999.norm1.bias", "f_blocks.7777.0.norm1.bias"]
    assert recognise(keys + wrong, "authors").visual_depths == (1,)


@pytest.mark.parametrize("keys", [[], ["backbone_x", "head.weight"]])
def test_another_model_is_told(keys: list[str]) -> None:
    with pytest.raises(ValueError, match="no AuralSAM2 checkpoint"):
        side_of(keys)


def test_mixed_sides_are_told() -> None:
    with pytest.raises(ValueError, match="mixes names.*f_blocks.0.*fuser.smooth"):
        side_of(["f_blocks.0.0.norm1.bias", "fuser.smooth.0.bias"])


def test_variant_must_be_told_or_agree() -> None:
    keys = ["smooth_convs.0.bias"]
    with pytest.raises(ValueError, match="--variant avs"):
        recognise(keys, "authors")
    assert recognise(keys, "authors", "ref").variant == "ref"
    with pytest.raises(ValueError, match="unknown variant='rev'; known: avs, ref"):
        recognise(keys, "authors", "rev")
    with pytest.raises(ValueError, match="text_proj.0.bias' exists in variant 'ref' only"):
        recognise(["text_proj.0.bias"], "authors", "avs")
    with pytest.raises(ValueError, match="both variants"):
        recognise(["text_proj.0.bias", "train_proj_v1.proj.1.bias"], "authors")


def test_widths_are_what_most_tensors_say() -> None:
    table = list(entries(Structure("avs", (1,), (1,), False)))
    widths = RELEASED_WIDTHS | dict(C=8, H=24, R=2)
    shapes = {entry.ours: resolve(entry.shape_on("ours"), widths) for entry in table}
    shapes["fuser.fusions.0.align.weight"] = (9, 9)
    assert find_widths(table, "ours", shapes) == widths
    assert find_widths(table, "ours", {}) == RELEASED_WIDTHS


def test_frozen_networks_are_split_off() -> None:
    keys = ["v_model.a", "smooth_convs.0.bias", "t_model.b"]
    assert split_carried(keys, "authors") == (["smooth_convs.0.bias"], ["v_model.a", "t_model.b"])
    ours = ["backbone.network.a", "backbone.x"]
    assert split_carried(ours, "ours") == (["backbone.x"], ["backbone.network.a"])


def test_coverage_counts_and_names() -> None:
    coverage = Coverage(("a",), tuple(f"m{i}" for i in range(9)), ("u",), ())
    assert not coverage.complete
    assert told(coverage) == (
        "1 matched; 9 missing (m0 | m1 | m2 | m3 | m4 | m5 | ...); 1 unexpected (u); 0 misshapen"
    )


def test_released_depths_need_no_remark() -> None:
    assert "released:" not in describe(Structure("avs", (3, 6, 12), (3, 3, 3)))
    assert "released: (3, 6, 12)" in describe(Structure("avs", (3, 6, 11), (3, 3, 3)))


def test_report_tells_what_did_not_come_along() -> None:
    structure = Structure("ref", (3, 6, 12), (3, 3, 3), vggish=False)
    whole = Coverage(("a",), (), (), ())
    text = str(
        Report("ours", structure, whole, ("z",), ("training_layers.0.bias",), 0, ("backbone.x",))
    )
    for part in (
        "our names",
        "0 misshapen; 1 filled (z)",
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
