"""What a checkpoint is, told from its names."""

from __future__ import annotations

import pytest

from auralsam2.engine.conversion.names import RELEASED_WIDTHS, Structure, entries, resolve
from auralsam2.engine.conversion.structure import (
    find_widths,
    recognise,
    side_of,
    split_carried,
)


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
