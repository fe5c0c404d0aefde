"""What the mask decoder's transformer is given: recorded, and changed for a counterfactual."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from auralsam2.models.backbones.sam2.injection import InjectableTwoWayTransformer, SitePrompts
from auralsam2.models.decoder_rows import CannotProbeError
from auralsam2.models.injection import NUM_OUTPUT_TOKENS, StepwiseInjection


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


@contextmanager
def recording(
    transformer: InjectableTwoWayTransformer,
    prompt_encoder: nn.Module | None = None,
    *,
    run: bool = True,
) -> Iterator[list[DecoderCall]]:
    """Collect what the transformer is given, forward by forward.

    Args:
        transformer: of the mask decoder.
        prompt_encoder: of the same SAM2, so that mask prompts are told from the image.
        run: off, the transformer gives back what it is given, which takes no time; masks and
            whatever hangs on them then say nothing.
    """
    calls: list[DecoderCall] = []
    mask_prompts: list[Tensor | None] = [None]

    def encoded(
        module: Any, args: tuple[Any, ...], given: dict[str, Any], output: tuple[Tensor, Tensor]
    ) -> None:
        masked = given.get("masks") is not None
        plain = module.no_mask_embed.weight.reshape(1, -1, 1, 1)
        mask_prompts[0] = (output[1] - plain).detach() if masked else None

    def before(module: nn.Module, args: tuple[Any, ...]) -> None:
        image, position, tokens = args
        calls.append(
            DecoderCall(
                *(x.detach() for x in (image, position, tokens)),
                tuple(transformer._prompts),
                transformer._injection,
                mask_prompts[0],
            )
        )
        mask_prompts[0] = None

    with ExitStack() as hooks:
        handles = [transformer.register_forward_pre_hook(before)]
        if prompt_encoder is not None:
            handles.append(prompt_encoder.register_forward_hook(encoded, with_kwargs=True))
        for handle in handles:
            hooks.callback(handle.remove)
        if not run:
            hooks.callback(delattr, transformer, "forward")
            transformer.forward = _pass  # type: ignore[method-assign]
        yield calls


def swap_sites(
    call: DecoderCall, other: DecoderCall, sites: Sequence[int] | None = None
) -> DecoderCall:
    """Give a call the prompts of another one; its image embedding, with the memory, is held.

    Args:
        call: whose frame it is.
        other: of the same frame under another sound.
        sites: where to swap, None everywhere. Prompt tokens belong to the first site, where they
            enter.

    Raises:
        ValueError: where the two were not made by one model.
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
    image = call.image_embedding
    return DecoderCall(
        image if call.mask_prompt is None else image - call.mask_prompt,
        call.image_pe,
        call.tokens[:, :NUM_OUTPUT_TOKENS],
        (),
        None,
    )


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
    """Calls of one model, one behind the other along the batch.

    Raises:
        CannotProbeError: where they do not have the same tokens and prompts.
    """
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


def _pass(image: Tensor, position: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor]:
    return tokens, image.flatten(2).transpose(1, 2)


def _given(call: DecoderCall) -> list[Tensor | None]:
    """Injected prompts and the mask prompt, flat."""
    return [*(part for site in call.prompts for part in site), call.mask_prompt]


def _each(change: Callable[..., Tensor], calls: Sequence[DecoderCall]) -> DecoderCall:
    """Apply a change to every tensor that calls of one kind have."""

    def changed(*parts: Tensor | None) -> Tensor | None:
        return None if parts[0] is None else change(*parts)

    sites = zip(*(call.prompts for call in calls), strict=True)
    return DecoderCall(
        *(
            change(*(getattr(call, name) for call in calls))
            for name in ("image_embedding", "image_pe", "tokens")
        ),
        tuple(SitePrompts(*map(changed, *parts)) for parts in sites),
        None,
        changed(*(call.mask_prompt for call in calls)),
    )
