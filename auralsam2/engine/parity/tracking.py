"""Group i: order of frames, memory and object pointers of a small SAM2 with audio prompts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from auralsam2.engine.parity.compare import Row, compare, equal
from auralsam2.engine.parity.fixtures import Fixtures, under
from auralsam2.models.injection import ReleasedInjection
from auralsam2.models.tracking import MemoryTracker, frame_order
from auralsam2.structures import Prediction, Prompts, VisualPyramid

if TYPE_CHECKING:
    from auralsam2.models.backbones.sam2.network import Decoded, PromptableSAM2

NAME = "tracking"
LOGITS = 1e-3
"""Outputs pass through a hard threshold and an argmax."""

# In neither weight file, and not used without clicks, boxes and mask prompts.
UNUSED = ("image_encoder.", "sam_prompt_encoder.", "mask_downsample.", "no_mem_pos_enc")


def check_tracking(fixtures: Fixtures) -> Iterator[Row]:
    """Both policies of the conditioning frame."""
    facts, numbers = fixtures.facts(NAME), fixtures.tensors(NAME)
    network = _network(
        facts, fixtures.tensors("tracking_weights"), fixtures.tensors("mask_decoder_weights")
    )
    inputs, residuals = fixtures.tensors("fuser_inputs"), fixtures.tensors("fuser_avs")
    levels = sorted(k for k in inputs if k.startswith("backbone_fpn."))
    pyramid = VisualPyramid(tuple(inputs[key][None] for key in levels))
    prompts = Prompts(
        sparse=_listed(residuals, "eval.audio_residual"),
        dense=_listed(residuals, "eval.visual_residual"),
    )
    for mode in ("test", "train"):
        yield from _check_mode(mode, facts, under(numbers, mode), network, pyramid, prompts)


def _listed(tensors: Mapping[str, Tensor], prefix: str) -> tuple[Tensor, ...]:
    return tuple(tensors[key][None] for key in sorted(k for k in tensors if k.startswith(prefix)))


def _network(
    facts: Mapping[str, Any], weights: dict[str, Tensor], decoder: dict[str, Tensor]
) -> PromptableSAM2:
    """A SAM2 of 2.0's large options around the sizes that the weights tell."""
    from auralsam2.models.backbones.sam2.build import build_sam2

    def count(pattern: str) -> int:
        return 1 + max(int(m.group(1)) for key in weights if (m := re.match(pattern, key)))

    network = build_sam2(
        "tiny",
        "2.0",
        int(facts["image_size"]),
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


class _Recorder:
    """Keeps what the tracker asks a network for, in the order of asking."""

    def __init__(self, network: PromptableSAM2) -> None:
        self.network = network
        self.features: list[Tensor] = []
        self.decoded: list[Decoded] = []
        self.memories: list[Tensor] = []

    def __enter__(self) -> _Recorder:
        decode, remember = self.network.decode, self.network._encode_new_memory

        def recorded_decode(features: Tensor, *args: Any, **kwargs: Any) -> Decoded:
            self.features.append(features)
            self.decoded.append(decode(features, *args, **kwargs))
            return self.decoded[-1]

        def recorded_memory(*args: Any, **kwargs: Any) -> Any:
            memory = remember(*args, **kwargs)
            self.memories.append(memory[0])
            return memory

        # On the instance, so that removing the attributes restores the methods.
        self.network.__dict__.update(decode=recorded_decode, _encode_new_memory=recorded_memory)
        return self

    def __exit__(self, *_: object) -> None:
        for name in ("decode", "_encode_new_memory"):
            del self.network.__dict__[name]


@torch.no_grad()
def _check_mode(
    mode: str,
    facts: Mapping[str, Any],
    expected: dict[str, Tensor],
    network: PromptableSAM2,
    pyramid: VisualPyramid,
    prompts: Prompts,
) -> Iterator[Row]:
    conditioning, num_frames = int(facts[f"{mode}.cond_frame"]), pyramid.levels[0].shape[1]
    order = list(frame_order(num_frames, conditioning))
    yield equal(NAME, f"{mode}.order", order, facts[f"{mode}.order"])
    policy = "first" if conditioning == 0 else "middle"
    tracker = MemoryTracker(test_conditioning=policy).eval()
    yield equal(NAME, f"{mode}.cond_frame", tracker.conditioning_frame(num_frames), conditioning)
    injection = ReleasedInjection(leak_into_position=True)
    with _Recorder(network) as recorder:
        prediction: Prediction = tracker(network, pyramid, prompts, injection)
        recorder.network._encode_new_memory(
            **_last_memory(network, pyramid, order[-1], recorder.decoded[-1])
        )
    chosen = [int(i) for i in prediction.ious[0].argmax(dim=-1)]
    yield equal(NAME, f"{mode}.argmax_iou", chosen, facts[f"{mode}.argmax_iou"])
    back = [order.index(t) for t in range(num_frames)]
    outputs = {
        "low_res_multimasks": prediction.mask_logits[0],
        "ious": prediction.ious[0],
        "object_score_logits": prediction.object_score_logits[0],
        "low_res_best": prediction.best[0][:, None],
        "obj_ptr": torch.cat([recorder.decoded[i].pointer for i in back]),
        "maskmem_features": torch.cat([recorder.memories[i] for i in back]),
        "conditioned_features_last_frame": recorder.features[back[-1]],
        "high_res_multimasks_frame1": network.upsample(prediction.mask_logits[:, 1]),
    }
    for key, value in outputs.items():
        # Half of the digits of float16 are gone above 32.
        tolerance = 0.1 if key.startswith("high_res") else LOGITS
        yield compare(NAME, f"{mode}.{key}", value, expected[key], tolerance)


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
