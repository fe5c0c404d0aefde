"""The released fusion's axes, by what one position reaches; its numbers are parity's business."""

import torch

from auralsam2.models.fusion.released_tpavi import ReleasedTPAVIFusion
from auralsam2.models.fusion.two_way_tpavi import TwoWayTPAVIFusion

B, T, N, C = 2, 3, 16, 16


def test_rows_hold_neighbouring_positions_of_one_channel() -> None:
    fusion = ReleasedTPAVIFusion(C)
    tokens = torch.randn(B, T, N, C // 2)
    rows = fusion._rows(tokens)
    assert rows.shape == (B, T * N, C // 2)
    torch.testing.assert_close(rows[1, 0], tokens[1, 0, : C // 2, 0])
    torch.testing.assert_close(rows[1, 1], tokens[1, 0, C // 2 :, 0])


def test_what_is_read_returns_by_the_mirrored_mistake() -> None:
    fusion = ReleasedTPAVIFusion(C)
    inner = C // 2
    rows = torch.arange(T * N * inner, dtype=torch.float32).view(1, T * N, inner)
    tokens = fusion._tokens_of_visual_rows(rows, T)
    # Frame 0, channel 0 takes the first N rows' channel 0.
    torch.testing.assert_close(tokens[0, :N, 0], rows[0, :N, 0])
    heard = torch.arange(5 * inner, dtype=torch.float32).view(1, 5, inner)
    # New token 0 holds channel 0 of the tokens 0 to 4, then channel 1 of the first three.
    expected = torch.cat([heard[0, :, 0], heard[0, :3, 1]])
    torch.testing.assert_close(fusion._tokens(heard)[0, 0], expected)


@torch.no_grad()
def test_one_changed_position_reaches_every_frame_and_in_the_corrected_block_itself_alone() -> None:
    audio = torch.randn(1, T, C)
    visual = torch.randn(1, T, N, C)
    changed = visual.clone()
    changed[0, 0, 3] += 1.0
    reached = {}
    for block in (
        ReleasedTPAVIFusion(C, zero_init=False, unused_parameters=False),
        TwoWayTPAVIFusion(C, scale="queries"),
    ):
        block.eval()
        difference = block(changed, audio).visual - block(visual, audio).visual
        reached[type(block).__name__] = difference.abs().amax(dim=-1)[0] > 1e-9  # (T, N)
    assert reached["ReleasedTPAVIFusion"].any(dim=1).all()
    assert reached["TwoWayTPAVIFusion"].nonzero().tolist() == [[0, 3]]


def test_unused_parameters_are_those_of_the_checkpoints() -> None:
    with_them = {n for n, _ in ReleasedTPAVIFusion(C).named_parameters()}
    without = {n for n, _ in ReleasedTPAVIFusion(C, unused_parameters=False).named_parameters()}
    names = ("unused_visual", "unused_align")
    assert with_them - without == {f"{n}.{p}" for n in names for p in ("weight", "bias")}
    assert without == {n for n, _ in TwoWayTPAVIFusion(C).named_parameters()}
