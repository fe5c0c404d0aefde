"""AVSBench's network: backbone, block, whole network and losses."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from auralsam2.engine.parity.compare import Row, leaves, probe_loss, watched
from auralsam2.engine.parity.fixtures import Expected, under
from auralsam2.models.fusion.tpavi import TPAVIFusion, VisualTPAVIFusion
from auralsam2.models.image.pvt_v2 import PVTv2Stages, in_names_of_transformers
from auralsam2.models.methods.tpavi_layers import StageFusion, enlarge
from auralsam2.models.methods.tpavi_matching import hard_masks, matching_loss, soft_masks
from auralsam2.models.methods.tpavi_network import Answer, TPAVINetwork
from auralsam2.models.one_mask import as_prediction, class_prediction
from auralsam2.registry import MASK_LOSSES

OUTPUT = 2e-5
"""Tolerance of outputs; float32 alone costs up to 1e-5."""
GRADIENT = (1e-7, 1e-3)
"""Absolute or relative, of gradients of inputs: some are below the usual absolute tolerance."""
MODES = ("eval", "train")
Numbers = Mapping[str, Tensor]

# The authors' names -> ours, first inside a block, then of the network.
_BLOCK = (
    (r"^align_channel\.", "align."),
    (r"^theta\.", "block.query."),
    (r"^phi\.", "block.key."),
    (r"^g\.", "block.value."),
    (r"^W_z\.0\.", "block.out."),
    (r"^W_z\.1\.", "block.attention_norm."),
    (r"^norm_layer\.", "block.visual_norm."),
)
_NETWORK = (
    (r"^conv(\d)\.conv2d_list\.", r"necks.\1.convs."),
    (r"^path4\.resConfUnit1\.", r"steps.4.unused_skip."),
    (r"^path(\d)\.resConfUnit1\.", r"steps.\1.skip."),
    (r"^path(\d)\.resConfUnit2\.", r"steps.\1.out."),
    (r"^(steps\..*)\.conv1\.", r"\1.first."),
    (r"^(steps\..*)\.conv2\.", r"\1.second."),
    (r"^output_conv\.0\.", "head.first."),
    (r"^output_conv\.2\.", "head.second."),
    (r"^output_conv\.4\.", "head.last."),
)


def own_name(key: str) -> str:
    """A name of the authors' network, backbone apart, in ours: stages are counted from 0."""
    stage, inside = re.match(r"^(?:tpavi_b(\d)\.)?(.*)$", key).groups()  # type: ignore[union-attr]
    rules = _BLOCK if stage or not re.match("conv|path|output", key) else _NETWORK
    for pattern, ours in rules:
        inside = re.sub(pattern, ours, inside)
    if stage:
        return f"fusions.{int(stage) - 1}.{inside}"
    return re.sub(r"^(necks|steps)\.(\d)", lambda found: f"{found[1]}.{int(found[2]) - 1}", inside)


