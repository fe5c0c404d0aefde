"""The AuralFuser with its heads for AVSBench and Ref-AVS, its fusion block, and all its keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from auralsam2 import registry
from auralsam2.engine.conversion.convert import Options, convert
from auralsam2.engine.conversion.names import FUSION, entries
from auralsam2.engine.parity.compare import GRADIENT, OUTPUT, Row, equal, leaves
from auralsam2.engine.parity.fixtures import Expected
from auralsam2.models.adapters import TextAdapter
from auralsam2.models.fuser import ReleasedFuser
from auralsam2.structures import FuserOutput, FusionOutput, VisualPyramid

MODES = ("eval", "train")
BUFFER = 1e-6
"""Relative tolerance of running statistics: some variances are in the thousands."""

REF_AUDIO_TOKENS = 10
"""The released projection for Ref-AVS reads this many audio tokens, whatever the clip's length."""
AUDIO_NETWORK = "vgg."


class ReleasedListener(nn.Module):
    """Fuser, projection heads and text adapter as released, without backbone and audio encoder."""

    def __init__(
        self,
        facts: Mapping[str, Any],
        audio_depths: Sequence[int],
        channels: int,
        projector: str,
        out_channels: int,
        text: Sequence[int] | None = None,  # width of the text's hidden states, and of the layer
    ) -> None:
        super().__init__()
        size = {"channels": channels, "embedding_size": int(facts["image_embedding_size"])}
        self.fuser = _fuser(facts["config"], audio_depths, size)
        self.projector = _part("projector", projector, size, out_channels=out_channels)
        if text is not None:
            self.text_adapter = TextAdapter(text[0], channels, text[1])


def _fuser(
    config: Mapping[str, Any], audio_depths: Sequence[int], size: Mapping[str, int]
) -> ReleasedFuser:
    depths = config["f_depths"]

    def attention(key: str, name: str, depth: int, stated: Mapping[str, Any], **own: Any) -> Any:
        shared = {key: stated[key] for key in ("num_heads", "mlp_ratio")}
        return _part(key, name, size, depth=depth, dropout=stated["drop"], **shared, **own)

    visual, audio = config["block_kw"], config["one_d_kw"]
    return ReleasedFuser(
        pyramid=_part("pyramid", "PatchEmbedPyramid", size, num_levels=len(depths)),
        visual_attentions=[
            attention(
                *("visual_attention", "SpatialReductionAttention", depth, visual),
                reduction=visual["sr_ratio"],
                drop_remainder=True,
            )
            for depth in depths
        ],
        audio_attentions=[
            attention(
                *("audio_attention", "ReleasedTemporalAttention", depth, audio),
                unused_reduction=audio["sr_ratio"],
            )
            for depth in audio_depths
        ],
        fusions=[_part("fusion", "ReleasedTPAVIFusion", size) for _ in depths],
        **size,
    )


def _part(key: str, name: str, size: Mapping[str, int], **arguments: Any) -> nn.Module:
    node = {"type": name, **arguments}
    module: nn.Module = registry.REGISTRIES[key].build(node, **size)
    return module


def check_avs(
    expected: Expected, weights: dict[str, Tensor], inputs: dict[str, Tensor]
) -> Iterator[Row]:
    """The variant of AVSBench."""
    yield from _check(expected, weights, inputs, "ReleasedConvProjector")


def check_ref(
    expected: Expected,
    weights: dict[str, Tensor],
    inputs: dict[str, Tensor],
    changed: dict[str, Tensor],
) -> Iterator[Row]:
    """The variant of Ref-AVS, and the weights in which it differs from the other."""
    gone = expected.facts["removed_keys"]
    own = {key: value for key, value in weights.items() if key not in gone} | changed
    yield from _check(expected, own, inputs, "ReleasedRefProjector")


def _check(
    expected: Expected, weights: dict[str, Tensor], inputs: dict[str, Tensor], projector: str
) -> Iterator[Row]:
    conversion = convert(weights, Options(to="ours"))
    converted, structure = conversion.state, conversion.report.structure
    authors = {entry.ours: entry.authors for entry in entries(structure)}
    text = converted.get("text_adapter.proj.0.weight")
    for mode in MODES:
        own = expected.under(mode)
        listener = ReleasedListener(
            expected.facts,
            structure.audio_depths,
            inputs["backbone_fpn.0"].shape[1],
            projector,
            out_channels=len(weights["train_proj_v1.proj.0.bias"]),
            text=None if text is None else text.shape[::-1],
        )
        listener.load_state_dict(converted, strict=True)
        listener.train(mode == "train")
        given = leaves(inputs, inputs)
        yield from own.probe(_outputs(listener, given), given)
        gradients = {key: leaf.grad for key, leaf in given.items() if leaf.grad is not None}
        means = {f"grad_spatial_mean.{k}": g.mean(dim=(-2, -1)) for k, g in gradients.items()}
        yield from own.rows(means, *GRADIENT)
        yield from own.norms({authors[key]: value for key, value in listener.named_parameters()})
        buffers, after = listener.state_dict(), own.under("after")  # of a training pass alone
        for key, buffer in buffers.items():
            yield after.row(authors[key], buffer, OUTPUT, BUFFER)


