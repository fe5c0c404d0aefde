"""Every registry's contract is what its components do: one of each is built and called by it."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from auralsam2.data.synthetic.writer import Plan, write_clips
from auralsam2.engine.hooks.step_seed_hook import StepSeedHook, step_seed
from auralsam2.models.detection.base import Evidence
from auralsam2.models.text.encoder import TextEncoder
from auralsam2.registry import REGISTRIES, load_all
from auralsam2.structures import Embeddings, Prediction, Prompts, VisualPyramid

B, T, C, D, S = 2, 3, 16, 8, 64
E = S // 16
N, K = E * E, 5

GIVEN = dict(
    channels=C, embedding_size=E, depth=1, image_size=S, decode="iou_select", num_classes=K,
    params=[nn.Parameter(torch.ones(1))], dataset=range(4), seed=0,
)  # fmt: skip


SAM2 = dict(type="SAM2Backbone", random_weights=True)
KNOWN = torch.ones(B, T, dtype=torch.bool)


class Case(NamedTuple):
    """A component, what its methods are given, and what must come out.

    Attributes:
        node: of the component, what is given left out.
        arguments: name in the contract -> value.
        right: tells by method what came out.
    """

    node: dict[str, Any]
    arguments: Mapping[str, Any]
    right: dict[str, Callable[[Any], bool]]


class Words(TextEncoder):
    """Text to numbers, as the adapters do it, without weights of anybody's."""

    out_channels = D

    def __init__(self) -> None:
        super().__init__(frozen=False, cache=False)

    def identity(self) -> str:
        return "ones"

    def encode(self, text: list[str]) -> tuple[Tensor, Tensor]:
        return torch.ones(len(text), K, D), torch.ones(len(text), K, dtype=torch.bool)


def pyramid(channels: int = C) -> VisualPyramid:
    return VisualPyramid(tuple(torch.randn(B, T, channels, E * i, E * i) for i in (4, 2, 1)))


def shape(*sizes: int) -> Callable[[Any], bool]:
    return lambda out: tuple(out.shape) == sizes


def same(as_what: Tensor) -> Callable[[Any], bool]:
    return shape(*as_what.shape)


def scalars(*names: str) -> Callable[[Any], bool]:
    return lambda out: set(names) <= set(out) and all(value.dim() == 0 for value in out.values())


def batch() -> dict[str, Any]:
    masks = torch.zeros(B, T, S, S, dtype=torch.uint8)
    masks[..., 10:40, 10:40] = 1
    return dict(
        frames=torch.zeros(B, T, 3, S, S, dtype=torch.uint8),
        log_mel=torch.randn(B, T, 2, 96, 64),
        masks=masks,
        supervised=torch.ones(B, T, dtype=torch.bool),
        clip=["a", "b"],
    )


def prediction() -> Prediction:
    logits = torch.randn(B, T, 3, 4 * E, 4 * E)
    return Prediction(logits, torch.rand(B, T, 3), torch.randn(B, T, 1), logits[:, :, 0])


def parts() -> dict[str, Case]:
    """Cases of what is no part of a network."""
    data = batch()
    unprompted = dict(type="UnpromptedSAM2", backbone=SAM2, tracker=dict(type="MemoryTracker"))
    frames, masks = np.zeros((T, 9, 9, 3), np.uint8), np.zeros((T, 9, 9), np.uint8)
    clip, ones = dict(frames=frames, masks=masks), torch.ones(T, 6, 6)
    scored = dict(mask_logits=ones, masks=ones, outcome=ones[:, 0, 0], outcomes=[ones[:, 0, 0]])
    return {
        "model": Case(
            unprompted, {"mode": "predict", **data}, {"forward": lambda out: len(out) == B}
        ),
        "transform": Case(
            dict(type="RandomClipFlip", prob=1.0),
            dict(clip=clip, rng=np.random.default_rng(0)),
            {"__call__": lambda out: all(out[k].shape == clip[k].shape for k in clip)},
        ),
        "hook": Case(dict(type="StepSeedHook", seed=0), {}, {}),
        "metric": Case(dict(type="JaccardMetric"), scored, {
            "score_clip": shape(T),
            "clip_value": lambda out: out == 1.0,
            "average": lambda out: out == 1.0,
        }),
        "optimizer": Case(dict(type="SGD", lr=0.1), {}, {
            "step": lambda out: out is None,
            "zero_grad": lambda out: out is None,
        }),
        "data_sampler": Case(
            dict(type="DefaultSampler"), {}, {"__iter__": lambda out: sorted(out) == [0, 1, 2, 3]}
        ),
        "mask_loss": Case(
            dict(type="SAM2MaskLoss"),
            dict(prediction=prediction(), masks=data["masks"].float(), supervised=KNOWN),
            {"forward": scalars("loss_mask")},
        ),
        "contrastive_loss": Case(
            dict(type="InfoNCELoss"),
            dict(
                embeddings=Embeddings((torch.randn(B, T, N, D),), (torch.randn(B, T, D),)),
                mask_logits=torch.randn(B, T, 4 * E, 4 * E), masks=data["masks"].float(),
                supervised=KNOWN, generator=torch.Generator(),
            ),
            {"forward": scalars("loss_contrastive")},
        ),
    }  # fmt: skip