def load(module: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """The authors' state dict into a block or a network; 1x1x1 convolutions become matrices."""
    flat = {k: v.flatten(1) if v.dim() == 5 else v for k, v in weights.items()}
    state = {own_name(key): value for key, value in flat.items()}
    counters = {k: v for k, v in module.state_dict().items() if k.endswith("num_batches_tracked")}
    module.load_state_dict(counters | state, strict=True)


def _behind(loss: Tensor, module: nn.Module, inputs: Numbers, expected: Expected) -> Iterator[Row]:
    """Gradients of inputs and parameters, and what a training pass left in normalisations."""
    yield expected.row("probe_loss", loss)
    yield from expected.gradients(loss, inputs)
    own = dict(module.named_parameters())
    keys = [key for key in expected.facts.get("param_grad_l2") or () if own_name(key) in own]
    yield from expected.norms({key: own[own_name(key)] for key in keys})
    after, state = expected.under("after"), module.state_dict()
    yield from after.rows({key: state[own_name(key)] for key in after.numbers})


def _exactly(expected: Expected) -> Expected:
    return expected._replace(tolerance=OUTPUT, gradient=GRADIENT)


@torch.no_grad()
def check_pvt(expected: Expected) -> Iterator[Row]:
    """Four maps of the authors' PVT v2, with weights under their names."""
    sizes = expected.facts["config"]
    encoder = PVTv2Stages(
        widths=sizes["embed_dims"], depths=sizes["depths"], num_heads=sizes["num_heads"],
        mlp_ratios=sizes["mlp_ratios"], sr_ratios=sizes["sr_ratios"],
    ).eval()  # fmt: skip
    encoder.network.load_state_dict(in_names_of_transformers(expected.weights), strict=True)
    for stage, got in enumerate(encoder(expected.numbers["images"])):
        yield expected.row(f"map.{stage}", got, OUTPUT)


def check_block(expected: Expected) -> Iterator[Row]:
    """TPAVI of one stage in every case and mode, with gradients and running statistics."""
    for case in _exactly(expected)._replace(facts=expected.facts["cases"]).cases():
        for mode in MODES:
            yield from _check_block(case, mode)


def _check_block(own: Expected, mode: str) -> Iterator[Row]:
    expected, weights = own.under(mode), own.weights
    inputs = leaves(own.numbers, [key for key in ("x", "audio") if key in own.numbers])
    x, channels = inputs["x"], int(own.facts["audio_channels"] or 1)
    heard = inputs.get("audio", x.new_zeros(len(x), x.shape[2], channels))
    seen_only = "audio" not in inputs
    stage = StageFusion(
        heard.shape[-1],
        x.shape[1],
        dict(type=VisualTPAVIFusion if seen_only else TPAVIFusion),
        align_bias=seen_only or "align_channel.bias" in weights,
    )
    if seen_only:  # its alignment is there and unused, as the released one
        weights = weights | {f"align_channel.{k}": v for k, v in stage.align.state_dict().items()}
    load(stage, weights)
    stage.train(mode == "train")
    frames = x.transpose(1, 2).flatten(0, 1)  # (B T, C, h, w)
    fused, aligned = stage(frames, heard)
    outputs = {"z": fused.unflatten(0, heard.shape[:2]).transpose(1, 2)}
    if not seen_only:
        outputs["audio_aligned"] = aligned.unflatten(0, heard.shape[:2])
    yield from expected.rows(outputs)
    yield from _behind(probe_loss(outputs.values()), stage, inputs, expected)


class _Given(nn.Module):
    """Stands where an encoder is whose answers the fixture gives."""

    def __init__(self, channels: Sequence[int] = (), out_channels: int = 0) -> None:
        super().__init__()
        self.channels, self.out_channels = tuple(channels), out_channels


def check_network(expected: Expected) -> Iterator[Row]:
    """Neck, fusion at four stages, decoder and head behind given maps."""
    expected = _exactly(expected)
    for mode in MODES:
        yield from _check_network(expected, mode)
    intended = _network(expected, inplace_relu=False).eval()
    with torch.no_grad():
        pred = _answer(intended, expected.numbers, expected.facts["config"]).logits
    yield expected.row("eval.pred_without_inplace", pred.flatten(0, 1))


def _network(expected: Expected, inplace_relu: bool) -> TPAVINetwork:
    sizes, heard = expected.facts["config"], expected.numbers["audio"].shape[-1]
    network = TPAVINetwork(
        image_encoder=dict(type=_Given, channels=sizes["vis_dim"]),
        audio_encoder=dict(type=_Given, out_channels=heard),
        mask_loss=None,
        fusion=dict(type="TPAVIFusion"),
        channels=sizes["channel"],
        dilations=sizes["dilations"],
        head_channels=sizes["output_conv"][1:3],
        inplace_relu=inplace_relu,
        unused_parameters=True,
    )
    load(network, expected.weights)
    return network


def _answer(network: TPAVINetwork, inputs: Numbers, sizes: Mapping[str, Any]) -> Answer:
    stages = [inputs[f"backbone.{stage}"] for stage in range(len(network.necks))]
    vectors = inputs["audio"].unflatten(0, (sizes["clips"], sizes["frames"]))
    return network.segment(network.reduce(stages), vectors, 4 * stages[0].shape[-1])


def _check_network(whole: Expected, mode: str) -> Iterator[Row]:
    expected = whole.under(mode)
    network = _network(whole, inplace_relu=True).train(mode == "train")
    keys = [key for key in whole.numbers if key == "audio" or re.match(r"backbone\.\d$", key)]
    inputs = leaves(whole.numbers, keys)
    parts = {"neck": network.necks, "tpavi": network.fusions, "path": network.steps}
    _, inside = watched(
        {f"{k}.{i}": layer for k, own in parts.items() for i, layer in enumerate(own)}
    )
    answer = _answer(network, inputs, whole.facts["config"])
    pred = answer.logits.flatten(0, 1)
    for key, value in inside.items():
        if key.startswith("tpavi"):
            value = value[0]
        elif key.startswith("path"):  # the released step enlarges what it gives, ours what it gets
            value = enlarge(value, 2 * value.shape[-1])
        yield expected.row(key, value)
    for number, (seen, heard) in enumerate(zip(answer.fused, answer.audio, strict=True)):
        yield expected.row(f"returned_map.{number}", seen)
        shape = answer.logits.shape[:2]
        yield expected.row(f"returned_audio.{number}", heard.unflatten(0, shape))
    yield expected.row("pred", pred)
    yield from _behind(probe_loss([pred]), network, inputs, expected)


def check_losses(expected: Expected) -> Iterator[Row]:
    """What is minimised for several sources, for one, and for classes; with gradients."""
    expected, facts, numbers = _exactly(expected), expected.facts, expected.numbers
    shape, weight = (facts["clips"], facts["frames"]), facts["lambda_1"]
    for case, check in (("ms3", _several), ("s4", _single), ("avss", _classes)):
        if case in facts:
            keys = [k for k in numbers if re.match(r"(map|audio)\.\d$|logits$", k)]
            keys += [k for k in numbers if k == f"{case}.logits"]
            inputs = leaves(numbers, keys)
            terms = check(numbers, inputs, shape)
            total = sum(weight * v if name == "matching" else v for name, v in terms.items())
            own = expected.under(case)
            yield from own.all_told({**terms, "total": total})
            own_inputs = {key.removeprefix(f"{case}."): value for key, value in inputs.items()}
            yield from own.gradients(total, own_inputs)


def _several(numbers: Numbers, inputs: Numbers, shape: tuple[int, int]) -> dict[str, Tensor]:
    every = torch.ones(shape, dtype=torch.bool)
    stages, heard = _listed(inputs)
    return {
        "bce": _mask_loss(numbers, inputs, every),
        "matching": matching_loss(
            stages, heard, soft_masks(inputs["logits"], stages), every.flatten(), "sum_over_frames"
        ),
    }


def _single(numbers: Numbers, inputs: Numbers, shape: tuple[int, int]) -> dict[str, Tensor]:
    first = torch.zeros(shape, dtype=torch.bool)
    first[:, 0] = True
    return {"bce": _mask_loss(numbers, inputs, first)}


def _classes(numbers: Numbers, inputs: Numbers, shape: tuple[int, int]) -> dict[str, Tensor]:
    logits, supervised = inputs["avss.logits"], numbers["avss.supervised"].bool()
    stages, heard = _listed(inputs)
    loss = MASK_LOSSES.build(dict(type="SemanticMaskLoss"))
    targets = numbers["avss.targets"][:, 0].unflatten(0, shape)
    clips = class_prediction(logits.unflatten(0, shape))
    return {
        "cross_entropy": loss(clips, targets, supervised.view(shape))["loss_mask"],
        "matching": matching_loss(stages, heard, hard_masks(logits, stages), supervised),
    }


def _listed(inputs: Numbers) -> tuple[list[Tensor], list[Tensor]]:
    """Maps (F, C, h, h) and audio (F, C) of the stages."""
    count = len(under(inputs, "map"))
    audio = [inputs[f"audio.{stage}"].flatten(0, 1) for stage in range(count)]
    return [inputs[f"map.{stage}"] for stage in range(count)], audio


def _mask_loss(numbers: Numbers, inputs: Numbers, supervised: Tensor) -> Tensor:
    clips = as_prediction(inputs["logits"][:, 0].unflatten(0, supervised.shape))
    loss = MASK_LOSSES.build(dict(type="BinaryMaskLoss"))
    truth = numbers["targets"][:, 0].unflatten(0, supervised.shape)
    return loss(clips, truth, supervised)["loss_mask"]  # type: ignore[no-any-return]
