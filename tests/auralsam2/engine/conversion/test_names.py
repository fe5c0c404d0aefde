"""The table holds exactly the released tensors, and exactly ours."""

from __future__ import annotations

import math

import pytest
from torch import nn

from auralsam2.engine.conversion.names import (
    RELEASED_AUDIO_DEPTHS,
    RELEASED_VISUAL_DEPTHS,
    RELEASED_WIDTHS,
    Structure,
    entries,
    resolve,
)
from auralsam2.models.adapters import TextAdapter
from auralsam2.models.attention import ReleasedTemporalAttention, SpatialReductionAttention
from auralsam2.models.fuser import AuralFuser
from auralsam2.models.fusion.tpavi import ReleasedTPAVIFusion
from auralsam2.models.projector import ReleasedConvProjector, ReleasedRefProjector
from auralsam2.models.pyramid import PatchEmbedPyramid

RELEASED = (RELEASED_VISUAL_DEPTHS, RELEASED_AUDIO_DEPTHS)


@pytest.mark.parametrize("variant", ["avs", "ref"])
def test_names_shapes_and_order_are_the_released_ones(variant: str, key_list) -> None:
    table = entries(Structure(variant, *RELEASED))
    got = [(entry.authors, resolve(entry.shape, RELEASED_WIDTHS)) for entry in table]
    assert got == list(key_list(variant).items())


@pytest.mark.parametrize(("variant", "trained"), [("avs", 58_279_424), ("ref", 59_329_280)])
def test_parameter_counts(variant: str, trained: int) -> None:
    def count(table) -> int:
        return sum(math.prod(resolve(entry.shape, RELEASED_WIDTHS)) for entry in table)

    buffers = ("running_mean", "running_var", "num_batches_tracked")
    table = list(entries(Structure(variant, *RELEASED, vggish=False)))
    assert count(e for e in table if not e.authors.endswith(buffers)) == trained
    assert count(e for e in table if e.unused) == 9_733_632


@pytest.mark.parametrize("vggish", [True, False])
@pytest.mark.parametrize("variant", ["avs", "ref"])
def test_every_tensor_has_one_name_on_either_side(variant: str, vggish: bool) -> None:
    table = list(entries(Structure(variant, *RELEASED, vggish)))
    assert len({e.authors for e in table}) == len({e.ours for e in table}) == len(table)
    assert any(e.authors.startswith("vgg.") for e in table) == vggish


@pytest.mark.parametrize("variant", ["avs", "ref"])
def test_our_side_is_the_released_preset(variant: str) -> None:
    width, side, depths = 16, 4, (1, 0, 2)
    size = dict(channels=width, embedding_size=side)
    model = nn.Module()
    model.fuser = AuralFuser(
        pyramid=PatchEmbedPyramid(**size),
        visual_attentions=[SpatialReductionAttention(**size, depth=d) for d in depths],
        audio_attentions=[ReleasedTemporalAttention(width, depth=3) for _ in depths],
        fusions=[ReleasedTPAVIFusion(width) for _ in depths],
        **size,
    )
    heads = {"avs": ReleasedConvProjector, "ref": ReleasedRefProjector}
    model.projector = heads[variant](width)
    if variant == "ref":
        model.text_adapter = TextAdapter(RELEASED_WIDTHS["W"], width)
    widths = RELEASED_WIDTHS | dict(C=width, H=4 * width, I=width // 2)
    table = entries(Structure(variant, depths, (3, 3, 3), vggish=False))
    expected = {entry.ours: resolve(entry.shape_on("ours"), widths) for entry in table}
    assert {k: tuple(v.shape) for k, v in model.state_dict().items()} == expected


def test_resolve_multiplies() -> None:
    assert resolve(("2C", "C", 3), {"C": 5}) == (10, 5, 3)
    assert resolve((), {}) == ()
