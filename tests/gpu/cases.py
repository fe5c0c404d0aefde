"""One case for whatever is registered and computes, found by its registry and not by a list.

A case is what a step does: build, compute, go back. `test_pretended.py` compares a pretended GPU
with the CPU, `test_gpu.py` a real one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import torch
from mmengine.config import Config
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from auralsam2 import config, registry
from auralsam2.engine.evaluate import build_model
from auralsam2.models.detection.base import Evidence
from auralsam2.structures import Embeddings, Prediction, VisualPyramid, Waveform

B, T, C, D, S, K = 2, 2, 32, 8, 64, 5
E = S // 16
N = E * E

SAM2 = dict(type="SAM2Backbone", random_weights=True)
GIVEN = dict(channels=C, embedding_size=E, depth=1, image_size=S, num_classes=K)

Tree = Any


class Case(NamedTuple):
    """One component at work."""

    build: Callable[[], Any]  # on the CPU
    inputs: Callable[[], Tree]  # on the CPU
    call: Callable[[Any, Tree], Tree]  # component and inputs -> tensors and numbers
    evaluated: Callable[[Any, Tree], Tree] | None = None  # likewise in eval mode, if it differs


def _masks() -> Tensor:
    masks = torch.zeros(B, T, S, S)
    masks[0, :, 15:35, 10:30] = 1
    masks[1, 1:, 30:55, 25:45] = 1
    return masks


def _batch(ears: int = 2, semantic: bool = False) -> dict[str, Any]:
    masks = _masks().to(torch.uint8)
    waves = [Waveform(torch.randn(T * 16000), 16000) for _ in range(B)]
    batch = dict(
        frames=torch.randint(0, 256, (B, T, 3, S, S), dtype=torch.uint8),
        log_mel=torch.randn(B, T, ears, 96, 64),
        masks=masks,
        supervised=torch.ones(B, T, dtype=torch.bool),
        clip=["a", "b"],
        text=["the silent dog", "what barks"],
        native_masks=[masks[0, :, :48], masks[1]],
        waveform=waves,
    )
    if semantic:
        batch |= dict(semantic=masks * 2, native_semantic=list(masks * 2))
    return batch


def _prediction(classes: bool = False) -> Prediction:
    logits = torch.randn(B, T, 3, 4 * E, 4 * E)
    made = Prediction(logits, torch.rand(B, T, 3), torch.randn(B, T, 1), logits[:, :, 0])
    return made._replace(class_logits=torch.randn(B, T, K, 4 * E, 4 * E)) if classes else made


def _pyramid() -> VisualPyramid:
    return VisualPyramid(tuple(torch.randn(B, T, C, E * i, E * i) for i in (4, 2, 1)))


def _embeddings() -> Embeddings:
    unit = nn.functional.normalize
    return Embeddings(
        tuple(unit(torch.randn(B, T, N, D), dim=-1) for _ in range(3)),
        tuple(unit(torch.randn(B, T, D), dim=-1) for _ in range(3)),
    )


def _scored() -> dict[str, Any]:
    truth = _masks()[0]
    return dict(
        clip="a", mask_logits=torch.randn(T, S, S), masks=truth, low_res_logits=None,
        supervised=torch.ones(T, dtype=torch.bool), class_logits=torch.randn(T, K, S, S),
        semantic=(truth * 2).to(torch.uint8), predicted_classes=(truth * 3).long(),
    )  # fmt: skip


def _score(metric: Any, sample: dict[str, Any]) -> Tree:
    metric.process({}, [sample])
    return {key: torch.tensor(float(value)) for key, value in metric.evaluate(1).items()}


def _contrast(loss: Any, given: dict[str, Any]) -> Tree:
    return loss(**given, generator=torch.Generator().manual_seed(1))


def _detect(detector: Any, given: dict[str, Any]) -> Tree:
    evidence = Evidence(*given["evidence"])
    names = ["a", "b"]
    found = detector(given["pyramid"], names, given["frames"], given["heard"])
    return tuple(found), detector.losses(given["pyramid"], names, evidence)


# Registry -> how a component of it is called, with what, and its arguments by name where its own
# defaults do not do.
_SMALL = dict(width=8)
_LISTENING = dict(type="LogMelCNN", width=8, out_channels=D)
PARTS: dict[str, tuple[Callable[[], Tree], Callable[[Any, Tree], Tree], dict[str, Any]]] = {
    "backbone": (
        lambda: torch.randn(B, T, 3, S, S),
        lambda m, x: m(x[..., : m.image_size, : m.image_size]).levels,
        {
            **{name: dict(random_weights=True, frozen=False) for name in
               ("SAM2Backbone", "EdgeTAMBackbone", "SAMBackbone")},
            "SAM3Backbone": dict(random_weights=True, frozen=False, image_size=56),
        },
    ),
    "image_encoder": (
        lambda: torch.randn(B, 3, S, S), lambda m, x: m(x),
        {
            "HieraStages": dict(backbone=SAM2),
            "PVTv2Stages": dict(widths=(8, 16, 40, 64), depths=(1, 1, 1, 1)),
            "ResNetStages": dict(kind="resnet18", width=8),
        },
    ),
    "audio_encoder": (
        lambda: {None: torch.randn(B, T, 2, 96, 64)}
        | {rate: 0.1 * torch.randn(B, T, 2, rate) for rate in (16_000, 48_000)},
        lambda m, x: m(x[getattr(m, "waveform_rate", None)]),
        {
            "LogMelCNN": _SMALL, "VGGish": dict(random_weights=True),
            **{name: dict(random_weights=True, frozen=False) for name in
               ("ASTEncoder", "CLAPEncoder", "HuBERTEncoder", "PEAudioEncoder", "WavLMEncoder",
                "WhisperEncoder")},
        },
    ),
    "pyramid": (_pyramid, lambda m, x: m(x), {}),
    "visual_attention": (
        lambda: torch.randn(B, T, N, C), lambda m, x: m(x),
        {"SpatialReductionAttention": dict(reduction=2)},
    ),
    "audio_attention": (lambda: torch.randn(B, T + 3, C), lambda m, x: m(x), {}),
    "fusion": (
        lambda: (torch.randn(B, T, N, C), torch.randn(B, T, C)),
        lambda m, x: [y for y in m(*x) if y is not None], {},
    ),
    "sparse_prompt": (lambda: torch.randn(B, T, C), lambda m, x: m(x), {}),
    "dense_prompt": (lambda: torch.randn(B, T, N, C), lambda m, x: m(x), {}),
    "projector": (
        lambda: (torch.randn(B, T, N, C), torch.randn(B, T, C)),
        lambda m, x: (m.visual(x[0]), m.audio(x[1])), {},
    ),
    "mask_loss": (
        lambda: (_prediction(classes=True), _masks(), torch.ones(B, T, dtype=torch.bool)),
        lambda m, x: m(*x), {},
    ),
    "contrastive_loss": (
        lambda: dict(
            embeddings=_embeddings(), mask_logits=torch.randn(B, T, 4 * E, 4 * E), masks=_masks(),
            supervised=torch.ones(B, T, dtype=torch.bool),
        ),
        _contrast, {},
    ),
    "detector": (
        lambda: dict(
            pyramid=_pyramid(), frames=None, heard=torch.ones(B, T, K, dtype=torch.bool),
            evidence=(_masks(), torch.ones(B, T, dtype=torch.bool), torch.ones(B, K),
                      torch.rand(B, T, K)),
        ),
        _detect, {"PyramidDetector": _SMALL},
    ),
    "sound_classifier": (
        lambda: torch.randn(B, T, 2, 96, 64), lambda m, x: m(x, ["a", "b"], None),
        {"EmbeddingSoundClassifier": dict(audio_encoder=_LISTENING)},
    ),
    "metric": (_scored, _score, {}),
}  # fmt: skip

# What is not built here, and why. Parts of AuralSAM2 alone are in its case, below.
LEFT_OUT = {
    "EEMCMask2Former": "wants the folder of a Mask2Former",
    "BoxFileDetector": "reads answers of other networks",
    "LabelFileClassifier": "reads answers of other networks",
    "GroundingDINODetector": "wants a folder of weights",
    "ASTTagger": "wants a folder of weights",
    "CLAPTagger": "wants a folder of weights",
    "RobertaText": "wants a folder of weights",
    "CLAPText": "wants a folder of weights",
    "CLIPText": "wants a folder of weights",
    "MiniLMText": "brings its weights in a package of its own, which may not be there",
}
if find_spec("timm") is None:
    LEFT_OUT["EdgeTAMBackbone"] = "wants timm"
# Are tried inside AuralSAM2: an axis of its model -> the path of its node.
INSIDE = {"injection": "model.injection", "tracker": "model.tracker"}
# Names that configs had before; they lead to others'.
OF_BEFORE = ("audio_token", "adapter")
# Has real sizes alone.
RELEASED = {"model.type": "ReleasedAuralSAM2", "model.join_clips": True}
# Compute nothing on tensors of a step.
NOT_OF_A_STEP = {"dataset", "transform", "hook", "run_tracker", "optimizer", "data_sampler"}


def own_names(axis: str) -> list[str]:
    """Names of this project's components in a registry."""
    parts = registry.REGISTRIES[axis]
    own = [n for n in parts.names() if parts.lookup(n).__module__.startswith("auralsam2.")]
    return [name for name in own if name not in LEFT_OUT]


