"""AVSBench's, the published and the released TPAVI against equations, numbers and options."""

import pytest
import torch
from torch import Tensor

from auralsam2.models.fusion.base import Fusion
from auralsam2.models.fusion.tpavi import (
    ReleasedTPAVIFusion,
    TPAVIFusion,
    TwoWayTPAVIFusion,
    VisualTPAVIFusion,
)

B, T, N, C = 2, 3, 5, 16
POSITIONS = 16
"""Of the released block, whose rows hold C / 2 of them."""


@torch.no_grad()
def test_equals_the_equations_token_by_token() -> None:
    fusion = TwoWayTPAVIFusion(C, norm="layer")
    visual, audio = torch.randn(B, T, N, C), torch.randn(B, T + 2, C)
    out = fusion(visual, audio)
    for b in range(B):
        aligned = fusion.align(audio[b])
        token = visual[b, 1, 4]
        update = torch.zeros(C // 2)
        for heard in aligned:
            weight = fusion.visual_query(token) @ fusion.audio_key(heard) / (T + 2)
            update += weight * fusion.audio_value(heard)
        update = fusion.visual_attention_norm(fusion.visual_out(update))
        torch.testing.assert_close(out.visual[b, 1, 4], fusion.visual_norm(token + update))
        update = torch.zeros(C // 2)
        for seen in visual[b].flatten(0, 1):
            weight = fusion.audio_query(aligned[2]) @ fusion.visual_key(seen) / (T * N)
            update += weight * fusion.visual_value(seen)
        update = fusion.audio_attention_norm(fusion.audio_out(update))
        torch.testing.assert_close(out.audio[b, 2], fusion.audio_norm(aligned[2] + update))


@torch.no_grad()
def test_scales_differ_by_the_ratio_of_queries_to_keys() -> None:
    torch.manual_seed(0)
    ours, released = (TwoWayTPAVIFusion(C, scale=s, norm="layer") for s in ("keys", "queries"))
    released.load_state_dict(ours.state_dict())
    reads: list[Tensor] = []
    for fusion in (ours, released):
        fusion.visual_out.bias.zero_()
        fusion.visual_out.register_forward_hook(lambda _, __, out: reads.append(out))
    visual, audio = torch.randn(B, T, N, C), torch.randn(B, T, C)
    first, second = ours(visual, audio), released(visual, audio)
    torch.testing.assert_close(reads[0], reads[1] * N)  # T N queries, M = T keys
    torch.testing.assert_close(first.audio, second.audio)


@pytest.mark.parametrize("kind", [TwoWayTPAVIFusion, TPAVIFusion])
@torch.no_grad()
def test_zero_start_ignores_the_other_modality(kind: type[Fusion]) -> None:
    fusion = kind(C, zero_init=True)  # type: ignore[call-arg]
    visual, audio = torch.randn(B, T, N, C), torch.randn(B, T, C)
    out = fusion(visual, audio)
    torch.testing.assert_close(out.visual, fusion.visual_norm(visual))
    if fusion.sees:
        torch.testing.assert_close(out.audio, fusion.audio_norm(fusion.align(audio)))


@torch.no_grad()
def test_of_one_clip_alone_the_statistics_are_those_of_the_batch() -> None:
    batch, clip = (TwoWayTPAVIFusion(C, norm=norm) for norm in ("batch", "clip"))
    clip.load_state_dict(batch.state_dict())
    tokens = torch.randn(1, T, N, C), torch.randn(1, T, C)
    torch.testing.assert_close(clip(*tokens).visual, batch(*tokens).visual)


@pytest.mark.parametrize(("norm", "shared"), [("batch", True), ("clip", False), ("layer", False)])
@torch.no_grad()
def test_who_shares_statistics_in_training(norm: str, shared: bool) -> None:
    fusion = TwoWayTPAVIFusion(C, norm=norm)
    visual, audio = torch.randn(B, T, N, C), torch.randn(B, T, C)
    before = fusion(visual, audio)
    visual[1], audio[1] = torch.randn(T, N, C), torch.randn(T, C)
    after = fusion(visual, audio)
    assert before.visual[0].allclose(after.visual[0], atol=1e-5) is not shared
    assert before.audio[0].allclose(after.audio[0], atol=1e-5) is not shared


def test_all_unknown_options_are_named() -> None:
    with pytest.raises(ValueError, match="scale='rows'; known: keys, queries; unknown norm='bn'"):
        TwoWayTPAVIFusion(C, scale="rows", norm="bn")
    with pytest.raises(ValueError, match="TPAVIFusion: unknown norm='bn'.*unknown scope='row'"):
        TPAVIFusion(C, norm="bn", scope="row")


def equation_2(fusion: TPAVIFusion, visual: Tensor, audio: Tensor) -> Tensor:
    """AVSBench's alpha g(x) with the audio repeated over all positions, L x L products."""
    x = visual.flatten(1, 2)
    repeated = audio[:, :, None].expand(-1, -1, N, -1).flatten(1, 2)
    alpha = fusion.query(x) @ fusion.key(repeated).transpose(1, 2) / x.shape[1]
    return alpha @ fusion.value(x)


@torch.no_grad()
def test_equals_equation_2_with_repeated_audio() -> None:
    fusion = TPAVIFusion(C, norm="layer")
    visual, audio = torch.randn(B, T, N, C), torch.randn(B, T, C)
    out = fusion(visual, audio)
    update = fusion.attention_norm(fusion.out(equation_2(fusion, visual, audio)))
    torch.testing.assert_close(out.visual_update, update.view_as(visual))
    expected = fusion.visual_norm(visual.flatten(1, 2) + update)
    torch.testing.assert_close(out.visual, expected.view_as(visual))
    assert out.audio is audio and out.audio_update is None


@torch.no_grad()
def test_a_word_is_a_key_of_all_frames() -> None:
    fusion = TPAVIFusion(C, norm="layer")
    visual, audio = torch.randn(B, T, N, C), torch.randn(B, T + 1, C)
    reads: list[Tensor] = []
    fusion.out.register_forward_pre_hook(lambda _, args: reads.append(args[0]))
    fusion(visual, audio)
    x, word = visual.flatten(1, 2), audio[:, T:]
    of_word = (fusion.query(x) @ fusion.key(word).transpose(1, 2)) * fusion.value(x).mean(1)[
        :, None
    ]
    expected = (equation_2(fusion, visual, audio[:, :T]) * T + of_word) / (T + 1)
    torch.testing.assert_close(reads[0], expected)


# The released block, by what one position reaches; its numbers are parity's business.


def test_rows_hold_neighbouring_positions_of_one_channel() -> None:
    fusion = ReleasedTPAVIFusion(C)
    tokens = torch.randn(B, T, POSITIONS, C // 2)
    rows = fusion._rows(tokens)
    assert rows.shape == (B, T * POSITIONS, C // 2)
    torch.testing.assert_close(rows[1, 0], tokens[1, 0, : C // 2, 0])
    torch.testing.assert_close(rows[1, 1], tokens[1, 0, C // 2 :, 0])


def test_what_is_read_returns_by_the_mirrored_mistake() -> None:
    fusion = ReleasedTPAVIFusion(C)
    inner = C // 2
    rows = torch.arange(T * POSITIONS * inner, dtype=torch.float32).view(1, T * POSITIONS, inner)
    tokens = fusion._tokens_of_visual_rows(rows, T)
    # Frame 0, channel 0 takes the first POSITIONS rows' channel 0.
    torch.testing.assert_close(tokens[0, :POSITIONS, 0], rows[0, :POSITIONS, 0])
    heard = torch.arange(5 * inner, dtype=torch.float32).view(1, 5, inner)
    # New token 0 holds channel 0 of the tokens 0 to 4, then channel 1 of the first three.
    expected = torch.cat([heard[0, :, 0], heard[0, :3, 1]])
    torch.testing.assert_close(fusion._tokens(heard)[0, 0], expected)


@torch.no_grad()
def test_one_changed_position_reaches_every_frame_and_in_the_corrected_block_itself_alone() -> None:
    audio = torch.randn(1, T, C)
    visual = torch.randn(1, T, POSITIONS, C)
    changed = visual.clone()
    changed[0, 0, 3] += 1.0
    reached = {}
    for block in (
        ReleasedTPAVIFusion(C, zero_init=False, unused_parameters=False),
        TwoWayTPAVIFusion(C, scale="queries"),
    ):
        block.eval()
        difference = block(changed, audio).visual - block(visual, audio).visual
        reached[type(block).__name__] = difference.abs().amax(dim=-1)[0] > 1e-9  # (T, POSITIONS)
    assert reached["ReleasedTPAVIFusion"].any(dim=1).all()
    assert reached["TwoWayTPAVIFusion"].nonzero().tolist() == [[0, 3]]


def test_unused_parameters_are_those_of_the_checkpoints() -> None:
    with_them = {n for n, _ in ReleasedTPAVIFusion(C).named_parameters()}
    without = {n for n, _ in ReleasedTPAVIFusion(C, unused_parameters=False).named_parameters()}
    names = ("unused_visual", "unused_align")
    assert with_them - without == {f"{n}.{p}" for n in names for p in ("weight", "bias")}
    assert without == {n for n, _ in TwoWayTPAVIFusion(C).named_parameters()}


@torch.no_grad()
def test_visual_keys_equal_the_equation_over_all_pairs_of_tokens() -> None:
    fusion = VisualTPAVIFusion(C, norm="layer")
    visual, audio = torch.randn(B, T, N, C), torch.randn(B, T, C)
    tokens = visual.flatten(1, 2)
    alpha = fusion.query(tokens) @ fusion.key(tokens).transpose(1, 2) / (T * N)
    update = fusion.attention_norm(fusion.out(alpha @ fusion.value(tokens)))
    torch.testing.assert_close(
        fusion(visual, audio).visual, fusion.visual_norm(tokens + update).view_as(visual)
    )
