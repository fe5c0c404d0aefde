"""The assembled model on the smallest SAM2 with random weights."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
from torch import Tensor

from auralsam2.models.auralsam2 import CHECKPOINTED
from auralsam2.models.methods.base import ClipBatch
from auralsam2.registry import MODELS, TEXT_ENCODERS
from auralsam2.structures import Prediction

B, T, S = 2, 3, 128
Batch = Callable[..., dict[str, Any]]


def config(**changes: Any) -> dict[str, Any]:
    node = dict(
        type="AuralSAM2",
        backbone=dict(type="SAM2Backbone", size="mini", random_weights=True),
        audio_encoder=dict(type="LogMelCNN", width=8),
        pyramid=dict(type="PatchEmbedPyramid"),
        visual_attention=dict(type="SpatialReductionAttention", reduction=2, dropout=0.0),
        visual_depths=(0, 0, 1),
        audio_attention=dict(type="TemporalSelfAttention", dropout=0.0),
        audio_depth=1,
        fusion=dict(type="TwoWayTPAVIFusion"),
        sparse_prompt=dict(type="AudioVectorPrompt"),
        dense_prompt=dict(type="AudioFeatureMapPrompt"),
        projector=dict(type="MLPProjector"),
        injection=dict(type="StepwiseInjection"),
        tracker=dict(type="MemoryTracker"),
        mask_loss=dict(type="SAM2MaskLoss", loss_size=32),
        contrastive_loss=dict(type="AudioConLoss"),
    )
    return {**node, **changes}


def build(**changes: Any) -> Any:
    torch.manual_seed(0)
    return MODELS.build(config(**changes))


@pytest.fixture
def batch(batch_of: Batch) -> Batch:
    """Return a function from a seed to two clips."""
    masks = torch.zeros(B, T, S, S, dtype=torch.uint8)
    masks[:, :2, 30:70, 20:60] = 1  # the last frame is silent
    return lambda seed=0: batch_of(masks, seed)


def predict(model: Any, data: dict[str, Any]) -> Prediction:
    with torch.no_grad():
        return model.eval()(**data, mode="tensor")


def test_losses_reach_every_trained_parameter_and_no_frozen_one(batch: Batch) -> None:
    model = build().train()
    losses = model(**batch())
    assert set(losses) == {"loss_mask", "loss_dice", "loss_iou", "loss_class", "loss_contrastive"}
    sum(losses.values()).backward()
    unreached = [n for n, p in model.named_parameters() if p.requires_grad and p.grad is None]
    assert unreached == []
    assert all(p.grad is None for p in model.backbone.parameters())
    assert not model.backbone.network.training


@pytest.mark.parametrize("off", ["sparse_prompt", "dense_prompt"])
def test_each_prompt_can_be_off_and_the_other_still_hears(batch: Batch, off: str) -> None:
    model = build(**{off: None})
    data = batch()
    fused = model.listen(model.backbone(model.normalise(data["frames"])), data["log_mel"])
    prompts = model.prompts(fused)
    assert len(getattr(prompts, off.split("_")[0])) == 0
    louder = dict(data, log_mel=data["log_mel"] + 3)
    assert not torch.equal(predict(model, data).best, predict(model, louder).best)


def test_masks_and_losses_by_themselves_are_those_of_a_step(batch: Batch) -> None:
    model, data = build().eval(), batch()
    with torch.no_grad():
        prediction = model.predict_clip(ClipBatch(**data))
        model.generator.manual_seed(0)
        losses = model.losses(ClipBatch(**data))
        model.generator.manual_seed(0)
        expected = model(**data)
    assert losses.keys() == expected.keys() and "loss_contrastive" in losses
    assert all(torch.equal(losses[name], expected[name]) for name in losses)
    assert all(map(torch.equal, prediction.tensors, predict(model, data).tensors))


def test_without_prompts_and_contrast_nothing_listens_or_trains(batch: Batch) -> None:
    model = build(sparse_prompt=None, dense_prompt=None, contrastive_loss=None)
    assert not any(p.requires_grad for p in model.parameters())
    assert not hasattr(model, "audio_encoder")
    data = batch()
    deaf = dict(data, log_mel=torch.zeros_like(data["log_mel"]))
    assert torch.equal(predict(model, data).best, predict(model, deaf).best)


def test_clips_of_a_batch_never_mix(batch: Batch) -> None:
    model = build()
    data = batch()
    other = batch(seed=9)
    changed = {k: v.clone() if isinstance(v, Tensor) else v for k, v in data.items()}
    for key in ("frames", "log_mel"):
        changed[key][1] = other[key][1]
    one, two = predict(model, data), predict(model, changed)
    for before, after in zip(one.tensors, two.tensors, strict=True):
        assert torch.equal(before[0], after[0])
        assert not torch.allclose(before[1], after[1], atol=1e-3)


@pytest.mark.parametrize("num_levels", [1, 2, 3])
def test_pyramid_depth(batch: Batch, num_levels: int) -> None:
    model = build(pyramid=dict(type="PatchEmbedPyramid", num_levels=num_levels))
    assert len(model.fuser.fusions) == num_levels
    assert predict(model, batch()).mask_logits.shape == (B, T, 3, 32, 32)


def test_single_frame_clip(batch: Batch) -> None:
    model = build()
    data = batch()
    one = {k: v[:, :1] if isinstance(v, Tensor) else v for k, v in data.items()}
    assert predict(model, one).best.shape == (B, 1, 32, 32)


def test_results_come_at_the_truths_own_size(batch: Batch) -> None:
    model = build().eval()
    truth = [torch.zeros(T, 60, 90), torch.zeros(T, 48, 48)]
    with torch.no_grad():
        results = model(**batch(), native_masks=truth, mode="predict")
    assert [r["clip"] for r in results] == ["a", "b"]
    assert [tuple(r["mask_logits"].shape) for r in results] == [(T, 60, 90), (T, 48, 48)]


def test_conditioning_frame_follows_the_mode() -> None:
    tracker = build().tracker
    assert tracker.train().conditioning_frame(5) == 2
    assert tracker.eval().conditioning_frame(5) == 0


def test_feature_cache_changes_nothing(batch: Batch) -> None:
    plain, cached = build(), build(feature_cache_mb=16)
    data = batch()
    for _ in range(2):
        both = predict(plain, data).tensors, predict(cached, data).tensors
        for one, two in zip(*both, strict=True):
            torch.testing.assert_close(one, two)
    assert cached.feature_cache.hits == B


def test_contrastive_loss_without_projector_is_explained() -> None:
    with pytest.raises(ValueError, match="needs model.projector"):
        build(projector=None)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("size", "visual_depths"),
    [(1024, (1, 1, 2)), (256, (3, 6, 12))],
    ids=["frames of real size", "fuser of real depth"],
)
def test_one_training_step_of_a_real_model(size: int, visual_depths: tuple[int, ...]) -> None:
    """hiera_tiny and VGGish; random weights asked for by name.

    Blocks of one level are alike, so frames of 1024 px go through a few of them only, and all of
    the depths 3/6/12 see smaller frames.
    """
    torch.manual_seed(0)
    node = config(
        backbone=dict(type="SAM2Backbone", size="tiny", random_weights=True),
        audio_encoder=dict(type="VGGish", random_weights=True),
        visual_attention=dict(type="SpatialReductionAttention"),
        visual_depths=visual_depths,
        audio_depth=3,
        mask_loss=dict(type="SAM2MaskLoss"),
    )
    model = MODELS.build(node, image_size=size).train()
    masks = torch.zeros(1, 2, size, size, dtype=torch.uint8)
    masks[:, :, size // 5 : size // 2, size // 4 : 2 * size // 3] = 1
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-4)
    before = model.fuser.smooth[0].weight.detach().clone()
    losses = model(
        frames=torch.randint(0, 256, (1, 2, 3, size, size), dtype=torch.uint8),
        log_mel=torch.randn(1, 2, 2, 96, 64),
        masks=masks,
        supervised=torch.ones(1, 2, dtype=torch.bool),
        clip=["a"],
    )
    total = sum(losses.values())
    total.backward()
    optimizer.step()
    assert torch.isfinite(total)
    assert not torch.equal(before, model.fuser.smooth[0].weight)


def permuted(data: dict[str, Any]) -> dict[str, Any]:
    return {k: v.flip(0) if isinstance(v, Tensor) else v[::-1] for k, v in data.items()}


def test_published_permuting_clips_permutes_outputs_and_changes_nothing_else(batch: Batch) -> None:
    model, data = build(), batch()
    one, other = predict(model, data), predict(model, permuted(data))
    for ours, theirs in zip(one.tensors, other.tensors, strict=True):
        torch.testing.assert_close(ours.flip(0), theirs, atol=1e-4, rtol=1e-4)


class LetterText(torch.nn.Module):
    """A text encoder of three numbers a letter."""

    out_channels = 3

    def forward(self, text: list[str]) -> Tensor:
        codes = [[[ord(c) / 100, 1.0, i / 9] for i, c in enumerate(t[:4].ljust(4))] for t in text]
        return torch.tensor(codes)


def with_text() -> Any:
    TEXT_ENCODERS.register_module(name="LetterText", module=LetterText, force=True)
    return build(text_encoder=dict(type="LetterText"))


def test_an_expression_changes_the_masks(batch: Batch) -> None:
    model, data = with_text(), batch()
    one = predict(model, {**data, "text": ["cats", "dogs"]})
    other = predict(model, {**data, "text": ["cats", "bird"]})
    assert torch.equal(one.best[0], other.best[0])
    assert not torch.equal(one.best[1], other.best[1])


def test_a_model_with_text_needs_expressions(batch: Batch) -> None:
    with pytest.raises(ValueError, match="needs one expression a clip, got none for 2"):
        predict(with_text(), batch())


def test_a_projector_that_reads_what_the_fusion_does_not_give(batch: Batch) -> None:
    model = build(
        fusion=dict(type="CrossAttentionFusion"), projector=dict(type="ReleasedRefProjector")
    )
    with pytest.raises(ValueError, match="CrossAttentionFusion does not give"):
        model.train()(**batch())


def test_training_without_a_mask_loss_is_explained(batch: Batch) -> None:
    with pytest.raises(ValueError, match=r"AuralSAM2 cannot be trained with model\.mask_loss=None"):
        build(mask_loss=None).train()(**batch())


@pytest.mark.parametrize("name", ["AuralSAM2", "ReleasedAuralSAM2"])
def test_checkpointing_changes_memory_and_no_number(batch: Batch, name: str) -> None:
    released = dict(type="ReleasedConvProjector") if name.startswith("Released") else {}
    settings = dict(
        type=name,
        visual_attention=dict(type="SpatialReductionAttention", reduction=2, dropout=0.1),
        projector=released or dict(type="MLPProjector"),
    )

    def step(names: Sequence[str]) -> tuple[dict[str, Tensor], dict[str, Tensor], int]:
        model = build(**settings, gradient_checkpointing=names).train()
        kept: dict[int, int] = {}

        def pack(x: Tensor) -> Tensor:
            storage = x.untyped_storage()
            kept[storage.data_ptr()] = storage.nbytes()
            return x

        torch.manual_seed(1)
        with torch.autograd.graph.saved_tensors_hooks(pack, lambda x: x):
            losses = model(**batch(), mode="loss")
        for p in model.parameters():
            kept.pop(p.untyped_storage().data_ptr(), None)
        sum(losses.values()).backward()
        gradients = {n: p.grad for n, p in model.named_parameters() if p.grad is not None}
        return losses, gradients | dict(model.named_buffers()), sum(kept.values())

    losses, numbers, most = step(())
    for names in (*((name,) for name in CHECKPOINTED), CHECKPOINTED):
        ours, same, kept = step(names)
        assert kept < most, names
        assert all(torch.equal(ours[key], losses[key]) for key in losses), names
        assert same.keys() == numbers.keys()
        assert all(torch.equal(same[key], numbers[key]) for key in numbers), names
    assert kept < 0.45 * most


def test_losses_are_computed_outside_autocast(batch: Batch, monkeypatch: Any) -> None:
    model = build().train()
    seen = {}
    for name in ("mask_loss", "contrastive_loss"):
        loss = getattr(model, name)

        def watched(*inputs: Any, _name: str = name, _loss: Any = loss.forward) -> Any:
            seen[_name] = torch.is_autocast_enabled("cpu")
            return _loss(*inputs)

        monkeypatch.setattr(loss, "forward", watched)
    with torch.autocast("cpu", torch.bfloat16):
        losses = model(**batch(), mode="loss")
        assert torch.is_autocast_enabled("cpu")
    assert seen == dict(mask_loss=False, contrastive_loss=False)
    assert all(value.dtype == torch.float32 for value in losses.values())


def test_unknown_parts_to_checkpoint_are_refused() -> None:
    with pytest.raises(ValueError, match="fusser'; did you mean 'fuser'.*'memory'; known: f"):
        build(gradient_checkpointing=["fusser", "memory"])


def test_a_model_that_does_not_listen_checkpoints_what_it_has(batch: Batch) -> None:
    off = dict(sparse_prompt=None, dense_prompt=None, contrastive_loss=None)
    model = build(**off, gradient_checkpointing=["fuser", "tracker", "losses"])
    assert model.fuser is None and model(**batch(), mode="loss")