def _part(axis: str, name: str) -> Case:
    inputs, call, arguments = PARTS[axis]
    parts = registry.REGISTRIES[axis]
    node = dict(type=name, **arguments.get(name, {}))
    given = {n: GIVEN[n] for n in parts.given if n not in node}
    return Case(lambda: parts.build(node, **given), inputs, call)


def _losses(model: Any, batch: dict[str, Any]) -> Tree:
    model.generator.manual_seed(1)
    return model(**batch)


def _answers(model: Any, batch: dict[str, Any]) -> Tree:
    results = model(**batch, mode="predict")
    return [{k: v for k, v in r.items() if isinstance(v, Tensor)} for r in results]


def load(name: str, changes: Mapping[str, Any]) -> Config:
    """A shipped config at the size of these tests, without weights, caches or words' networks."""
    cfg = config.load(name, {"data.image_size": S})
    node = cfg.model
    for key, value in changes.items():
        config.set_node(cfg, key, value)
    if "backbone" in node:
        node.backbone = dict(type="SAM2Backbone", size="mini", random_weights=True)
    if "feature_cache_mb" in node:
        node.feature_cache_mb = 0
    for encoder in (
        node.get("audio_encoder"),
        node.get("sound_classifier", {}).get("audio_encoder"),
    ):
        if encoder is not None and encoder.get("weights"):
            encoder.weights = None
    if node.get("text_encoder") is not None:
        node.text_encoder = dict(type=Words)
    return cfg


