"""Fixtures of the model tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor, nn

from auralsam2.registry import MODELS
from auralsam2.structures import VisualPyramid


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Tiny tensors are slower on many threads; random weights are the same in every run."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield
    torch.set_num_threads(threads)


B, T, C, S = 2, 3, 32, 64

# The smallest SAM2 at a quarter of its width.
NARROW = {
    **{f"image_encoder.neck.{k}": C for k in ("d_model", "position_encoding.num_pos_feats")},
    **{f"memory_attention.{k}": C for k in ("d_model", "layer.d_model")},
    **{f"memory_attention.layer.{k}_attention.embedding_dim": C for k in ("self", "cross")},
    **{f"memory_encoder.{k}": C for k in ("in_dim", "mask_downsampler.embed_dim", "out_dim")},
    **{f"memory_encoder.{k}": C for k in ("position_encoding.num_pos_feats", "fuser.layer.dim")},
    "memory_attention.layer.cross_attention.kv_in_dim": C,
}


class NarrowBackbone(nn.Module):
    """A narrow SAM2 with random weights; its frames are encoded once, whoever asks."""

    channels, embedding_size, image_size = C, S // 16, S

    def __init__(self) -> None:
        from auralsam2.models.backbones.sam2.build import build_sam2

        super().__init__()
        self.network = build_sam2("mini", image_size=S, overrides=NARROW)
        self.network.eval().requires_grad_(False)
        self.maps: list[Tensor] = []

    def train(self, mode: bool = True) -> NarrowBackbone:
        return self

    def forward(self, frames: Tensor) -> VisualPyramid:
        with torch.no_grad():
            self.maps = self.maps or self.network.raw_pyramid(frames.flatten(0, 1))
        return VisualPyramid(tuple(m.unflatten(0, frames.shape[:2]) for m in self.maps))


class MelBands(nn.Module):
    """An audio encoder of one linear layer."""

    out_channels = C

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(64, C)

    def forward(self, log_mel: Tensor) -> Tensor:
        return self.head(log_mel.mean(dim=(2, 3)))


def clip_batch(masks: Tensor, seed: int = 0) -> dict[str, Any]:
    """Random clips with such masks (B, T, S, S)."""
    g = torch.Generator().manual_seed(seed)
    num_clips, num_frames, side, _ = masks.shape
    frames = torch.randint(0, 256, (num_clips, num_frames, 3, side, side), generator=g)
    return dict(
        frames=frames.to(torch.uint8),
        log_mel=torch.randn(num_clips, num_frames, 2, 96, 64, generator=g),
        masks=masks,
        supervised=torch.ones(num_clips, num_frames, dtype=torch.bool),
        clip=["a", "b"][:num_clips],
    )


@pytest.fixture
def batch_of() -> Callable[..., dict[str, Any]]:
    """Return `clip_batch`."""
    return clip_batch


def _narrow_batch() -> dict[str, Any]:
    masks = torch.zeros(B, T, S, S, dtype=torch.uint8)
    masks[:, :2, 14:40, 10:34] = 1  # the last frame is silent
    return {**clip_batch(masks), "text": ["cat", "dog"]}


class Outcome(NamedTuple):
    """What a model does: masks and scores in eval mode, losses and gradients of one step."""

    answers: dict[str, Tensor]
    losses: dict[str, Tensor]
    gradients: dict[str, Tensor]


class SwitchBench:
    """Builds the narrow AuralSAM2 twice, the second time with one switch turned."""

    def __init__(self) -> None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            backbone = NarrowBackbone()
        self.backbone = dict(type=lambda: backbone)
        self.base: dict[str, Any] = dict(
            type="AuralSAM2",
            audio_encoder=dict(type=MelBands),
            pyramid=dict(type="PatchEmbedPyramid"),
            visual_attention=dict(
                type="SpatialReductionAttention", reduction=2, dropout=0.0, mlp_ratio=1
            ),
            visual_depths=(0, 0, 1),
            audio_attention=dict(type="TemporalSelfAttention", dropout=0.0, mlp_ratio=1),
            audio_depth=1,
            fusion=dict(type="TwoWayTPAVIFusion"),
            sparse_prompt=dict(type="AudioVectorPrompt"),
            dense_prompt=dict(type="AudioFeatureMapPrompt"),
            projector=dict(type="MLPProjector"),
            injection=dict(type="StepwiseInjection"),
            tracker=dict(type="MemoryTracker", use_memory=False),  # half of the time
            mask_loss=dict(type="SAM2MaskLoss", loss_size=16),
            contrastive_loss=dict(type="AudioConLoss"),
        )
        self._references: dict[str, tuple[dict[str, Tensor], Outcome]] = {}

    def batch(self) -> dict[str, Any]:
        """Two clips of three frames, the last one silent."""
        return _narrow_batch()

    def build(self, changes: Mapping[str, Any]) -> Any:
        """The model with ``changes``, dotted path -> value."""
        node = deepcopy(self.base)
        for path, value in changes.items():
            *parents, last = path.split(".")
            target = node
            for parent in parents:
                target = target[parent]
            target[last] = deepcopy(value)
        torch.manual_seed(0)
        return MODELS.build(dict(node, backbone=self.backbone))

    def run(self, model: Any) -> Outcome:
        """Predict, then take one step's losses and gradients."""
        model.eval()
        with torch.no_grad():
            results = model(**_narrow_batch(), mode="predict")
        kept = ("low_res_logits", "ious", "object_score_logits")
        answers = {key: torch.stack([r[key] for r in results]) for key in kept}
        torch.manual_seed(1)  # of the dropout
        losses = model.train()(**_narrow_batch())
        sum(losses.values()).backward()
        gradients = {n: p.grad for n, p in model.named_parameters() if p.grad is not None}
        return Outcome(answers, {k: v.detach() for k, v in losses.items()}, gradients)

    def reference(self, context: Mapping[str, Any]) -> tuple[dict[str, Tensor], Outcome]:
        """Weights before the step, and outcome, of the model that differs by ``context``."""
        key = repr(context)
        if key not in self._references:
            model = self.build(context)
            state = {k: v.clone() for k, v in model.state_dict().items()}
            self._references[key] = state, self.run(model)
        return self._references[key]

    def changed_by(
        self, path: str, value: Any, context: Mapping[str, Any], initial: bool = False
    ) -> set[str]:
        """Which fields of :class:`Outcome` differ by more than rounding.

        Weights that both models have are shared, but for a switch of ``initial`` weights.
        """
        state, expected = self.reference(context)
        model = self.build({**context, path: value})
        own = model.state_dict()
        fitting = {k: v for k, v in state.items() if k in own and v.shape == own[k].shape}
        if not initial:
            model.load_state_dict(fitting, strict=False)
        found = self.run(model)
        changed = {"losses"} if expected.losses.keys() != found.losses.keys() else set()
        for field, one, other in zip(Outcome._fields, expected, found):
            both = [k for k in one.keys() & other.keys() if one[k].shape == other[k].shape]
            assert both
            differences = ((one[k] - other[k]).abs().max() / one[k].abs().max() for k in both)
            if any(d > 1e-4 for d in differences):
                changed.add(field)
        return changed


@pytest.fixture(scope="session")
def switch_bench() -> SwitchBench:
    """One narrow SAM2, and the models around it, for every switch."""
    return SwitchBench()
