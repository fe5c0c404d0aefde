"""AVSBench's TPAVI against its equation, written out with repeated keys."""

import pytest
import torch
from torch import Tensor

from auralsam2.models.fusion.tpavi import TPAVIFusion

B, T, N, C = 2, 3, 5, 16


def equation_2(fusion: TPAVIFusion, visual: Tensor, audio: Tensor) -> Tensor:
    """alpha g(x) with the audio repeated over all positions, L x L products."""
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


@torch.no_grad()
def test_values_are_visual() -> None:
    fusion = TPAVIFusion(C, norm="layer").eval()
    fusion.value.bias.zero_()
    fusion.out.bias.zero_()
    out = fusion(torch.zeros(1, T, N, C), torch.randn(1, T, C))
    assert out.visual_update is not None and not out.visual_update.any()


@torch.no_grad()
def test_zero_start_is_deaf() -> None:
    fusion = TPAVIFusion(C, zero_init=True)
    visual, audio = torch.randn(B, T, N, C), torch.randn(B, T, C)
    torch.testing.assert_close(fusion(visual, audio).visual, fusion.visual_norm(visual))


def test_all_unknown_options_are_named() -> None:
    with pytest.raises(ValueError, match="TPAVIFusion: unknown scope='row'.*unknown norm='bn'"):
        TPAVIFusion(C, norm="bn", scope="row")
