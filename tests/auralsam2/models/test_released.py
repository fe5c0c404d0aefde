"""The released model: its batch is one long video, its audio carries no time."""

from typing import Any

import pytest
import torch
from torch import Tensor

from auralsam2.models.decoder_rows import DecoderRow
from auralsam2.models.methods.base import ClipBatch
from auralsam2.structures import Prediction


@pytest.fixture
def released(switch_bench: Any) -> Any:
    """The model as released, small."""
    return switch_bench.build(
        {
            "type": "ReleasedAuralSAM2",
            "audio_attention.type": "ReleasedTemporalAttention",
            "fusion": dict(type="ReleasedTPAVIFusion", zero_init=False),
            "projector": dict(type="ReleasedConvProjector"),
            "injection": dict(type="ReleasedInjection", leak_into_position=True),
            "contrastive_loss": dict(type="ReleasedAudioConLoss"),
            "constant_audio_position": True,
            "join_clips": True,
            "tracker.use_memory": True,
        }
    )


def permuted(data: dict[str, Any]) -> dict[str, Any]:
    return {k: v.flip(0) if isinstance(v, Tensor) else v[::-1] for k, v in data.items()}


def predict(model: Any, data: dict[str, Any]) -> Prediction:
    model.backbone.maps = []  # of other frames
    with torch.no_grad():
        return model.eval()(**data, mode="tensor")


def test_permuting_clips_changes_outputs(switch_bench: Any, released: Any) -> None:
    data = switch_bench.batch()
    one, other = predict(released, data), predict(released, permuted(data))
    assert one.best.shape == (2, 3, 16, 16)
    assert (one.best.flip(0) - other.best).abs().max() > 1e-2
    released.backbone.maps = []


@torch.no_grad()
def test_clips_to_click_on_are_videos_of_their_own(
    switch_bench: Any, released: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in batches of one clip, which is how the release is scored."""
    data, released = switch_bench.batch(), released.eval()
    kind = type(released.backbone)

    def anew(self: Any, frames: Tensor, whole: Any = kind.forward) -> Any:
        self.maps = []
        return whole(self, frames)

    monkeypatch.setattr(kind, "forward", anew)
    clips = released.interactions(ClipBatch(**data), heard=True)
    assert len(clips) == 2
    for i, clip in enumerate(clips):
        alone = predict(released, {key: value[i : i + 1] for key, value in data.items()})
        torch.testing.assert_close(clip.answer().best, alone.best, atol=1e-4, rtol=1e-4)
    assert len(released.interactions(ClipBatch(**data), heard=False)) == 2
    released.backbone.maps = []


def test_losses_of_a_joined_batch(switch_bench: Any, released: Any) -> None:
    losses = released.train()(**switch_bench.batch())
    assert set(losses) == {"loss_mask", "loss_dice", "loss_iou", "loss_class", "loss_contrastive"}
    sum(losses.values()).backward()
    idle = [n for n, p in released.named_parameters() if p.requires_grad and p.grad is None]
    assert idle and all("unused_" in name for name in idle)


def test_results_take_apart_what_was_joined(switch_bench: Any, released: Any) -> None:
    tensors = [torch.randn(2, 3, *rest) for rest in ((3, 4, 4), (3,), (1,), (4, 4))]
    joined = Prediction(*(released._joined(t) for t in tensors))
    assert joined.best.shape == (1, 6, 4, 4)
    apart = released.results(joined, _Batch(), "tensor")
    for back, tensor in zip(apart.tensors, tensors, strict=True):
        torch.testing.assert_close(back, tensor, atol=0, rtol=0)


def test_a_decoder_sees_joined_clips_as_one_video(released: Any) -> None:
    released.eval().tracker.test_conditioning = "middle"
    calls = released.decoder_rows(torch.zeros(2, 3, 8, 8))
    at = [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)]
    assert calls == [[DecoderRow(*at[t])] for t in (3, 0, 1, 2, 4, 5)]


class _Batch:
    """As much of a batch as is asked for."""

    clip = ("a", "b")


def test_with_both_switches_off_it_is_the_published_model(switch_bench: Any) -> None:
    data = switch_bench.batch()
    published = switch_bench.build({})
    same = switch_bench.build({"type": "ReleasedAuralSAM2"})
    same.load_state_dict(published.state_dict())
    both = predict(published, data).tensors, predict(same, data).tensors
    for one, other in zip(*both, strict=True):
        assert torch.equal(one, other)
    assert same.decoder_rows(data["masks"]) == published.decoder_rows(data["masks"])
