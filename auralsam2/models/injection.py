"""Where audio prompts enter the mask decoder: sites, tokens and the order of pyramid levels."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from auralsam2.registry import INJECTIONS

# SAM2 concatenates its output tokens in this order; prompt tokens of clicks and boxes follow.
TOKENS = {"object": slice(0, 1), "iou": slice(1, 2), "mask": slice(2, 6)}
SITES = ("block1", "block2", "final")
ORDERS = ("coarse_to_fine", "fine_to_coarse")


@INJECTIONS.register_module()
class StepwiseInjection:
    """One pyramid level in front of each decoder site (paper, section 3.3).

    Args:
        tokens: which output tokens receive the sparse prompt: any of ``mask`` (published: all
            four mask tokens), ``iou``, ``object``.
        sites: which sites inject: any of ``block1``, ``block2``, ``final``.
        order: which level the first site gets: ``coarse_to_fine`` (published) or
            ``fine_to_coarse``.
        repeat_last: with fewer levels than sites, give the last level again to the sites that
            would stay empty.
        leak_into_position: the released code's side effect: the first residual also becomes a
            part of the tokens' positional code in all later attention.

    Raises:
        ValueError: on an unknown token, site or order; all of them are listed.
    """

    def __init__(
        self,
        tokens: Sequence[str] = ("mask",),
        sites: Sequence[str] = SITES,
        order: str = "coarse_to_fine",
        repeat_last: bool = False,
        leak_into_position: bool = False,
    ) -> None:
        problems = [
            f"unknown token {t!r}; known: {', '.join(TOKENS)}" for t in tokens if t not in TOKENS
        ]
        problems += [
            f"unknown site {s!r}; known: {', '.join(SITES)}" for s in sites if s not in SITES
        ]
        if order not in ORDERS:
            problems.append(f"unknown order {order!r}; known: {', '.join(ORDERS)}")
        if problems:
            raise ValueError("injection: " + "; ".join(problems))
        self.tokens, self.sites, self.order = tuple(tokens), tuple(sites), order
        self.repeat_last, self.leak_into_position = repeat_last, leak_into_position

    def level_of_site(self, num_levels: int) -> tuple[int | None, ...]:
        """The level (index in order of computation, 0 the finest) that each site receives."""
        levels = list(range(num_levels))
        if self.order == "coarse_to_fine":
            levels.reverse()
        if self.repeat_last and levels:
            levels += [levels[-1]] * (len(SITES) - len(levels))
        return tuple(
            levels[i] if site in self.sites and i < len(levels) else None
            for i, site in enumerate(SITES)
        )

    def token_mask(self, num_tokens: int, device: torch.device) -> Tensor:
        """(num_tokens,) float, 1 at the tokens that receive the sparse prompt."""
        mask = torch.zeros(num_tokens, device=device)
        for name in self.tokens:
            mask[TOKENS[name]] = 1.0
        return mask