def layers() -> dict[str, Case]:
    """Cases of the parts of a network."""
    data, listening = batch(), dict(type="LogMelCNN", width=8, out_channels=D)
    heard, names = data["log_mel"], data["clip"]
    visual, audio, tokens = (torch.randn(B, *size) for size in ((T, N, C), (T + 1, C), (K + 1, C)))
    evidence = Evidence(data["masks"].float(), KNOWN, torch.ones(B, K), torch.rand(B, T, K))
    return {
        "backbone": Case(SAM2, dict(frames=torch.zeros(B, T, 3, S, S)), {
            "forward": lambda out: out.levels[0].shape == (B, T, 128, 4 * E, 4 * E)
        }),
        "image_encoder": Case(
            dict(type="HieraStages", backbone=SAM2), dict(frames=torch.zeros(B, 3, S, S)), {
            "forward": lambda out: [m.shape[-1] for m in out] == [16, 8, 4, 2]
        }),
        "audio_encoder": Case(listening, dict(log_mel=heard), {"forward": shape(B, T, D)}),
        "text_encoder": Case(
            dict(type=Words), dict(text=["a dog", "a cat"]), {"forward": shape(B, K, D)}
        ),
        "pyramid": Case(dict(type="PatchEmbedPyramid"), dict(pyramid=pyramid()), {
            "forward": lambda out: [tuple(level.shape) for level in out] == [(B, T, N, C)] * 3
        }),
        "visual_attention": Case(
            dict(type="SpatialReductionAttention"), dict(tokens=visual), {"forward": same(visual)}
        ),
        "audio_attention": Case(
            dict(type="TemporalSelfAttention"), dict(tokens=audio), {"forward": same(audio)}
        ),
        "fusion": Case(dict(type="CrossAttentionFusion"), dict(visual=visual, audio=audio), {
            "forward": lambda out: same(visual)(out.visual) and same(audio)(out.audio)
        }),
        "sparse_prompt": Case(
            dict(type="AudioVectorPrompt"), dict(fused=audio[:, :T]), {"forward": shape(B, T, C)}
        ),
        "dense_prompt": Case(
            dict(type="AudioFeatureMapPrompt"), dict(fused=visual), {"forward": same(visual)}
        ),
        "injection": Case(
            dict(type="StepwiseInjection"),
            dict(num_levels=3, num_tokens=K + 1, device="cpu", tokens=tokens, injected=tokens),
            {
                "dense_levels": lambda out: out == (2, 1, 0),
                "added_levels": lambda out: out == (2, 1, 0),
                "appended_levels": lambda out: out == (),
                "token_mask": shape(K + 1),
                "token_position": same(tokens),
            },
        ),
        "detector": Case(
            dict(type="PyramidDetector", width=8),
            dict(pyramid=pyramid(), clip=names, frames=None, heard=None, evidence=evidence),
            {
                "forward": lambda out: out.boxes.shape == (*out.labels.shape, 4),
                "losses": lambda out: scalars("loss_box")(out[0]) and out[1].shape == (B, T, K),
            },
        ),
        "sound_classifier": Case(
            dict(type="EmbeddingSoundClassifier", audio_encoder=listening),
            dict(log_mel=heard, clip=names, waveform=None),
            {"forward": shape(B, T, K)},
        ),
    }  # fmt: skip


CASES = parts() | layers()


def calls(axis: str) -> Iterator[tuple[str, list[str]]]:
    """Name and arguments of every method in the contract of a registry."""
    for call in REGISTRIES[axis].calls:
        found = re.fullmatch(r"(\w+)\((.*)\)", call)
        assert found is not None, call
        yield found[1], [name for name in found[2].split(", ") if name]


def obey(axis: str, case: Case, given: Mapping[str, Any]) -> Any:
    """Build a component as its contract says, make every call of it, and look at the answers."""
    component = REGISTRIES[axis].build(case.node, **{n: given[n] for n in REGISTRIES[axis].given})
    assert {method for method, _ in calls(axis)} == set(case.right)
    for method, names in calls(axis):
        answer = getattr(component, method)(**{name: case.arguments[name] for name in names})
        assert case.right[method](answer), (method, answer)
    return component


