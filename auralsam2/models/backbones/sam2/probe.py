"""What the mask decoder is given and attends to: recorded, changed for a counterfactual, read.

Hooks on the decoder's modules see it; nothing that they compute is changed. The transformer is the
official one or, behind :class:`~auralsam2.models.backbones.hooked.two_way.HookedTwoWay`, one of
transformers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from auralsam2.models.backbones.promptable import TwoWay
from auralsam2.models.decoder_rows import CannotProbeError
from auralsam2.models.injection import NUM_OUTPUT_TOKENS, SitePrompts, StepwiseInjection


class DecoderCall(NamedTuple):
    """What the decoder's transformer was given once.

    Attributes:
        image_embedding: (B, C, E, E), memory and dense mask prompt included.
        image_pe: (B, C, E, E), or a batch of one.
        tokens: (B, K, C) output tokens, then prompt tokens.
        prompts: injected ones, one entry a site; empty where nothing is injected.
        injection: where they go; None likewise.
        mask_prompt: (B, C, E, E) what a mask prompt has added to the image embedding beyond what
            SAM2 adds without one; None where there is none.
    """

    image_embedding: Tensor
    image_pe: Tensor
    tokens: Tensor
    prompts: tuple[SitePrompts, ...]
    injection: StepwiseInjection | None
    mask_prompt: Tensor | None = None


class _Recorder:
    """Hooks that note what the transformer is given."""

    def __init__(self) -> None:
        self.calls: list[DecoderCall] = []
        self.mask_prompt: Tensor | None = None

    def encoded(
        self, encoder: Any, args: Any, given: dict[str, Any], output: tuple[Tensor, Tensor]
    ) -> None:
        """Behind the prompt encoder, which is called with keywords."""
        masked = any(given.get(name) is not None for name in ("masks", "input_masks"))
        plain = encoder.no_mask_embed.weight.reshape(1, -1, 1, 1)
        self.mask_prompt = (output[1] - plain).detach() if masked else None

    def before(self, transformer: TwoWay, *given: Tensor) -> None:
        """In front of the transformer, which is given image, position and tokens."""
        image, position, tokens = (x.detach() for x in given)
        prompts = tuple(transformer.prompts)
        self.calls.append(
            DecoderCall(image, position, tokens, prompts, transformer.injection, self.mask_prompt)
        )
        self.mask_prompt = None


@contextmanager
def recording(
    transformer: TwoWay,
    prompt_encoder: nn.Module | None = None,
    *,
    run: bool = True,
) -> Iterator[list[DecoderCall]]:
    """Collect what the transformer of a mask decoder is given, forward by forward.

    Args:
        transformer: the one.
        prompt_encoder: of the same SAM2, so that mask prompts are told from the image.
        run: off, the transformer gives back what it is given, which takes no time; masks and
            whatever hangs on them then say nothing.
    """
    recorder = _Recorder()
    with ExitStack() as hooks:
        handles = [transformer.watch(partial(recorder.before, transformer))]
        if prompt_encoder is not None:
            handles.append(prompt_encoder.register_forward_hook(recorder.encoded, with_kwargs=True))
        for handle in handles:
            hooks.callback(handle.remove)
        if not run:
            hooks.enter_context(transformer.skipped())
        yield recorder.calls


def swap_sites(
    call: DecoderCall, other: DecoderCall, sites: Sequence[int] | None = None
) -> DecoderCall:
    """Give a call the prompts that the same frame has under another sound, the image is held.

    Args:
        call: whose image embedding, with the memory, it is.
        other: of one model with it, else a ValueError.
        sites: where to swap, None everywhere. Prompt tokens enter, so belong, at the first site.
    """
    if call.tokens.shape != other.tokens.shape or len(call.prompts) != len(other.prompts):
        raise ValueError(
            f"the calls have {call.tokens.shape[1]} and {other.tokens.shape[1]} tokens, prompts "
            f"for {len(call.prompts)} and {len(other.prompts)} sites: not one model's"
        )
    wanted = range(max(1, len(call.prompts))) if sites is None else sites
    prompts = [
        theirs if site in wanted else own
        for site, (own, theirs) in enumerate(zip(call.prompts, other.prompts, strict=True))
    ]
    tokens = other.tokens if 0 in wanted else call.tokens
    return call._replace(prompts=tuple(prompts), tokens=tokens)


def without_prompts(call: DecoderCall) -> DecoderCall:
    """Leave SAM2's output tokens and the image; padding points and mask prompts go, too."""
    image, added = call.image_embedding, call.mask_prompt
    bare = image if added is None else image - added
    return DecoderCall(bare, call.image_pe, call.tokens[:, :NUM_OUTPUT_TOKENS], (), None)


def differ(call: DecoderCall, other: DecoderCall) -> bool:
    """Tell whether two calls of one frame give the transformer anything different."""
    if call.tokens.shape != other.tokens.shape:
        return True
    ours, theirs = (
        [x for x in (c.image_embedding, c.tokens, *_given(c)) if x is not None]
        for c in (call, other)
    )
    return len(ours) != len(theirs) or not all(map(torch.equal, ours, theirs))


