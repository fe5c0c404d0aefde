"""Sites, tokens, levels and placements of the injection, and what they do in the decoder."""

from typing import Any

import pytest
import torch
from torch import Tensor

from auralsam2.models.backbones.promptable import Decoded, Points
from auralsam2.models.backbones.sam2.build import build_sam2
from auralsam2.models.backbones.sam2.network import PromptableSAM2
from auralsam2.models.injection import SITES, ReleasedInjection, StepwiseInjection
from auralsam2.models.tracking import appended_prompts, site_prompts
from auralsam2.structures import Prompts

B, T, C, E = 2, 2, 128, 4


@pytest.mark.parametrize(
    ("arguments", "num_levels", "expected"),
    [
        ({}, 3, (2, 1, 0)),
        ({"order": "fine_to_coarse"}, 3, (0, 1, 2)),
        ({}, 2, (1, 0, None)),
        ({}, 1, (0, None, None)),
        ({"repeat_last": True}, 1, (0, 0, 0)),
        ({"repeat_last": True, "order": "fine_to_coarse"}, 2, (0, 1, 1)),
        ({"sites": ("final",)}, 3, (None, None, 0)),
        ({"sites": ("block1",)}, 3, (2, None, None)),
        ({"sites": ()}, 3, (None, None, None)),
        ({"repeat_level": 0}, 3, (0, 0, 0)),
        ({"repeat_level": -1}, 3, (2, 2, 2)),
        ({"repeat_level": 1, "sites": ("block1", "final")}, 2, (1, None, 1)),
    ],
)
def test_levels_of_sites(arguments: dict, num_levels: int, expected: tuple) -> None:
    injection = ReleasedInjection(**arguments)
    assert injection.dense_levels(num_levels) == expected
    assert injection.added_levels(num_levels) == expected
    assert injection.appended_levels(num_levels) == ()
    appending = StepwiseInjection(**arguments, placement="append")
    assert appending.dense_levels(num_levels) == expected
    assert appending.added_levels(num_levels) == (None, None, None)
    assert appending.appended_levels(num_levels) == tuple(i for i in expected if i is not None)


def test_each_kind_of_prompt_can_have_sites_of_its_own() -> None:
    injection = StepwiseInjection(sites=("block2",), dense_sites=("final",))
    assert injection.added_levels(3) == (None, 1, None)
    assert injection.dense_levels(3) == (None, None, 0)
    none = StepwiseInjection(sparse_sites=())
    assert none.added_levels(3) == (None,) * 3 and none.dense_levels(3) == (2, 1, 0)


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [(("mask",), [0, 0, 1, 1, 1, 1, 0]), (("object", "iou"), [1, 1, 0, 0, 0, 0, 0])],
)
def test_prompt_tokens_of_clicks_are_never_touched(tokens: tuple, expected: list) -> None:
    mask = StepwiseInjection(tokens=tokens).token_mask(7, torch.device("cpu"))
    assert mask.tolist() == expected


def test_all_problems_at_once() -> None:
    with pytest.raises(ValueError) as caught:
        StepwiseInjection(
            tokens=("masks",),
            sites=("block3",),
            order="random",
            placement="prepend",
            dense_sites="final",
            sparse_sites=("block",),
        )
    message = str(caught.value)
    for part in (
        *("unknown token 'masks'; did you mean 'mask'?", "unknown site 'block3'"),
        *("unknown order 'random'", "unknown placement 'prepend'; did you mean 'append'?"),
        *("dense_sites is a list of names, got 'final'", "unknown sparse site 'block'"),
    ):
        assert part in message


def test_arguments_without_effect_together_are_refused() -> None:
    with pytest.raises(ValueError, match="tokens=.'iou',. says where.*leak_into_position.*append"):
        ReleasedInjection(tokens=["iou"], placement="append", leak_into_position=True)
    with pytest.raises(ValueError, match="drop repeat_last"):
        StepwiseInjection(repeat_level=0, repeat_last=True)


@pytest.mark.parametrize("level", [3, -4])
def test_a_level_that_the_pyramid_lacks(level: int) -> None:
    with pytest.raises(ValueError, match=rf"repeat_level={level} is none of the 3 level"):
        StepwiseInjection(repeat_level=level).dense_levels(3)


@pytest.fixture(scope="module")
def network() -> PromptableSAM2:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return build_sam2("mini", image_size=64).eval().requires_grad_(False)