@pytest.mark.parametrize("axis", CASES)
def test_a_component_keeps_its_contract(axis: str) -> None:
    torch.manual_seed(0)
    obey(axis, CASES[axis], GIVEN)


def test_the_generator_of_a_model_is_seeded_at_every_step() -> None:
    model = obey("model", CASES["model"], GIVEN)
    StepSeedHook(seed=3).before_train_iter(SimpleNamespace(model=model, iter=2, rank=0), 0)
    assert model.generator.initial_seed() == step_seed(3, 2)
    assert ".generator, a torch.Generator" in REGISTRIES["model"].contract


def test_a_projector_keeps_its_contract() -> None:
    """Its methods share the name of their argument, and not what it holds."""
    registry = REGISTRIES["projector"]
    projector = registry.build(dict(type="MLPProjector"), channels=C)
    assert list(calls("projector")) == [("visual", ["tokens"]), ("audio", ["tokens"])]
    visual = projector.visual(tokens=torch.randn(B, T, N, C))
    audio = projector.audio(tokens=torch.randn(B, T, C))
    assert visual.shape[:3] == (B, T, N) and audio.shape == (B, T, visual.shape[3])
    length = visual.norm(dim=projector.visual_axis)
    assert torch.allclose(length, torch.ones_like(length), atol=1e-5)
    assert torch.allclose(audio.norm(dim=-1), torch.ones(B, T), atol=1e-5)
    assert projector.visual_source in ("visual", "visual_update")


def test_a_tracker_drives_the_network_of_a_backbone() -> None:
    torch.manual_seed(0)
    network = REGISTRIES["backbone"].build(SAM2, image_size=S).network.eval()
    arguments = dict(
        network=network, pyramid=pyramid(network.hidden_dim), prompts=Prompts(), injection=None,
        points=None, masks=None, extra_tokens=None, num_frames=T,
    )  # fmt: skip
    right = {
        "forward": lambda out: out.best.shape == (B, T, 4 * E, 4 * E),
        "conditioning_frame": lambda out: out in range(T),
    }
    obey("tracker", Case(dict(type="MemoryTracker"), arguments, right), {})


def test_a_data_set_keeps_its_contract(tmp_path: Path) -> None:
    root = tmp_path / "clips"
    write_clips(root, Plan("v1m", (1, 1, 2), seed=5, size=40))
    wanted = ["frames", "log_mel", "masks", "native_masks", "supervised", "clip"]
    case = Case(
        dict(type="AVSBenchDataset", subset="v1m", split="test"),
        dict(index=0),
        {"__len__": lambda out: out == 2, "fingerprint": lambda out: isinstance(out, str),
            "__getitem__": lambda out: set(wanted) <= set(out)},
    )  # fmt: skip
    given = dict(root=str(root), image_size=S, channels="both", waveform_rate=None)
    dataset = obey("dataset", case, given)
    assert len(dataset.clips) == 2
    samples = obey("dataset", case, {**given, "waveform_rate": 400})[0]["log_mel"]
    assert samples.shape == (dataset[0]["frames"].shape[0], 2, 400)
    item = dataset[0]
    stated = REGISTRIES["dataset"].calls["__getitem__(index)"]
    assert all(f"{name} " in stated for name in wanted)
    frames = item["frames"].shape[0]
    sizes = dict(frames=(3, S, S), log_mel=(2, 96, 64), masks=(S, S), native_masks=(40, 40))
    assert {key: tuple(item[key].shape) for key in sizes} == {
        key: (frames, *size) for key, size in sizes.items()
    }


def test_each_registry_is_called() -> None:
    assert set(REGISTRIES) == {*CASES, "projector", "tracker", "run_tracker", "dataset"}


def test_whatever_is_registered_takes_what_its_contract_names() -> None:
    load_all()
    taken: dict[str, set[str]] = {axis: set() for axis in REGISTRIES}
    for axis, registry in REGISTRIES.items():
        for name in registry.names():
            component = registry.lookup(name)
            if not component.__module__.startswith("auralsam2."):
                continue
            taken[axis] |= set(inspect.signature(component).parameters)
            for method, names in calls(axis):
                if not hasattr(component, method) and hasattr(component, "__getattr__"):
                    continue  # the data set around which it is
                signature = inspect.signature(getattr(component, method))
                signature.bind(None, **dict.fromkeys(names))  # TypeError where it does not fit
    own = {axis for axis, registry in REGISTRIES.items() if taken[axis]}
    lacking = {axis: set(REGISTRIES[axis].given) - taken[axis] for axis in own}
    # Given with the channels, for a user's own: no shipped fusion asks for the side of the grid.
    assert {axis: names for axis, names in lacking.items() if names} == {
        "fusion": {"embedding_size"}
    }
