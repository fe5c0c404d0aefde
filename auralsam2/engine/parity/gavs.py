"""GAVS: the prompt token and the adapters in SAM's decoder and encoder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from auralsam2.engine.parity.compare import Row, leaves, watched
from auralsam2.engine.parity.fixtures import Expected, under
from auralsam2.engine.parity.sam_encoder import sam_encoder
from auralsam2.models.adapters import two_layers
from auralsam2.models.methods.gavs import MLPAdapters

PROMPT, DECODER, ENCODER = "audio_proj", "transformer.layers.{}.adapter_tf", "blocks.{}.adapter_v"
PARTS = {"dense": "0", "proj": "2", "0": "0", "2": "2"}
"""What the release calls the layers of a bottleneck -> their place in ours."""


def check_gavs_decoder(expected: Expected) -> Iterator[Row]:
    """Token, adapters, masks and gradients; all frames at once."""
    config, weights = expected.facts["config"], expected.weights
    decoder = _decoder(config, weights)
    inward, outward = (weights[f"{PROMPT}.{i}.weight"] for i in (0, 2))
    prompt = two_layers(inward.shape[1], len(inward), len(outward))
    prompt.load_state_dict(under(weights, PROMPT))
    layers = list(decoder.transformer.layers)
    _, behind_mlp = watched({f"layer{i}.mlp_out": layer.mlp for i, layer in enumerate(layers)})
    adapters = MLPAdapters(layers, nn.GELU, config["adapter_hidden"])
    _, adapted = watched({f"layer{i}.adapter_out": layer.mlp for i, layer in enumerate(layers)})
    named = {f"{PROMPT}.{key}": value for key, value in prompt.named_parameters()}
    named |= _load(adapters, weights, DECODER, range(len(layers)))
    given = leaves(expected.numbers, ("audio", "image_embeddings"))
    token, image = prompt(given["audio"]), given["image_embeddings"]
    yield expected.row("audio_token", token)
    _, made = watched({"transformer": decoder.transformer})
    masks, ious, _, _ = decoder.predict_masks(
        image_embeddings=image,
        image_pe=expected.numbers["image_pe"],
        sparse_prompt_embeddings=token,
        dense_prompt_embeddings=expected.numbers["dense_prompt"].expand_as(image),
        repeat_image=False,
    )
    yield from expected.rows({**behind_mlp, **adapted})
    queries, keys = made["transformer"]
    yield from expected.rows({"transformer.queries": queries, "transformer.keys": keys})
    yield from expected.rows({"returned_masks": masks[:, :1], "returned_iou": ious[:, :1]})
    yield from expected.probe({"masks_all": masks, "iou_all": ious}, given)
    yield from expected.norms(named)


def _decoder(config: Mapping[str, Any], weights: Mapping[str, Tensor]) -> Any:
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
def check_gavs_encoder(expected: Expected) -> Iterator[Row]:
    """Adapters in the last blocks of SAM's encoder."""
    config = expected.facts["config"]
    encoder: Any = sam_encoder(config, expected.weights)
    adapted = range(config["tune_v"], config["depth"])
    adapters = MLPAdapters([encoder.layers[i] for i in adapted], nn.ReLU, config["adapter_hidden"])
    _load(adapters, expected.weights, ENCODER, adapted)
    _, outputs = watched({f"block_out.{i}": block for i, block in enumerate(encoder.layers)})
    features = encoder(expected.numbers["images"]).last_hidden_state
    yield from expected.rows({**outputs, "features": features})


def _load(
    adapters: MLPAdapters, weights: Mapping[str, Tensor], prefix: str, blocks: Sequence[int]
) -> dict[str, Tensor]:
    """Read the adapters of some blocks; their parameters under the authors' names."""
    named = {}
    for index, adapter in zip(blocks, adapters.adapters, strict=True):
        ours = dict(adapter.named_parameters())
        for key, value in under(weights, prefix.format(index)).items():
            layer, kind = key.split(".")
            parameter = ours[f"{PARTS[layer]}.{kind}"]
            parameter.data.copy_(value)
            named[f"{prefix.format(index)}.{key}"] = parameter
    return named