def _outputs(listener: ReleasedListener, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The fixture's outputs, in the order of its probe loss."""
    levels = sorted(k for k in inputs if k.startswith("backbone_fpn."))
    audio = inputs["audio_embeddings"].flatten(1)[None]  # (1, T, 2 * 128)
    num_tokens = audio.shape[1]
    if hasattr(listener, "text_adapter"):
        text = listener.text_adapter(inputs["text_hidden_states"])
        audio, num_tokens = torch.cat([audio, text], dim=1), REF_AUDIO_TOKENS
    fused: FuserOutput = listener.fuser(
        VisualPyramid(tuple(inputs[k][None] for k in levels)), audio
    )
    projector = listener.projector
    source = getattr(fused, projector.visual_source)
    visual = [projector.visual(v)[0] for v in source]  # (T, N, D)
    heard = [projector.audio(a[:, :num_tokens])[0] for a in fused.audio]
    side = listener.fuser.pyramid.embedding_size
    return {
        **{f"visual_residual.{i}": v[0] for i, v in enumerate(fused.visual)},
        **{f"audio_residual.{i}": a[0] for i, a in enumerate(fused.audio)},
        **{
            f"proj_visual.{i}": v.transpose(1, 2).unflatten(2, (side, side))
            for i, v in enumerate(visual)
        },
        **{f"proj_audio.{i}": a[..., None] for i, a in enumerate(heard)},
    }


def check_fusion(expected: Expected, weights: dict[str, Tensor]) -> Iterator[Row]:
    """Every case in both modes, as released and, where given, with repaired axes."""
    for own in expected.cases():
        state = _named({**weights, **own.weights})
        for mode in MODES:
            of_mode = own.under(mode)
            yield from _check_released(mode, state, own.numbers, of_mode)
            fixed = of_mode.under("layout_fixed")
            if fixed.numbers:
                # The corrected axes, the released scale.
                block = _block("TwoWayTPAVIFusion", state, mode, scale="queries")
                out: FusionOutput = block(own.numbers["frame"][None], own.numbers["audio"][None])
                yield from fixed.rows({"frame_out": out.visual[0], "audio_out": out.audio[0]})


def _named(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Under our names; 1x1 kernels become matrices."""
    ours = {}
    for layer in FUSION:
        for key in [k for k in weights if k.rpartition(".")[0] == layer.authors]:
            value, kind = weights[key], key.rpartition(".")[2]
            flat = layer.flat and kind == "weight"
            ours[f"{layer.ours}.{kind}"] = value.flatten(1) if flat else value
    return ours


def _block(name: str, state: dict[str, Tensor], mode: str, **arguments: object) -> nn.Module:
    channels = len(state["visual_norm.weight"])
    block: nn.Module = registry.FUSIONS.build({"type": name, **arguments}, channels=channels)
    own = block.state_dict()
    block.load_state_dict({k: v for k, v in state.items() if k in own}, strict=True)
    return block.train(mode == "train")


def _check_released(
    mode: str, state: dict[str, Tensor], inputs: dict[str, Tensor], expected: Expected
) -> Iterator[Row]:
    block = _block("ReleasedTPAVIFusion", state, mode)
    given = leaves(inputs, ("frame", "audio"))
    out: FusionOutput = block(given["frame"][None], given["audio"][None])
    assert out.visual_update is not None and out.audio_update is not None
    num_frames, num_tokens, channels = given["frame"].shape
    side = round(num_tokens**0.5)
    update = out.visual_update[0].transpose(1, 2)  # (T, C, N)
    outputs = {
        "frame_out": out.visual[0],
        "audio_out": out.audio[0],
        "frame_attn": update.reshape(num_frames, channels, 1, side, side),
        "audio_attn": out.audio_update[0][..., None],
    }
    yield from expected.probe(outputs, given)


def check_keys(expected: Expected) -> Iterator[Row]:
    """Round trip of every list of keys, and the number of parameters outside VGGish.

    Our modules have exactly the tensors of the fusers at full size.
    """
    for variant in expected.facts:
        own = expected.under(variant)
        keys = own.facts["keys"]
        # Shapes are all that matters here: one number stands for every tensor.
        state = {key: torch.zeros(()).expand(shape) for key, shape in keys.items()}
        yield own.equal("count", len(state))
        ours = convert(state, Options(to="ours")).state
        back = convert(ours, Options(to="authors")).state
        shapes = {key: list(value.shape) for key, value in back.items()}
        yield equal(f"{variant}.round_trip", shapes, keys)
        parameters = sum(
            value.numel()
            for key, value in state.items()
            if not key.startswith(AUDIO_NETWORK)
            and not key.endswith(("running_mean", "running_var", "num_batches_tracked"))
        )
        yield own.equal("parameters", parameters)
