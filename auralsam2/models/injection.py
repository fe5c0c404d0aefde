"""Where audio prompts enter the mask decoder: sites, tokens and the order of pyramid levels."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from auralsam2.messages import unknown_name
from auralsam2.registry import INJECTIONS

# SAM2 concatenates its output tokens in this order; prompt tokens of clicks and boxes follow.
TOKENS = {"object": slice(0, 1), "iou": slice(1, 2), "mask": slice(2, 6)}
NUM_OUTPUT_TOKENS = max(part.stop for part in TOKENS.values())
SITES = ("block1", "block2", "final")
ORDERS = ("coarse_to_fine", "fine_to_coarse")
PLACEMENTS = ("add", "append")
LevelOfSite = tuple[int | None, ...]


class SitePrompts(NamedTuple):
    """Prompts of one frame for one site; ``None`` leaves tokens or keys as they are."""

    sparse: Tensor | None  # (B, C) added to every chosen token
    dense: Tensor | None  # (B, N, C) added to the keys


@INJECTIONS.register_module()
class StepwiseInjection:
    """One pyramid level in front of each decoder site (paper, section 3.3).

    A dense prompt is added to the image embedding in front of its site. A sparse prompt is added
    to output tokens there (published), or stands beside them as a token of its own, as clicks do.
    Appended tokens are there from the first block on, one for each sparse site with the level of
    that site, so that both placements carry the same vectors. (Appended site by site, the last
    one would do nothing: in the final attention tokens read the image and not each other.)

    Controls for the claim that audio fades on its way through the decoder: a single injection is
    ``sites=("block1",)``; ``repeat_level`` gives one level to every site, so that the number of
    injections changes and their content does not.

    Args:
        tokens: which output tokens an added sparse prompt reaches: any of ``mask`` (published: all
            four mask tokens), ``iou``, ``object``.
        sites: which sites inject: any of ``block1``, ``block2``, ``final``.
        order: which level the first site gets: ``coarse_to_fine`` (published) or
            ``fine_to_coarse``.
        repeat_last: with fewer levels than sites, give the last level again to the sites that
            would stay empty.
        placement: of sparse prompts: ``add`` (published) or ``append``.
        sparse_sites: sites of the sparse prompts; ``None`` is ``sites``.
        dense_sites: sites of the dense prompts; ``None`` is ``sites``.
        repeat_level: one level for every site, counted in order of computation: 0 is the finest,
            -1 the coarsest; ``None`` (published) is one level a site.

    Raises:
        ValueError: on unknown names and on arguments that have no effect together; all of them are
            listed.
    """

    def __init__(
        self,
        tokens: Sequence[str] = ("mask",),
        sites: Sequence[str] = SITES,
        order: str = "coarse_to_fine",
        repeat_last: bool = False,
        placement: str = "add",
        sparse_sites: Sequence[str] | None = None,
        dense_sites: Sequence[str] | None = None,
        repeat_level: int | None = None,
    ) -> None:
        problems = [
            *_name_problems("tokens", tokens, TOKENS),
            *_name_problems("sites", sites, SITES),
            *_name_problems("sparse_sites", sparse_sites or (), SITES),
            *_name_problems("dense_sites", dense_sites or (), SITES),
        ]
        if order not in ORDERS:
            problems.append(unknown_name("order", str(order), ORDERS))
        if placement not in PLACEMENTS:
            problems.append(unknown_name("placement", str(placement), PLACEMENTS))
        if placement == "append" and tuple(tokens) != ("mask",):
            problems.append(
                f"tokens={tuple(tokens)} says where prompts are added, placement='append' adds none"
            )
        problems += self._own_problems(placement)
        if repeat_level is not None and repeat_last:
            problems.append("repeat_level fills every site already, drop repeat_last")
        if problems:
            raise ValueError("injection: " + "; ".join(problems))
        self.tokens, self.order, self.placement = tuple(tokens), order, placement
        self.sparse_sites = tuple(sites if sparse_sites is None else sparse_sites)
        self.dense_sites = tuple(sites if dense_sites is None else dense_sites)
        self.repeat_last, self.repeat_level = repeat_last, repeat_level

    def dense_levels(self, num_levels: int) -> LevelOfSite:
        """Level of the pyramid whose dense prompt each site adds; ``None`` adds none.

        Raises:
            ValueError: where there is no such level as ``repeat_level``.
        """
        return self._levels_at(self.dense_sites, num_levels)

    def added_levels(self, num_levels: int) -> LevelOfSite:
        """Level whose sparse prompt each site adds to the chosen tokens."""
        return self._levels_at(self.sparse_sites if self.placement == "add" else (), num_levels)

    def appended_levels(self, num_levels: int) -> tuple[int, ...]:
        """Levels whose sparse prompts are tokens of their own, in the order of their sites."""
        if self.placement != "append":
            return ()
        levels = self._levels_at(self.sparse_sites, num_levels)
        return tuple(level for level in levels if level is not None)

    def token_position(self, tokens: Tensor, injected: Tensor) -> Tensor:
        """Their positional code in attention, given (B, K, C) before and behind the first site."""
        return tokens

    def token_mask(self, num_tokens: int, device: torch.device) -> Tensor:
        """(num_tokens,) float, 1 at the tokens that receive an added sparse prompt."""
        mask = torch.zeros(num_tokens, device=device)
        for name in self.tokens:
            mask[TOKENS[name]] = 1.0
        return mask

    def _own_problems(self, placement: str) -> list[str]:
        return []

    def _levels_at(self, sites: Sequence[str], num_levels: int) -> LevelOfSite:
        levels = self._level_of_every_site(num_levels)
        return tuple(level if s in sites else None for s, level in zip(SITES, levels, strict=True))

    def _level_of_every_site(self, num_levels: int) -> LevelOfSite:
        if self.repeat_level is not None:
            if not -num_levels <= self.repeat_level < num_levels:
                raise ValueError(
                    f"injection: repeat_level={self.repeat_level} is none of the {num_levels} "
                    f"level(s) of the pyramid; give 0 (finest) to {num_levels - 1}, or -1 for the "
                    "coarsest"
                )
            return (self.repeat_level % num_levels,) * len(SITES)
        levels = list(range(num_levels))
        if self.order == "coarse_to_fine":
            levels.reverse()
        rest = levels[-1] if self.repeat_last and levels else None
        return tuple(levels[i] if i < num_levels else rest for i in range(len(SITES)))


@INJECTIONS.register_module()
class ReleasedInjection(StepwiseInjection):
    """Step-wise injection with the released code's side effect as a switch.

    Args:
        leak_into_position: what the first site adds to the tokens also becomes a part of their
            positional code, in its own and all later attention; the released preset turns it on.
        **published: see :class:`StepwiseInjection`.

    Raises:
        ValueError: as there, and where it leaks although nothing is added.
    """

    def __init__(self, leak_into_position: bool = False, **published: Any) -> None:
        self.leak_into_position = leak_into_position
        super().__init__(**published)

    def token_position(self, tokens: Tensor, injected: Tensor) -> Tensor:
        """The tokens behind the first site where they leak."""
        return injected if self.leak_into_position else tokens

    def _own_problems(self, placement: str) -> list[str]:
        if placement != "append" or not self.leak_into_position:
            return []
        return ["leak_into_position comes from adding, placement='append' adds none"]


def _name_problems(argument: str, names: Sequence[str], known: Iterable[str]) -> list[str]:
    """What is wrong with a list of names, in words."""
    if isinstance(names, str):
        return [f"{argument} is a list of names, got {names!r}; write ({names!r},)"]
    kind = argument.removesuffix("s").replace("_", " ")
    return [unknown_name(kind, str(name), known) for name in names if name not in known]
