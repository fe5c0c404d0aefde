"""The adapter's SAM2 is upstream's SAM2 unless something is injected."""

import pytest
import torch
from hydra.utils import instantiate
from omegaconf import OmegaConf
from sam2.modeling.sam.transformer import TwoWayTransformer

from auralsam2.models.backbones.promptable import Points
from auralsam2.models.backbones.sam2.build import _settings, build_sam2, official_config
from auralsam2.models.backbones.sam2.injection import InjectableTwoWayTransformer
from auralsam2.models.backbones.sam2.memory import ClipMemory
from auralsam2.models.backbones.sam2.sizes import MINI_CHANNELS, SIZES
from auralsam2.models.injection import SitePrompts, StepwiseInjection


def upstream(size: str, version: str = "2.1", image_size: int | None = None) -> torch.nn.Module:
    """The same network from the official base class, with nothing of ours."""
    config = official_config(SIZES[size], version)
    settings = _settings(image_size or SIZES[size].image_size)
    settings["_target_"] = "sam2.modeling.sam2_base.SAM2Base"
    for path, value in {**SIZES[size].overrides, **settings}.items():
        OmegaConf.update(config, path, value, force_add=True)
    return instantiate(config, _recursive_=True)


@pytest.fixture(scope="module")
def pair() -> tuple[torch.nn.Module, torch.nn.Module]:
    ours, theirs = build_sam2("mini").eval(), upstream("mini").eval()
    theirs.load_state_dict(ours.state_dict())
    return ours, theirs


