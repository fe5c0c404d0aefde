"""The official codes of positions, in one copy."""

import torch
from sam2.modeling.position_encoding import PositionEmbeddingSine

from auralsam2.models.backbones.sam2.build import build_sam2
from auralsam2.models.backbones.sam2.positions import SharedPositions


def test_codes_are_upstreams_and_kept_once() -> None:
    ours, official = SharedPositions(16), PositionEmbeddingSine(16)
    maps = torch.zeros(3, 16, 6, 4)
    for _ in range(2):  # made, then read from what is kept
        assert torch.equal(ours(maps), official(maps))
    assert ours(maps).untyped_storage().nbytes() == maps[0].numel() * 4
    assert torch.equal(ours(maps[:1]), official(maps[:1]))


def test_a_sam2_keeps_no_codes_of_single_frames() -> None:
    network = build_sam2("mini")
    for encoding in (
        network.image_encoder.neck.position_encoding,
        network.memory_encoder.position_encoding,
    ):
        assert type(encoding) is SharedPositions
    network.raw_pyramid(torch.zeros(2, 3, 128, 128))
    kept = network.image_encoder.neck.position_encoding.cache
    assert {key: code.untyped_storage().nbytes() for key, code in kept.items()} == {
        (side, side): 128 * side**2 * 4 for side in (32, 16, 8, 4)
    }
