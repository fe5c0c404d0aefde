"""Group c: the released cross-modal fusion block alone."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor, nn

from auralsam2.engine.conversion.names import FUSION
from auralsam2.engine.parity.compare import GRADIENT, Row, compare, probe_loss
from auralsam2.engine.parity.fixtures import Fixtures, under
from auralsam2.registry import FUSIONS
from auralsam2.structures import FusionOutput

NAME = "fusion_module"
MODES = ("eval", "train")


def check_fusion(fixtures: Fixtures) -> Iterator[Row]:
    """Every case in both modes, as released and, where given, with repaired axes."""
    weights, numbers = fixtures.tensors("fusion_module_weights"), fixtures.tensors(NAME)
    for case in sorted({key.split(".")[0] for key in numbers}):
        own = under(numbers, case)
        state = _named({**weights, **under(own, "weights")})
        for mode in MODES:
            yield from _check_released(f"{case}.{mode}", mode, state, own)
            if f"{mode}.layout_fixed.frame_out" in own:
                yield from _check_repaired(f"{case}.{mode}.layout_fixed", mode, state, own)


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
    block: nn.Module = FUSIONS.build({"type": name, **arguments}, channels=channels)
    own = block.state_dict()
    block.load_state_dict({k: v for k, v in state.items() if k in own}, strict=True)
    return block.train(mode == "train")


def _check_released(
    label: str, mode: str, state: dict[str, Tensor], own: dict[str, Tensor]
) -> Iterator[Row]:
    block = _block("ReleasedTPAVIFusion", state, mode)
    frame, audio = (own[key].clone().requires_grad_() for key in ("frame", "audio"))
    out: FusionOutput = block(frame[None], audio[None])
    assert out.visual_update is not None and out.audio_update is not None
    num_frames, num_tokens, channels = frame.shape
    side = round(num_tokens**0.5)
    update = out.visual_update[0].transpose(1, 2)  # (T, C, N)
    outputs = {
        "frame_out": out.visual[0],
        "audio_out": out.audio[0],
        "frame_attn": update.reshape(num_frames, channels, 1, side, side),
        "audio_attn": out.audio_update[0][..., None],
    }
    for key, value in outputs.items():
        if f"{mode}.{key}" in own:
            yield compare(NAME, f"{label}.{key}", value, own[f"{mode}.{key}"])
    loss = probe_loss(outputs.values())
    yield compare(NAME, f"{label}.probe_loss", loss, own[f"{mode}.probe_loss"])
    loss.backward()
    for key, leaf in (("frame", frame), ("audio", audio)):
        if f"{mode}.grad.{key}" in own:
            assert leaf.grad is not None
            expected = own[f"{mode}.grad.{key}"]
            yield compare(NAME, f"{label}.grad.{key}", leaf.grad, expected, *GRADIENT)


def _check_repaired(
    label: str, mode: str, state: dict[str, Tensor], own: dict[str, Tensor]
) -> Iterator[Row]:
    """The corrected axes, the released scale."""
    block = _block("TwoWayTPAVIFusion", state, mode, scale="queries")
    out: FusionOutput = block(own["frame"][None], own["audio"][None])
    for key, value in (("frame_out", out.visual[0]), ("audio_out", out.audio[0])):
        yield compare(NAME, f"{label}.{key}", value, own[f"{mode}.layout_fixed.{key}"])