def maps_of(network: torch.nn.Module, batch: int = 2) -> list[torch.Tensor]:
    frames = torch.randn(batch, 3, 128, 128, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        return network.decoder_features(network.raw_pyramid(frames))


@pytest.mark.parametrize("version", ["2.0", "2.1"])
@pytest.mark.parametrize("size", ["tiny", "small", "base_plus", "large"])
def test_state_dict_has_exactly_upstreams_keys_and_shapes(
    size: str, version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for draw in ("kaiming_uniform_", "uniform_", "normal_"):  # names and shapes need no numbers
        monkeypatch.setattr(torch.nn.init, draw, lambda tensor, *_, **__: tensor)
    ours = {k: v.shape for k, v in build_sam2(size, version).state_dict().items()}
    theirs = {k: v.shape for k, v in upstream(size, version).state_dict().items()}
    assert ours == theirs
    assert len(ours) > 300


def test_pyramid_is_raw(pair: tuple[torch.nn.Module, torch.nn.Module]) -> None:
    ours, theirs = pair
    frames = torch.randn(1, 3, 128, 128)
    with torch.no_grad():
        raw, reduced = ours.raw_pyramid(frames), theirs.forward_image(frames)["backbone_fpn"]
        again = ours.decoder_features(raw)
    channels = MINI_CHANNELS
    assert [tuple(m.shape) for m in raw] == [(1, channels, s, s) for s in (32, 16, 8)]
    for mine, upstreams in zip(again, reduced, strict=True):
        assert torch.equal(mine, upstreams)


def test_decoding_equals_upstream_bit_for_bit(
    pair: tuple[torch.nn.Module, torch.nn.Module],
) -> None:
    ours, theirs = pair
    maps = maps_of(ours)
    coords = torch.tensor([[[40.0, 50.0]], [[90.0, 20.0]]])
    labels = torch.ones(2, 1, dtype=torch.int32)
    with torch.no_grad():
        mine = ours.decode(maps[2], maps[:2], points=Points(coords, labels))
        low, _, ious, best, _, pointer, score = theirs._forward_sam_heads(
            backbone_features=maps[2],
            point_inputs={"point_coords": coords, "point_labels": labels},
            high_res_features=maps[:2],
            multimask_output=True,
        )
    assert torch.equal(ours.gate(mine.mask_logits, mine.object_score_logits), low)
    assert torch.equal(mine.ious, ious)
    assert torch.equal(ours.gate(mine.best, mine.object_score_logits), best)
    assert torch.equal(mine.pointer, pointer)
    assert torch.equal(mine.object_score_logits, score)


def test_padding_point_equals_upstream_without_clicks(
    pair: tuple[torch.nn.Module, torch.nn.Module],
) -> None:
    ours, theirs = pair
    maps = maps_of(ours)
    with torch.no_grad():
        mine = ours.decode(maps[2], maps[:2], pad_point=True)
        bare = ours.decode(maps[2], maps[:2])
        ious = theirs._forward_sam_heads(
            backbone_features=maps[2], high_res_features=maps[:2], multimask_output=True
        )[2]
    assert torch.equal(mine.ious, ious)
    assert not torch.equal(bare.ious, ious), "six tokens and seven tokens must differ"


def test_memory_equals_upstreams_track_step(
    pair: tuple[torch.nn.Module, torch.nn.Module],
) -> None:
    ours, theirs = pair
    maps = maps_of(ours, batch=3)  # three frames of one clip
    e = ours.embedding_size
    flat = [m.flatten(2).permute(2, 0, 1) for m in maps]
    positions = [*flat[:2], ours.position_maps(3)[0]]  # only the coarsest one is read
    sizes = [(4 * e, 4 * e), (2 * e, 2 * e), (e, e)]
    bank: dict = {"cond_frame_outputs": {}, "non_cond_frame_outputs": {}}
    memory = ClipMemory(ours, num_frames=3)
    for t in range(3):
        with torch.no_grad():
            theirs_out = theirs.track_step(
                frame_idx=t,
                is_init_cond_frame=t == 0,
                current_vision_feats=[f[:, t : t + 1] for f in flat],
                current_vision_pos_embeds=[p[:, t : t + 1] for p in positions],
                feat_sizes=sizes,
                point_inputs=None,
                mask_inputs=None,
                output_dict=bank,
                num_frames=3,
            )
            features = memory.condition(t, maps[2][t : t + 1], is_conditioning=t == 0)
            mine = ours.decode(features, [m[t : t + 1] for m in maps[:2]], pad_point=True)
            mine = ours.gated(mine)
            own = maps[2][t : t + 1]
            memory.store(t, own, mine, is_conditioning=t == 0, from_prompts=False)
        bank["cond_frame_outputs" if t == 0 else "non_cond_frame_outputs"][t] = theirs_out
        # Same arithmetic on other strides: kernels may differ in the last bit.
        torch.testing.assert_close(mine.best, theirs_out["pred_masks"], atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(mine.pointer, theirs_out["obj_ptr"], atol=1e-5, rtol=1e-5)


def transformers() -> tuple[InjectableTwoWayTransformer, TwoWayTransformer]:
    torch.manual_seed(0)
    arguments = dict(depth=2, embedding_dim=32, num_heads=4, mlp_dim=64)
    ours, theirs = InjectableTwoWayTransformer(**arguments), TwoWayTransformer(**arguments)
    theirs.load_state_dict(ours.state_dict())
    return ours.eval(), theirs.eval()


def transformer_inputs() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    return torch.randn(2, 32, 4, 4), torch.randn(2, 32, 4, 4), torch.randn(2, 6, 32)


@pytest.mark.parametrize(
    "nothing",
    [SitePrompts(None, None), SitePrompts(torch.zeros(2, 32), torch.zeros(2, 16, 32))],
    ids=["none", "zeros"],
)
def test_transformer_without_prompts_equals_upstream(nothing: SitePrompts) -> None:
    ours, theirs = transformers()
    inputs = transformer_inputs()
    with ours.injecting([nothing] * 3, StepwiseInjection()):
        mine = ours(*inputs)
    for got, expected in zip(mine, theirs(*inputs), strict=True):
        assert torch.equal(got, expected)


def test_prompts_do_not_outlive_their_context() -> None:
    ours, theirs = transformers()
    inputs = transformer_inputs()
    with (
        pytest.raises(RuntimeError),
        ours.injecting([SitePrompts(torch.randn(2, 32), None)] * 3, StepwiseInjection()),
    ):
        raise RuntimeError
    assert torch.equal(ours(*inputs)[0], theirs(*inputs)[0])


def test_build_lists_every_problem() -> None:
    with pytest.raises(
        ValueError, match="unknown size 'huge'.*unknown version '3'.*multiple of 32"
    ):
        build_sam2("huge", "3", 100)