class Words(nn.Module):
    """Texts to numbers without anybody's weights; on the CPU, as a tokenizer's are at first."""

    out_channels = D

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.randn(D))

    def forward(self, text: list[str]) -> Tensor:
        lengths = torch.tensor([float(len(t)) for t in text], device=self.table.device)
        return lengths.view(-1, 1, 1).expand(-1, 3, 1) * self.table / 10


def _method(name: str, changes: Mapping[str, Any]) -> Case:
    cfg = load(name, changes)
    ears = 1 if (cfg.model.get("audio_encoder") or {}).get("channels") == "mean" else 2
    semantic = "class" in str(cfg.model.get("mask_loss", "")).lower() or "v2" in name
    trains = cfg.model.get("mask_loss") is not None
    return Case(
        lambda: build_model(cfg),
        lambda: _batch(ears, semantic),
        _losses if trains else lambda m, x: (),
        _answers,
    )


@cache
def method_configs() -> tuple[str, ...]:
    """Shipped configs of mini size: of those whose models are made of the same parts, one.

    What is as released counts as different, since it may differ in switches alone.
    """
    names = [*config.names("auralsam2"), *config.names("methods")]
    names.sort(key=lambda name: "shipped" in name)  # made of another one
    found = {}
    for name in names:
        if "mini" in Path(name).name and not Path(name).name.startswith(OF_BEFORE):
            parts = tuple(sorted(_types(config.load(name).model.to_dict())))
            found.setdefault(("released" in name, parts), name)
    return tuple(found.values())


def _types(node: Any, path: str = "") -> Iterator[tuple[str, str]]:
    for key, value in node.items() if isinstance(node, Mapping) else ():
        if key == "type":
            yield path, str(value)
        yield from _types(value, f"{path}.{key}")


def cases() -> Iterator[tuple[str, Callable[[], Case]]]:
    """A label and a function to its case, of all there is."""
    for name in method_configs():
        yield name, lambda name=name: _method(name, {})
    base = "auralsam2/mini_v1m"
    yield "ReleasedAuralSAM2", lambda: _method(base, RELEASED)
    for axis, path in INSIDE.items():
        used = load(base, {}).model[path.removeprefix("model.")].type
        for name in sorted(set(own_names(axis)) - {used}):
            yield f"{axis} {name}", lambda n=name, p=path: _method(base, {p: dict(type=n)})
    for axis in PARTS:
        for name in own_names(axis):
            yield f"{axis} {name}", lambda a=axis, n=name: _part(a, n)


def without_dropout(module: Any) -> Any:
    """The same module, whose results hang on no generator of a device."""
    for part in module.modules() if isinstance(module, nn.Module) else ():
        if isinstance(part, nn.Dropout):
            part.p = 0.0
        if isinstance(getattr(part, "dropout", None), float):
            part.dropout = 0.0
    return module


def tensors(tree: Tree) -> list[Tensor]:
    return [x for x in tree_leaves(tree) if isinstance(x, Tensor)]


def go_back(outputs: Tree) -> bool:
    """Backward from the mean square of all outputs; whether any has a graph."""
    total = [x.float().square().mean() for x in tensors(outputs) if x.requires_grad]
    if total:
        torch.stack(total).sum().backward()
    return bool(total)
