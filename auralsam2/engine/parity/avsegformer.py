"""AVSegFormer's head and losses, by its released code (vvvb-github/AVSegFormer, 7083cb65)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import nn

from auralsam2.engine.parity.compare import Row, leaves, watched
from auralsam2.engine.parity.fixtures import Expected
from auralsam2.models.methods.avsegformer import mean_mask
from auralsam2.models.methods.avsegformer_head import AVSegFormerHead, HeadOutput
from auralsam2.models.one_mask import map_prediction
from auralsam2.registry import MASK_LOSSES

# Places in the authors' names -> in ours; the longer ones first. The released head holds `fpn` and
# `attn_fc` besides, for masks between the layers, which it never computes.
NAMES = {
    "transformer.decoder.layers.": "decoder.",
    "transformer.encoder.layers.": "encoder.",
    "query_generator.query.weight": "queries.start",
    "query_generator.layers.": "queries.layers.",
    "learnable_query.weight": "queries.learned",
    "level_embed": "level_embedding",
    "in_proj.": "projections.",
    "lateral_conv.": "lateral.",
    "out_conv.": "smooth.0.",
    "fusion_block.q_proj.": "mixer.query.",
    "fusion_block.kv_proj.": "mixer.key_value.",
    "fusion_block.proj.": "mixer.out.",
    "fc.": "head.",
}
INSIDE = {
    ".self_attn.sampling_offsets.": ".attention.offsets.",
    ".self_attn.attention_weights.": ".attention.weights.",
    ".self_attn.value_proj.": ".attention.value.",
    ".self_attn.output_proj.": ".attention.out.",
    ".cross_attn.": ".multihead_attn.",
    ".ffn.0.": ".linear1.",
    ".ffn.2.": ".linear2.",
}
MAP_MLP = {"0": "0", "1": "2", "2": "4"}
ENCODER_MLP = {".linear1.": ".mlp.0.", ".linear2.": ".mlp.3."}


def own_name(key: str) -> str:
    """The name in :class:`AVSegFormerHead` of a tensor of the authors' head."""
    if key.startswith("mlp.layers."):
        index, tensor = key.split(".")[2:]
        return f"map_mlp.{MAP_MLP[index]}.{tensor}"
    start = next((start for start in NAMES if key.startswith(start)), "")
    inside = {**INSIDE, **(ENCODER_MLP if "encoder" in start else {})}
    rest = key.removeprefix(start)
    for theirs, ours in inside.items():
        rest = rest.replace(theirs, ours)
    return NAMES.get(start, "") + rest


def check_avsegformer_head(expected: Expected) -> Iterator[Row]:
    """Every layer's output, the answer, and the gradients of inputs and parameters."""
    head = _head(expected.facts["config"]).eval()
    head.load_state_dict({own_name(key): value for key, value in expected.weights.items()})
    inputs = leaves(expected.numbers, [*(f"feature.{i}" for i in range(4)), "audio"])
    entered, made = watched(_layers(head))
    *maps, audio = inputs.values()
    answer = head(maps, audio)
    source, position = entered["out.encoder.0"][:2]
    yield from expected.rows(made)
    yield from expected.rows({"out.src": source, "out.position": position.expand_as(source)})
    outputs = {"pred": answer.logits, "mask_feature": answer.mask_feature}
    yield from expected.probe(outputs, inputs)
    own = dict(head.named_parameters())
    norms = expected.facts.get("param_grad_l2") or {}
    yield from expected.norms({key: own[own_name(key)] for key in norms})


def _head(config: Mapping[str, Any]) -> AVSegFormerHead:
    layers, generator = config["transformer"], config["query_generator"]
    return AVSegFormerHead(
        config["in_channels"],
        num_classes=config["num_classes"],
        channels=config["embed_dim"],
        num_queries=config["query_num"],
        num_layers=(
            layers["encoder"]["num_layers"],
            layers["decoder"]["num_layers"],
            generator["num_layers"],
        ),
        num_heads=config["encoder_heads"],
        audio_heads=generator["num_heads"],
        hidden_channels=layers["encoder"]["layer"]["ffn_dim"],
        query_hidden_channels=generator["hidden_dim"],
        map_channels=config["mlp_hidden"],
    )


def _layers(head: AVSegFormerHead) -> dict[str, nn.Module]:
    """Those whose outputs are compared, under the fixture's names."""
    stacks = {"encoder": head.encoder, "generator": head.queries.layers, "decoder": head.decoder}
    return {
        **{f"out.encoder.{i}.attention": layer.attention for i, layer in enumerate(head.encoder)},
        **{
            f"out.{name}.{index}": layer
            for name, layers in stacks.items()
            for index, layer in enumerate(layers)
        },
        "out.queries": head.queries,
        "out.mask_feature_before_mixer": head.smooth,
        "out.query_map_after_mlp": head.map_mlp,
    }


def check_avsegformer_losses(expected: Expected) -> Iterator[Row]:
    """Terms and gradients of the three settings, as released."""
    for case in ("ms3", "s4", "avss"):
        if case in expected.facts:
            yield from _check_setting(case, expected)


def _check_setting(case: str, expected: Expected) -> Iterator[Row]:
    of, weights = expected.under(case), expected.facts["weights"]
    own = {**expected.numbers, **of.numbers}
    inputs = leaves(own, ("logits", "mask_feature"))
    truth = own["targets"][None, :, 0]  # frames of one clip
    supervised = own.get("supervised", torch.ones(truth.shape[1])).bool()[None]
    if case == "s4":
        supervised = supervised & (torch.arange(truth.shape[1]) == 0)
    dice = {"type": "SquaredDiceLoss", "ignore_empty": True}
    masks = {"type": "SemanticMaskLoss"} if case == "avss" else dice
    answer = HeadOutput(inputs["logits"][None], inputs["mask_feature"][None])
    first = MASK_LOSSES.build({**masks, "weight": weights["iou_loss"]})
    second = MASK_LOSSES.build({**dice, "weight": weights["mix_loss"]})
    terms = {
        "iou_loss": first(map_prediction(answer.logits), truth, supervised)["loss_mask"],
        "mix_loss": second(mean_mask(answer), truth > 0, supervised)["loss_mask"],
    }
    terms["total"] = terms["iou_loss"] + terms["mix_loss"]
    yield from of.all_told(terms)
    yield from of.gradients(terms["total"], inputs)
