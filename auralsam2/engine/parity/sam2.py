"""SAM2's mask decoder with prompts at its three sites, and its tracking."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import torch
from torch import Tensor

from auralsam2.engine.parity.compare import Row, leaves, probe_loss
from auralsam2.engine.parity.fixtures import Expected
from auralsam2.models.backbones.promptable import Decoded
from auralsam2.models.injection import SITES, ReleasedInjection, SitePrompts
from auralsam2.models.tracking import MemoryTracker, frame_order
from auralsam2.structures import Prediction, Prompts, VisualPyramid

if TYPE_CHECKING:
    from auralsam2.models.backbones.sam2.network import PromptableSAM2

OUTPUTS = ("masks", "iou_pred", "mask_tokens_out", "object_score_logits")
OF_SEVERAL = ("masks", "iou_pred", "sam_tokens_out", "object_score_logits")
LOGITS = 1e-3
"""What a tracker gives passes through a hard threshold and an argmax."""

# In neither weight file, and not used without clicks, boxes and mask prompts.
UNUSED = ("image_encoder.", "sam_prompt_encoder.", "mask_downsample.", "no_mem_pos_enc")


def check_decoder(expected: Expected, weights: dict[str, Tensor]) -> Iterator[Row]:
    """Masks, scores, tokens and gradients, with and without the leak into the position code."""
    from auralsam2.models.backbones.sam2.build import build_mask_decoder

    decoder = build_mask_decoder(expected.facts)
    decoder.load_state_dict(weights, strict=True)
    decoder.eval().requires_grad_(False)
    sites = range(len(SITES))
    keys = (key for i in sites for key in (f"visual_res.{i}", f"audio_res.{i}"))
    given = leaves(expected.numbers, keys)
    prompts = [
        SitePrompts(given[f"audio_res.{i}"][None], given[f"visual_res.{i}"][None]) for i in sites
    ]
    released = ReleasedInjection(leak_into_position=True)
    inputs = _decoder_inputs(expected.numbers)
    with decoder.transformer.injecting(prompts, released):
        outputs = dict(zip(OUTPUTS, decoder.predict_masks(**inputs), strict=True))
        with torch.no_grad():
            several = decoder(**inputs, multimask_output=True)
    loss, out = probe_loss(outputs.values()), expected.under("out")
    yield from out.rows({**outputs, "probe_loss": loss})
    yield from expected.gradients(loss, given)
    named = dict(zip(OF_SEVERAL, several, strict=True))
    yield from expected.under("out_multimask").rows(named)
    with torch.no_grad():
        yield from _transformer(decoder, prompts, expected, inputs)


def _decoder_inputs(numbers: dict[str, Tensor]) -> dict[str, Any]:
    embeddings = numbers["image_embeddings"]
    batch, channels, height, width = embeddings.shape
    return {
        "image_embeddings": embeddings,
        "image_pe": numbers["image_pe"],
        "sparse_prompt_embeddings": embeddings.new_zeros(batch, 0, channels),
        "dense_prompt_embeddings": numbers["dense_prompt_embeddings"].expand(-1, -1, height, width),
        "repeat_image": False,
        "high_res_features": [numbers["high_res.0"], numbers["high_res.1"]],
    }


def _transformer(
    decoder: Any, prompts: Any, expected: Expected, inputs: Mapping[str, Any]
) -> Iterator[Row]:
    """What the two-way transformer itself returns, as released and with the leak closed."""
    from auralsam2.models.backbones.sam2.build import output_tokens

    image = inputs["image_embeddings"] + inputs["dense_prompt_embeddings"]
    tokens = output_tokens(decoder, len(image))
    for group, leak in (("transformer", True), ("transformer_without_pe_aliasing", False)):
        with decoder.transformer.injecting(prompts, ReleasedInjection(leak_into_position=leak)):
            queries, keys = decoder.transformer(image, inputs["image_pe"], tokens)
        yield expected.row(f"{group}.queries", queries)
        yield expected.row(f"{group}.keys", keys)


def check_tracking(
    expected: Expected,
    weights: dict[str, Tensor],
    decoder: dict[str, Tensor],
    inputs: dict[str, Tensor],
    residuals: dict[str, Tensor],
) -> Iterator[Row]:
    """Order of frames, memory and object pointers, for both policies of the conditioning frame."""
    network = _network(int(expected.facts["image_size"]), weights, decoder)
    pyramid = VisualPyramid(_listed(inputs, "backbone_fpn."))
    prompts = Prompts(
        sparse=_listed(residuals, "eval.audio_residual"),
        dense=_listed(residuals, "eval.visual_residual"),
    )
    for mode in ("test", "train"):
        yield from _check_mode(expected.under(mode), network, pyramid, prompts)


def _listed(tensors: Mapping[str, Tensor], prefix: str) -> tuple[Tensor, ...]:
    return tuple(tensors[key][None] for key in sorted(k for k in tensors if k.startswith(prefix)))


def _network(
    image_size: int, weights: dict[str, Tensor], decoder: dict[str, Tensor]
) -> PromptableSAM2:
    """A SAM2 of 2.0's large options around the sizes that the weights tell."""
    from auralsam2.models.backbones.sam2.build import build_sam2

    def count(pattern: str) -> int:
        return 1 + max(int(m.group(1)) for key in weights if (m := re.match(pattern, key)))

    network = build_sam2(
        "tiny",
        "2.0",
        image_size,
        overrides={
            "memory_attention.num_layers": count(r"memory_attention\.layers\.(\d+)\."),
            "memory_attention.layer.dim_feedforward": len(
                weights["memory_attention.layers.0.linear1.bias"]
            ),
            "memory_encoder.fuser.num_layers": count(r"memory_encoder\.fuser\.layers\.(\d+)\."),
            "num_maskmem": len(weights["maskmem_tpos_enc"]),
        },
    )
    state = weights | {f"sam_mask_decoder.{key}": value for key, value in decoder.items()}
    result = network.load_state_dict(state, strict=False)
    missing = [key for key in result.missing_keys if not key.startswith(UNUSED)]
    if missing or result.unexpected_keys:
        raise ValueError(
            f"tracking weights do not fit: missing {missing}, unexpected {result.unexpected_keys}"
        )
    return network.eval()


