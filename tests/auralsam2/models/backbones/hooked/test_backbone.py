"""Backbones of transformers as components: folders, sizes, what is told, and a step with each."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from auralsam2 import config
from auralsam2.data.synthetic.writer import Plan, write_clips
from auralsam2.engine.evaluate import build_model
from auralsam2.engine.probing import NO_PROMPTS, TRUE, decoder_readings
from auralsam2.engine.splits import run_datasets
from auralsam2.models.weights.loading import loaded_weights
from auralsam2.registry import BACKBONES

pytest.importorskip("transformers", reason="needs the extra `backbones`: transformers")

SIDES = {"EdgeTAMBackbone": 64, "SAM3Backbone": 126, "SAMBackbone": 64}
PUBLISHED = {
    "EdgeTAMBackbone": ("EdgeTAM-hf", "https://huggingface.co/yonigozlan/EdgeTAM-hf"),
    "SAM3Backbone": ("sam3", "https://huggingface.co/facebook/sam3"),
    "SAMBackbone": ("sam-vit-base", "https://huggingface.co/facebook/sam-vit-base"),
}
NAMES = [
    pytest.param(
        name,
        marks=pytest.mark.skipif(
            name == "EdgeTAMBackbone" and find_spec("timm") is None,
            reason="needs the extra `backbones`: timm",
        ),
    )
    for name in SIDES
]


def build(name: str, side: int | None = None, **arguments: Any) -> Any:
    return BACKBONES.build(dict(type=name, **arguments), image_size=side)


@pytest.mark.parametrize("name", NAMES)
def test_a_folder_is_read_with_all_of_its_weights(name: str, tmp_path: Path) -> None:
    made = build(name, SIDES[name], random_weights=True)
    made.network.model.save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="unknown size='tiny'; known: mini, published"):
        build(name, checkpoint=str(tmp_path), size="tiny")
    read = build(name, checkpoint=str(tmp_path))
    assert read.image_size == SIDES[name] and not read.network.training
    assert not any(p.requires_grad for p in read.parameters())
    expected, found = made.network.state_dict(), read.network.state_dict()
    assert expected.keys() == found.keys()
    assert all(torch.equal(expected[key], found[key]) for key in expected)
    (noted,) = loaded_weights(read)
    assert noted["part"] == "network.model"
    frames = torch.randn(1, 2, 3, SIDES[name], SIDES[name])
    with torch.no_grad():
        for one, other in zip(made(frames).levels, read(frames).levels):
            torch.testing.assert_close(one, other)
    twice = 2 * SIDES[name]
    if name == "SAMBackbone":
        with pytest.raises(ValueError, match="must be 64, .* got 128: set `data.image_size`"):
            build(name, twice, checkpoint=str(tmp_path))
    else:
        larger = build(name, twice, checkpoint=str(tmp_path))
        assert larger(torch.zeros(1, 1, 3, twice, twice)).levels[2].shape[-1] == (
            2 * read.embedding_size
        )


@pytest.mark.parametrize("name", NAMES)
def test_random_weights_come_back_and_leave_other_draws_alone(name: str) -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    one, other = (build(name, SIDES[name], random_weights=True).state_dict() for _ in range(2))
    assert torch.equal(torch.rand(3), expected)
    assert all(torch.equal(one[key], other[key]) for key in one)


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_folder_is_told_with_its_source_before_anything_is_built(name: str) -> None:
    folder, source = PUBLISHED[name]
    with pytest.raises(FileNotFoundError, match=f"published folder is {folder}, from {source}"):
        build(name, checkpoint="/nowhere")
    with pytest.raises(ValueError, match="checkpoint=None.*set `model.backbone.checkpoint`"):
        build(name)
    with pytest.raises(ValueError, match="both checkpoint='/a' and random_weights=True"):
        build(name, checkpoint="/a", random_weights=True)
    with pytest.raises(ValueError, match="unknown size='tiny'; known: mini, published"):
        build(name, random_weights=True, size="tiny")


def test_edgetam_says_into_what_its_grid_divides() -> None:
    pytest.importorskip("timm", reason="needs the extra `backbones`: timm")
    assert build("EdgeTAMBackbone", 96, random_weights=True).embedding_size == 6
    published = dict(random_weights=True, size="published")
    with pytest.raises(ValueError, match="multiple of 256, .* 16 x 16 windows .* got 992"):
        build("EdgeTAMBackbone", 992, **published)


def test_the_tracker_is_found_in_a_folder_of_sam_3_as_a_whole(tmp_path: Path) -> None:
    made = build("SAM3Backbone", random_weights=True)
    state, renamed = made.network.model.state_dict(), {}
    for name, tensor in state.items():
        if name.startswith("vision_encoder.backbone."):
            name = f"detector_model.{name}"
        elif name.startswith("vision_encoder.neck."):
            name = name.replace("vision_encoder.neck", "tracker_neck")
        else:
            name = f"tracker_model.{name}"
        renamed[name] = tensor.contiguous()
    renamed["detector_model.detr.weight"] = torch.zeros(3)
    save_file(renamed, tmp_path / "model.safetensors", metadata={"format": "pt"})
    whole = dict(model_type="sam3_video", tracker_config=made.network.model.config.to_dict())
    (tmp_path / "config.json").write_text(json.dumps(whole))
    read = build("SAM3Backbone", checkpoint=str(tmp_path)).network.model.state_dict()
    assert all(torch.equal(state[key], read[key]) for key in state)


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data") / "clips"
    write_clips(root, Plan("v1m", (2, 2, 3), seed=3, size=64, num_frames=3))
    return root


@pytest.mark.parametrize("name", NAMES)
def test_it_hears_and_can_be_looked_into(name: str, clips: Path) -> None:
    """One step of training, an answer, and the attention of its decoder, from frames to masks."""
    node = dict(type=name, random_weights=True)
    overrides = {
        "data.root": str(clips), "data.batch_size": 2, "data.image_size": SIDES[name],
        "model.backbone": node, "model.audio_encoder": dict(type="LogMelCNN", width=8),
        "model.visual_depths": (0, 1, 1),
    }  # fmt: skip
    if name == "SAM3Backbone":
        overrides |= {"model.visual_attention.reduction": 3}  # of a grid of 9 x 9
    if name == "SAMBackbone":
        overrides |= {"model.tracker.use_memory": False, "model.pyramid.num_levels": 1}
    cfg = config.load("auralsam2/mini_v1m", overrides)
    model, datasets = build_model(cfg), run_datasets(cfg)
    halves = (model.pixel_mean.unique().tolist(), model.pixel_std.unique().tolist())
    assert (halves == ([127.5], [127.5])) == (name == "SAM3Backbone")
    batch = {k: v[None] if isinstance(v, torch.Tensor) else [v]
             for k, v in datasets["train"][0].items()}  # fmt: skip
    losses = model.train()(**batch, mode="loss")
    sum(losses.values()).backward()
    trained = [p for p in model.parameters() if p.requires_grad]
    assert all(torch.isfinite(p.grad).all() for p in trained if p.grad is not None)
    assert model.fuser.fusions[-1] is not None and any(
        p.grad is not None and p.grad.abs().max() > 0 for p in model.fuser.parameters()
    )
    found = list(decoder_readings(model, cfg, {TRUE: datasets["val"], "same": datasets["val"]}))
    assert len(found) == 6  # two clips in one batch
    n = (SIDES[name] // (14 if name == "SAM3Backbone" else 16)) ** 2
    for frame in found:
        assert frame.coverage.shape == (n,)
        for condition in (TRUE, "same", NO_PROMPTS):
            sites = frame.conditions[condition]
            assert len(sites) == 3 and sites[0].attention.shape[-1] == n
            sums = sites[0].attention[:, 2:6].sum(-1)
            torch.testing.assert_close(torch.from_numpy(sums), torch.ones(sums.shape))
        true, bare = frame.conditions[TRUE], frame.conditions[NO_PROMPTS]
        assert abs(true[-1].output[2:6] - bare[-1].output[2:6]).max() > 1e-6


def test_memory_and_levels_that_sam_has_not_are_refused() -> None:
    node = dict(type="SAMBackbone", random_weights=True)
    plain = config.load("auralsam2/mini_v1m", {"model.backbone": node, "data.image_size": 64})
    plain.model.audio_encoder = dict(type="LogMelCNN", width=8)
    frames = torch.zeros(1, 2, 3, 64, 64, dtype=torch.uint8)
    given = dict(frames=frames, log_mel=torch.zeros(1, 2, 2, 96, 64), masks=frames[:, :, 0])
    given |= dict(supervised=torch.ones(1, 2, dtype=torch.bool), clip=["a"])
    with pytest.raises(ValueError, match="embeds 3 levels, .* gives 1; set `model.pyramid.num_lev"):
        build_model(plain)(**given, mode="tensor")
    plain.model.pyramid.num_levels = 1
    with pytest.raises(ValueError, match="set `model.tracker.use_memory` to False"):
        build_model(plain)(**given, mode="tensor")


def test_what_is_made_for_hiera_says_so() -> None:
    node = dict(type="SAM3Backbone", random_weights=True)
    with pytest.raises(ValueError, match="set `model.backbone` to a SAM2Backbone"):
        config_of = config.load("methods/gavs_mini_v1m", {"model.backbone": node})
        config_of.data.image_size = 126
        build_model(config_of)