def maps() -> list[Tensor]:
    """Coarsest and the two finer ones, reduced as the decoder wants them."""
    g = torch.Generator().manual_seed(0)
    shapes = ((C, E), (C // 8, 4 * E), (C // 4, 2 * E))
    return [torch.randn(B, c, s, s, generator=g) for c, s in shapes]


def prompts(levels: int = 3, **off: Any) -> Prompts:
    g = torch.Generator().manual_seed(1)
    made = Prompts(
        tuple(torch.randn(B, T, C, generator=g) for _ in range(levels)),
        tuple(torch.randn(B, T, E * E, C, generator=g) for _ in range(levels)),
    )
    return made._replace(**off)


def decode(
    network: PromptableSAM2, given: Prompts, injection: StepwiseInjection, **more: Any
) -> Decoded:
    """Frame 0 by the way of the tracker."""
    coarse, fine, middle = maps()
    return network.decode(
        coarse,
        [fine, middle],
        prompts=site_prompts(given.at(0), injection),
        injection=injection,
        extra_tokens=appended_prompts(given.at(0), injection),
        **more,
    )


def official(network: PromptableSAM2, sparse: Tensor) -> tuple[Tensor, ...]:
    """Upstream's decoder with these prompt tokens, nothing of ours around it."""
    coarse, fine, middle = maps()
    return network.sam_mask_decoder.predict_masks(
        image_embeddings=coarse,
        image_pe=network.sam_prompt_encoder.get_dense_pe(),
        sparse_prompt_embeddings=sparse,
        dense_prompt_embeddings=network.sam_prompt_encoder.no_mask_embed.weight.reshape(1, -1, 1, 1)
        .expand(B, -1, E, E),
        repeat_image=False,
        high_res_features=[fine, middle],
    )  # fmt: skip


@pytest.mark.parametrize(
    "arguments",
    [
        {"sites": ()},
        {"sites": (), "placement": "append"},
        {"sparse_sites": (), "dense_sites": ()},
    ],
)
@torch.no_grad()
def test_injecting_nowhere_is_the_official_decoder(network: PromptableSAM2, arguments: Any) -> None:
    answer = decode(network, prompts(), ReleasedInjection(**arguments), all_masks=True)
    logits, ious, _, score = official(network, torch.zeros(B, 0, C))
    assert torch.equal(answer.mask_logits, logits) and torch.equal(answer.ious, ious)
    assert torch.equal(answer.object_score_logits, score)


@torch.no_grad()
def test_appended_prompts_are_the_official_decoders_prompt_tokens(network: PromptableSAM2) -> None:
    given = prompts(dense=())
    answer = decode(network, given, StepwiseInjection(placement="append"), all_masks=True)
    sparse = torch.stack([given.sparse[i][:, 0] for i in (2, 1, 0)], dim=1)
    logits, ious, _, score = official(network, sparse)
    assert torch.equal(answer.mask_logits, logits) and torch.equal(answer.ious, ious)
    assert torch.equal(answer.object_score_logits, score)
    bare = official(network, torch.zeros(B, 0, C))[0]
    assert not torch.allclose(answer.mask_logits, bare, atol=1e-3)


@torch.no_grad()
def test_appended_prompts_join_points(network: PromptableSAM2) -> None:
    points = Points(torch.full((B, 1, 2), 20.0), torch.ones(B, 1, dtype=torch.int32))
    append = StepwiseInjection(placement="append", dense_sites=())
    answer = decode(network, prompts(), append, points=points, all_masks=True)
    clicks, _ = network.sam_prompt_encoder(points=points, boxes=None, masks=None)
    tokens = appended_prompts(prompts().at(0), append)
    assert tokens is not None
    logits = official(network, torch.cat([clicks, tokens], dim=1))[0]
    assert torch.equal(answer.mask_logits, logits)


def test_shapes_of_extra_tokens_are_checked(network: PromptableSAM2) -> None:
    coarse, fine, middle = maps()
    with pytest.raises(ValueError, match=r"extra tokens must have shape \(B, K, C\)"):
        network.decode(coarse, [fine, middle], extra_tokens=torch.zeros(B, 1, C - 1))


VARIANTS: dict[str, dict[str, Any]] = {
    "every site": {},
    "sparse first": {"sparse_sites": ("block1",)},
    "sparse last": {"sparse_sites": ("final",)},
    "dense first": {"dense_sites": ("block1",)},
    "dense last": {"dense_sites": ("final",)},
    "single injection": {"sites": ("block1",)},
    "shallow first": {"order": "fine_to_coarse"},
    "coarsest repeated": {"repeat_level": -1},
    "finest repeated": {"repeat_level": 0},
    "append": {"placement": "append"},
    "append one": {"placement": "append", "sparse_sites": ("block1",)},
    "append repeated": {"placement": "append", "repeat_level": 1},
    "leak": {"leak_into_position": True},
    "all tokens": {"tokens": ("mask", "iou", "object")},
}


@torch.no_grad()
def test_no_two_variants_answer_alike(network: PromptableSAM2) -> None:
    answers = {
        name: decode(network, prompts(), ReleasedInjection(**arguments)).mask_logits
        for name, arguments in VARIANTS.items()
    }
    alike = [
        (one, other)
        for one in answers
        for other in answers
        if one < other and torch.allclose(answers[one], answers[other], atol=1e-4)
    ]
    assert alike == []


@pytest.mark.parametrize("name", VARIANTS)
def test_gradient_flows_into_the_levels_in_use_and_no_other(
    network: PromptableSAM2, name: str
) -> None:
    injection = ReleasedInjection(**VARIANTS[name])
    given = prompts()
    for prompt in (*given.sparse, *given.dense):
        prompt.requires_grad_()
    decode(network, given, injection).mask_logits.square().sum().backward()
    sparse = {*injection.added_levels(3), *injection.appended_levels(3)} - {None}
    dense = {*injection.dense_levels(3)} - {None}
    for level in range(3):
        for used, prompt in ((sparse, given.sparse[level]), (dense, given.dense[level])):
            reached = prompt.grad is not None and bool(prompt.grad[:, 0].abs().max() > 1e-8)
            assert reached is (level in used), (level, used)


def test_sites_are_those_of_the_decoder(network: PromptableSAM2) -> None:
    assert len(SITES) == len(network.sam_mask_decoder.transformer.layers) + 1
