"""Groups a and b: the AuralFuser with its projection heads, for AVSBench and for Ref-AVS."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from auralsam2 import registry
from auralsam2.engine.conversion.convert import Options, convert
from auralsam2.engine.conversion.names import entries
from auralsam2.engine.parity.compare import GRADIENT, Row, compare, gradient_norms, probe_loss
from auralsam2.engine.parity.fixtures import Fixtures, under
from auralsam2.models.adapters import TextAdapter
from auralsam2.models.fuser import ReleasedFuser
from auralsam2.structures import FuserOutput, VisualPyramid

MODES = ("eval", "train")
BUFFER = 1e-6
"""Relative tolerance of running statistics: some variances are in the thousands."""

REF_AUDIO_TOKENS = 10
"""The released projection for Ref-AVS reads this many audio tokens, whatever the clip's length."""


class ReleasedListener(nn.Module):
    """Fuser, projection heads and text adapter as released, without backbone and audio encoder.

    Args:
        facts: the fixture's JSON.
        audio_depths: audio blocks of each level.
        channels: C.
        projector: registered name of the projection heads.
        out_channels: D.
        text_channels: width of the text's hidden states; ``None`` for no text.
        text_hidden: width inside the text adapter.
    """

    def __init__(
        self,
        facts: Mapping[str, Any],
        audio_depths: Sequence[int],
        channels: int,
        projector: str,
        out_channels: int,
        text_channels: int | None = None,
        text_hidden: int = 1024,
    ) -> None:
        super().__init__()
        size = {"channels": channels, "embedding_size": int(facts["image_embedding_size"])}
        self.fuser = _fuser(facts["config"], audio_depths, size)
        self.projector = _part("projector", projector, size, out_channels=out_channels)
        if text_channels is not None:
            self.text_adapter = TextAdapter(text_channels, channels, text_hidden)


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


def check_avs(fixtures: Fixtures) -> Iterator[Row]:
    """Group a: ``fuser_weights``, ``fuser_inputs``, ``fuser_avs``."""
    facts, expected = fixtures.facts("fuser_avs"), fixtures.tensors("fuser_avs")
    weights, inputs = fixtures.tensors("fuser_weights"), fixtures.tensors("fuser_inputs")
    yield from _check("fuser_avs", facts, weights, inputs, expected, "ReleasedConvProjector")


def check_ref(fixtures: Fixtures) -> Iterator[Row]:
    """Group b: ``fuser_ref`` and the weights in which it differs from group a."""
    facts, expected = fixtures.facts("fuser_ref"), fixtures.tensors("fuser_ref")
    weights, inputs = fixtures.tensors("fuser_weights"), fixtures.tensors("fuser_inputs")
    for key in facts["removed_keys"]:
        weights.pop(key, None)
    weights.update(fixtures.tensors("fuser_ref_weights_delta"))
    yield from _check("fuser_ref", facts, weights, inputs, expected, "ReleasedRefProjector")


def _check(
    name: str,
    facts: Mapping[str, Any],
    weights: dict[str, Tensor],
    inputs: dict[str, Tensor],
    expected: dict[str, Tensor],
    projector: str,
) -> Iterator[Row]:
    conversion = convert(weights, Options(to="ours"))
    converted, structure = conversion.state, conversion.report.structure
    authors = {entry.ours: entry.authors for entry in entries(structure)}
    text = converted.get("text_adapter.proj.0.weight")
    for mode in MODES:
        listener = ReleasedListener(
            facts,
            structure.audio_depths,
            inputs["backbone_fpn.0"].shape[1],
            projector,
            out_channels=len(weights["train_proj_v1.proj.0.bias"]),
            text_channels=None if text is None else text.shape[1],
            text_hidden=1024 if text is None else text.shape[0],
        )
        listener.load_state_dict(converted, strict=True)
        listener.train(mode == "train")
        leaves = {k: v.clone().requires_grad_() for k, v in inputs.items()}
        outputs = _outputs(listener, leaves)
        for key, value in outputs.items():
            if f"{mode}.{key}" in expected:
                yield compare(name, f"{mode}.{key}", value, expected[f"{mode}.{key}"])
        loss = probe_loss(outputs.values())
        yield compare(name, f"{mode}.probe_loss", loss, expected[f"{mode}.probe_loss"])
        loss.backward()
        yield from _gradients(name, mode, leaves, expected)
        named = {authors[key]: parameter for key, parameter in listener.named_parameters()}
        yield from gradient_norms(name, mode, named, facts[f"{mode}.param_grad_l2"])
        if mode == "train":
            buffers = {authors[key]: buffer for key, buffer in listener.state_dict().items()}
            for key, value in under(expected, "train.after").items():
                label = f"train.after.{key}"
                yield compare(name, label, buffers[key], value, relative=BUFFER)


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


def _gradients(
    name: str, mode: str, leaves: Mapping[str, Tensor], expected: Mapping[str, Tensor]
) -> Iterator[Row]:
    for key, leaf in leaves.items():
        for prefix, reduce in (("grad", _same), ("grad_spatial_mean", _spatial_mean)):
            label = f"{mode}.{prefix}.{key}"
            if label in expected:
                assert leaf.grad is not None
                yield compare(name, label, reduce(leaf.grad), expected[label], *GRADIENT)


def _same(gradient: Tensor) -> Tensor:
    return gradient


def _spatial_mean(gradient: Tensor) -> Tensor:
    return gradient.mean(dim=(-2, -1))
