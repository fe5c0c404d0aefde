"""Patch embeddings: which levels are used and where their tokens come from."""

import pytest
import torch

from auralsam2.models.pyramid import PatchEmbedPyramid
from auralsam2.structures import VisualPyramid

B, T, C, E = 2, 3, 8, 4


@pytest.fixture
def pyramid() -> VisualPyramid:
    return VisualPyramid(tuple(torch.randn(B, T, C, E * s, E * s) for s in (4, 2, 1)))


def test_fewer_levels_are_the_coarsest(pyramid: VisualPyramid) -> None:
    module = PatchEmbedPyramid(C, E, num_levels=2)
    assert [embed.kernel_size for embed in module.patch_embeds] == [(2, 2), (1, 1)]
    finest_changed = VisualPyramid((torch.zeros_like(pyramid.levels[0]), *pyramid.levels[1:]))
    for before, after in zip(module(pyramid), module(finest_changed), strict=True):
        torch.testing.assert_close(before, after)


def test_a_pixel_reaches_the_token_of_its_own_cell_and_frame_only(pyramid: VisualPyramid) -> None:
    module = PatchEmbedPyramid(C, E)
    before = module(pyramid)[0]
    pyramid.levels[0][1, 2, 0, 4 * 1 + 3, 4 * 2] += 1.0  # row 1, column 2 of the token grid
    changed = (module(pyramid)[0] - before).abs().amax(-1) > 0
    assert changed.nonzero().tolist() == [[1, 2, 1 * E + 2]]


@pytest.mark.parametrize("num_levels", [0, 4])
def test_unknown_number_of_levels(num_levels: int) -> None:
    with pytest.raises(ValueError, match=f"1, 2 or 3, got {num_levels}"):
        PatchEmbedPyramid(C, E, num_levels)


def test_maps_of_another_size_are_refused(pyramid: VisualPyramid) -> None:
    with pytest.raises(ValueError, match="pyramid level must have shape"):
        PatchEmbedPyramid(C, 2 * E)(pyramid)