def join_calls(calls: Sequence[DecoderCall]) -> DecoderCall:
    """Calls of one model, one behind the other; a CannotProbeError where they are not alike."""
    first = calls[0]
    kinds = {(c.tokens.shape[1], tuple(x is None for x in _given(c))) for c in calls}
    if len(kinds) > 1:
        raise CannotProbeError(
            "the decoder's calls have different numbers of tokens, or prompts at different sites, "
            f"{sorted(kinds, key=str)}: they cannot be compared"
        )
    return _each(lambda *parts: torch.cat(parts), calls)._replace(injection=first.injection)


def select_rows(call: DecoderCall, rows: Sequence[int]) -> DecoderCall:
    """Leave some rows of the batch of a call."""
    return _each(lambda part: part[list(rows)], [call])._replace(injection=call.injection)


def _given(call: DecoderCall) -> list[Tensor | None]:
    """Injected prompts and the mask prompt, flat."""
    return [*(part for site in call.prompts for part in site), call.mask_prompt]


def _each(change: Callable[..., Tensor], calls: Sequence[DecoderCall]) -> DecoderCall:
    """Apply a change to every tensor that calls of one kind have."""

    def changed(*parts: Tensor | None) -> Tensor | None:
        return None if parts[0] is None else change(*parts)

    sites = zip(*(call.prompts for call in calls), strict=True)
    return DecoderCall(
        *(change(*parts) for parts in zip(*(call[:3] for call in calls), strict=True)),
        tuple(SitePrompts(*map(changed, *parts)) for parts in sites),
        None,
        changed(*(call.mask_prompt for call in calls)),
    )


class SiteReading(NamedTuple):
    """Token-to-image attention at one site of the decoder; H heads, K tokens, N positions."""

    # (B, H, K, N), softmax in float32; rows sum to one, or are 0 of a token that is not there.
    attention: Tensor
    output: Tensor  # (B, K, C) what the tokens read, after the output projection
    tokens: Tensor  # (B, K, C) queries before their projection, positional code included
    keys: Tensor  # (B, N, C) image tokens before the value projection, without positional code


def attention_weights(queries: Tensor, keys: Tensor, num_heads: int) -> Tensor:
    """softmax(q k^T / sqrt(c)) in float32: (B, K, H c) and (B, N, H c) -> (B, H, K, N)."""
    q, k = (x.float().unflatten(-1, (num_heads, -1)).transpose(1, 2) for x in (queries, keys))
    return (q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5).softmax(dim=-1)


@contextmanager
def probing(transformer: TwoWay) -> Iterator[list[list[SiteReading]]]:
    """Collect the readings of every forward inside the context, one list a site."""
    sites = transformer.readers
    readings: list[list[SiteReading]] = [[] for _ in sites]
    with ExitStack() as hooks:
        for attention, found in zip(sites, readings, strict=True):
            _hook(attention, transformer.lacking, found, hooks)
        yield readings


@torch.no_grad()
def replay(transformer: TwoWay, call: DecoderCall) -> list[SiteReading]:
    """Run the transformer on a call, recorded and possibly changed; one reading a site."""
    with probing(transformer) as readings, ExitStack() as injecting:
        if call.injection is not None:
            injecting.enter_context(transformer.injecting(call.prompts, call.injection))
        transformer(call.image_embedding, call.image_pe, call.tokens)
    return [reading for (reading,) in readings]


def _hook(attention: Any, lacking: int, found: list[SiteReading], hooks: ExitStack) -> None:
    """Read one attention; rows of zeros stand for the tokens that its decoder lacks."""
    seen: dict[str, Tensor] = {}
    num_heads = getattr(attention, "num_heads", None) or attention.num_attention_heads

    def projection(name: str) -> Any:
        def after(module: nn.Module, args: tuple[Tensor, ...], output: Tensor) -> None:
            seen[f"{name}_in"], seen[name] = _rows(args[0]), _rows(output)

        return after

    def whole(module: nn.Module, args: tuple[Any, ...], output: Any) -> None:
        read = output[0] if isinstance(output, tuple) else output
        weights = attention_weights(seen["q"], seen["k"], num_heads)
        of_tokens = (weights, _rows(read), seen["q_in"])
        found.append(SiteReading(*(F.pad(x, (0, 0, lacking, 0)) for x in of_tokens), seen["v_in"]))
        seen.clear()

    handles = [
        getattr(attention, f"{name}_proj").register_forward_hook(projection(name)) for name in "qkv"
    ]
    handles.append(attention.register_forward_hook(whole))
    for handle in handles:
        hooks.callback(handle.remove)


def _rows(x: Tensor) -> Tensor:
    """(B, K, C), also of (B, 1, K, C), in which transformers has an axis for several prompts."""
    return x.detach().squeeze(1) if x.dim() == 4 else x.detach()