@contextmanager
def _recorded(
    network: PromptableSAM2,
) -> Iterator[tuple[list[Tensor], list[Decoded], list[Tensor]]]:
    """Features that the tracker lets a network decode, decodings and memories, in their order."""
    decode, remember = network.decode, network._encode_new_memory
    features: list[Tensor] = []
    decoded: list[Decoded] = []
    memories: list[Tensor] = []

    def recorded_decode(given: Tensor, *args: Any, **kwargs: Any) -> Decoded:
        features.append(given)
        decoded.append(decode(given, *args, **kwargs))
        return decoded[-1]

    def recorded_memory(*args: Any, **kwargs: Any) -> Any:
        memory = remember(*args, **kwargs)
        memories.append(memory[0])
        return memory

    with patch.multiple(network, decode=recorded_decode, _encode_new_memory=recorded_memory):
        yield features, decoded, memories


@torch.no_grad()
def _check_mode(
    expected: Expected, network: PromptableSAM2, pyramid: VisualPyramid, prompts: Prompts
) -> Iterator[Row]:
    conditioning, num_frames = int(expected.facts["cond_frame"]), pyramid.levels[0].shape[1]
    order = list(frame_order(num_frames, conditioning))
    yield expected.equal("order", order)
    policy = "first" if conditioning == 0 else "middle"
    tracker = MemoryTracker(test_conditioning=policy).eval()
    yield expected.equal("cond_frame", tracker.conditioning_frame(num_frames))
    injection = ReleasedInjection(leak_into_position=True)
    with _recorded(network) as (features, decoded, memories):
        prediction: Prediction = tracker(network, pyramid, prompts, injection)
        network._encode_new_memory(**_last_memory(network, pyramid, order[-1], decoded[-1]))
    yield expected.equal("argmax_iou", prediction.ious[0].argmax(dim=-1).tolist())
    back = [order.index(t) for t in range(num_frames)]
    outputs = {
        "low_res_multimasks": prediction.mask_logits[0],
        "ious": prediction.ious[0],
        "object_score_logits": prediction.object_score_logits[0],
        "low_res_best": prediction.best[0][:, None],
        "obj_ptr": torch.cat([decoded[i].pointer for i in back]),
        "maskmem_features": torch.cat([memories[i] for i in back]),
        "conditioned_features_last_frame": features[back[-1]],
        "high_res_multimasks_frame1": network.upsample(prediction.mask_logits[:, 1]),
    }
    for key, value in outputs.items():
        # Half of the digits of float16 are gone above 32.
        yield expected.row(key, value, 0.1 if key.startswith("high_res") else LOGITS)


def _last_memory(
    network: PromptableSAM2, pyramid: VisualPyramid, frame: int, decoded: Decoded
) -> dict[str, Any]:
    """Arguments that make the memory which the tracker leaves out, since nobody reads it."""
    coarse = pyramid.levels[-1][:, frame]
    return {
        "current_vision_feats": [coarse.flatten(2).permute(2, 0, 1)],
        "feat_sizes": [tuple(coarse.shape[-2:])],
        "pred_masks_high_res": network.upsample(decoded.best),
        "object_score_logits": decoded.object_score_logits,
        "is_mask_from_pts": True,
    }
