"""Gradients of fuser and decoder injection against finite differences, in float64."""

import pytest
import torch
from torch import Tensor, nn

from auralsam2.models.attention import SpatialReductionAttention, TemporalSelfAttention
from auralsam2.models.backbones.sam2.injection import InjectableTwoWayTransformer
from auralsam2.models.fuser import AuralFuser, ReleasedFuser
from auralsam2.models.fusion.tpavi import ReleasedTPAVIFusion, TwoWayTPAVIFusion
from auralsam2.models.injection import ReleasedInjection, SitePrompts
from auralsam2.models.pyramid import PatchEmbedPyramid
from auralsam2.structures import VisualPyramid

T, C, E = 2, 4, 2


def grown(module: nn.Module) -> nn.Module:
    """Random weights for every parameter, so that nothing starts as a no-op."""
    for parameter in module.parameters():
        nn.init.normal_(parameter, std=0.5)
    return module.double()


def fuser(fusion: nn.Module, other: nn.Module, constant: bool) -> nn.Module:
    return (ReleasedFuser if constant else AuralFuser)(
        pyramid=PatchEmbedPyramid(C, E, num_levels=2),
        visual_attentions=[
            SpatialReductionAttention(C, E, 1, num_heads=2, mlp_ratio=1, reduction=2, dropout=0.0)
            for _ in range(2)
        ],
        audio_attentions=[
            TemporalSelfAttention(C, 1, num_heads=2, mlp_ratio=1, dropout=0.0) for _ in range(2)
        ],
        fusions=[fusion, other],
        channels=C,
        embedding_size=E,
    )


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("released", [False, True])
def test_fuser(released: bool, training: bool) -> None:
    block = ReleasedTPAVIFusion if released else TwoWayTPAVIFusion
    module = grown(fuser(block(C), block(C), constant=released)).train(training)

    def outputs(fine: Tensor, coarse: Tensor, audio: Tensor) -> tuple[Tensor, ...]:
        fused = module(VisualPyramid((fine, coarse)), audio)
        return (*fused.visual, *fused.audio)

    inputs = [
        torch.randn(1, T, C, 2 * E, 2 * E, dtype=torch.float64, requires_grad=True),
        torch.randn(1, T, C, E, E, dtype=torch.float64, requires_grad=True),
        torch.randn(1, T + 1, C, dtype=torch.float64, requires_grad=True),
    ]
    assert torch.autograd.gradcheck(outputs, inputs, atol=1e-5, rtol=1e-3)


@pytest.mark.parametrize("leak", [False, True])
@pytest.mark.parametrize("tokens", [("mask",), ("mask", "iou", "object")])
def test_injection(leak: bool, tokens: tuple[str, ...]) -> None:
    transformer = InjectableTwoWayTransformer(depth=2, embedding_dim=C, num_heads=2, mlp_dim=6)
    grown(transformer)
    injection = ReleasedInjection(tokens=tokens, leak_into_position=leak)
    image, position = torch.randn(2, 1, C, 2, 2, dtype=torch.float64)
    queries = torch.randn(1, 6, C, dtype=torch.float64)

    def outputs(*given: Tensor) -> tuple[Tensor, Tensor]:
        prompts = [SitePrompts(*given[2 * i : 2 * i + 2]) for i in range(3)]
        with transformer.injecting(prompts, injection):
            return transformer(image, position, queries)

    given = [
        torch.randn(*shape, dtype=torch.float64, requires_grad=True)
        for _ in range(3)
        for shape in ((1, C), (1, 4, C))
    ]
    assert torch.autograd.gradcheck(outputs, given, atol=1e-5, rtol=1e-3)
