"""Read what the mask decoder attends to, by hooks on the official modules; nothing is changed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple

import torch
from sam2.modeling.sam.transformer import Attention
from torch import Tensor, nn

from auralsam2.models.backbones.sam2.decoder_call import DecoderCall
from auralsam2.models.backbones.sam2.injection import InjectableTwoWayTransformer


class SiteReading(NamedTuple):
    """Token-to-image attention at one site of the decoder; H heads, K tokens, N positions.

    Attributes:
        attention: (B, H, K, N), softmax in float32, rows sum to one.
        output: (B, K, C) what the tokens read, after the output projection.
        tokens: (B, K, C) queries before their projection, positional code included.
        keys: (B, N, C) image tokens before the value projection, without positional code.
    """

    attention: Tensor
    output: Tensor
    tokens: Tensor
    keys: Tensor


def attention_sites(transformer: InjectableTwoWayTransformer) -> list[Attention]:
    """The token-to-image attentions in order: one a block, then the final one."""
    blocks = [layer.cross_attn_token_to_image for layer in transformer.layers]
    return [*blocks, transformer.final_attn_token_to_image]


def attention_weights(queries: Tensor, keys: Tensor, num_heads: int) -> Tensor:
    """softmax(q k^T / sqrt(c)) with c channels a head, in float32.

    Args:
        queries: (B, K, H c), projected.
        keys: (B, N, H c), projected.
        num_heads: H.

    Returns:
        (B, H, K, N).
    """
    q, k = (x.float().unflatten(-1, (num_heads, -1)).transpose(1, 2) for x in (queries, keys))
    return (q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5).softmax(dim=-1)


@contextmanager
def probing(transformer: InjectableTwoWayTransformer) -> Iterator[list[list[SiteReading]]]:
    """Collect the readings of every forward inside the context, one list a site.

    Args:
        transformer: of the mask decoder; its gradients and outputs stay as they are.
    """
    sites = attention_sites(transformer)
    readings: list[list[SiteReading]] = [[] for _ in sites]
    with ExitStack() as hooks:
        for attention, found in zip(sites, readings, strict=True):
            _hook(attention, found, hooks)
        yield readings


@torch.no_grad()
def replay(transformer: InjectableTwoWayTransformer, call: DecoderCall) -> list[SiteReading]:
    """Run the transformer on a recorded call, possibly with some of it replaced.

    Returns:
        One reading a site.
    """
    with probing(transformer) as readings, ExitStack() as injecting:
        if call.injection is not None:
            injecting.enter_context(transformer.injecting(call.prompts, call.injection))
        transformer(call.image_embedding, call.image_pe, call.tokens)
    return [reading for (reading,) in readings]


def _hook(attention: Attention, found: list[SiteReading], hooks: ExitStack) -> None:
    seen: dict[str, Tensor] = {}

    def projection(name: str) -> Any:
        def after(module: nn.Module, args: tuple[Tensor, ...], output: Tensor) -> None:
            seen[f"{name}_in"], seen[name] = args[0].detach(), output.detach()

        return after

    def whole(module: Attention, args: tuple[Any, ...], output: Tensor) -> None:
        found.append(
            SiteReading(
                attention=attention_weights(seen["q"], seen["k"], module.num_heads),
                output=output.detach(),
                tokens=seen["q_in"],
                keys=seen["v_in"],
            )
        )
        seen.clear()

    handles = [
        getattr(attention, f"{name}_proj").register_forward_hook(projection(name)) for name in "qkv"
    ]
    handles.append(attention.register_forward_hook(whole))
    for handle in handles:
        hooks.callback(handle.remove)
