"""GAVS: the prompt token and the adapters in SAM's decoder and encoder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from auralsam2.engine.parity.compare import Row, leaves
from auralsam2.engine.parity.fixtures import Expected, Fixtures
from auralsam2.engine.parity.sam_encoder import sam_encoder
from auralsam2.models.adapters import two_layers
from auralsam2.models.methods.gavs import MLPAdapters

PROMPT, DECODER, ENCODER = "audio_proj", "transformer.layers.{}.adapter_tf", "blocks.{}.adapter_v"
PARTS = {"dense": "0", "proj": "2", "0": "0", "2": "2"}
"""What the release calls the layers of a bottleneck -> their place in ours."""


def check_gavs_decoder(fixtures: Fixtures) -> Iterator[Row]:
    """Token, adapters, masks and gradients; all frames at once."""
    expected, facts = fixtures.expected("gavs_decoder"), fixtures.facts("gavs_decoder")
    decoder = _decoder(facts["config"], expected.weights)
    inward, outward = (expected.weights[f"{PROMPT}.{i}.weight"] for i in (0, 2))
    prompt = two_layers(inward.shape[1], len(inward), len(outward))
    prompt.load_state_dict(expected.under("weights").under(PROMPT).numbers)
    layers = list(decoder.transformer.layers)
    behind_mlp = _recorded([layer.mlp for layer in layers])
    adapters = MLPAdapters(layers, nn.GELU, facts["config"]["adapter_hidden"])
    behind_adapter = _recorded([layer.mlp for layer in layers])
    named = {f"{PROMPT}.{key}": value for key, value in prompt.named_parameters()}
    named |= _load(adapters, expected.weights, DECODER, range(len(layers)))
    given = leaves(expected.numbers, ("audio", "image_embeddings"))
    token = prompt(given["audio"])
    yield expected.row("audio_token", token)
    image, position = given["image_embeddings"], expected.numbers["image_pe"]
    inputs: dict[str, Any] = dict(
        image_embeddings=image,
        image_pe=position,
        sparse_prompt_embeddings=token,
        dense_prompt_embeddings=expected.numbers["dense_prompt"].expand_as(image),
        repeat_image=False,
    )
    seen: list[tuple[Tensor, Tensor]] = []
    handle = decoder.transformer.register_forward_hook(lambda _, __, out: seen.append(out))
    masks, ious, _, _ = decoder.predict_masks(**inputs)
    handle.remove()
    for index, (mlp, adapted) in enumerate(zip(behind_mlp, behind_adapter, strict=True)):
        yield expected.row(f"layer{index}.mlp_out", mlp)
        yield expected.row(f"layer{index}.adapter_out", adapted)
    ((queries, keys),) = seen
    yield from expected.rows({"transformer.queries": queries, "transformer.keys": keys})
    yield from expected.rows({"returned_masks": masks[:, :1], "returned_iou": ious[:, :1]})
    yield from expected.probe({"masks_all": masks, "iou_all": ious}, given)
    yield from expected.norms(named, facts.get("param_grad_l2"))


def _decoder(config: dict[str, Any], weights: dict[str, Tensor]) -> Any:
    """SAM's mask decoder: SAM2's class without what SAM2 has added to it."""
    from auralsam2.models.backbones.sam2.build import build_mask_decoder

    sizes = ("depth", "num_heads", "mlp_dim")
    transformer = {key: config[key] for key in sizes} | {"embedding_dim": config["transformer_dim"]}
    decoder = build_mask_decoder({"transformer": transformer})
    own = {
        key.replace(".mlp.lin1.", ".mlp.layers.0.").replace(".mlp.lin2.", ".mlp.layers.1."): value
        for key, value in weights.items()
        if ".adapter_tf." not in key and not key.startswith(PROMPT)
    }
    decoder.load_state_dict(own, strict=True)
    return decoder.eval().requires_grad_(False)


@torch.no_grad()
def check_gavs_encoder(fixtures: Fixtures) -> Iterator[Row]:
    """Adapters in the last blocks of SAM's encoder."""
    expected = fixtures.expected("gavs_encoder")
    config = fixtures.facts("gavs_encoder")["config"]
    encoder: Any = sam_encoder(config, expected.weights)
    adapted = range(config["tune_v"], config["depth"])
    adapters = MLPAdapters([encoder.layers[i] for i in adapted], nn.ReLU, config["adapter_hidden"])
    _load(adapters, expected.weights, ENCODER, adapted)
    outputs = _recorded(encoder.layers)
    features = encoder(expected.numbers["images"]).last_hidden_state
    yield from expected.rows({f"block_out.{i}": out for i, out in enumerate(outputs)})
    yield expected.row("features", features)


def _load(
    adapters: MLPAdapters, weights: dict[str, Tensor], prefix: str, blocks: Sequence[int]
) -> dict[str, Tensor]:
    """Read the adapters of some blocks; their parameters under the authors' names."""
    named = {}
    for index, adapter in zip(blocks, adapters.adapters, strict=True):
        own = Expected("", weights).under(prefix.format(index)).numbers
        ours = dict(adapter.named_parameters())
        for key, value in own.items():
            layer, kind = key.split(".")
            parameter = ours[f"{PARTS[layer]}.{kind}"]
            parameter.data.copy_(value)
            named[f"{prefix.format(index)}.{key}"] = parameter
    return named


def _recorded(modules: Sequence[nn.Module]) -> list[Tensor]:
    """Outputs of modules in order, once they have run."""
    outputs: list[Tensor] = []
    for module in modules:
        module.register_forward_hook(lambda _, __, output: outputs.append(output))
    return outputs
