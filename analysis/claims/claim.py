"""A claim: bounds on weighted sums of scores, of which every one has to hold."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from fnmatch import fnmatchcase
from types import UnionType
from typing import Any, ClassVar, NamedTuple, Union, get_args, get_origin, get_type_hints

from analysis.runs.controls import Column
from auralsam2.builder import Registry

CLAIMS = Registry(
    "claim",
    contract="build(); bounds(sign) -> list[Bound], which the claim says to hold all of them; sign "
    "is 1 where higher scores are better and -1 where lower ones are",
    locations=["analysis.claims.kinds"],
    base="analysis.claims.claim:Claim",
)


class Bound(NamedTuple):
    """That a weighted sum of scores lies between two numbers, the ends not included."""

    words: str  # what is summed
    weights: Mapping[tuple[str, Column], float]  # (cell, (split, metric)) -> weight
    low: float = -math.inf
    high: float = math.inf

    @property
    def ends(self) -> list[float]:
        """The ends that say something: each is one one-sided test."""
        return [end for end in (self.low, self.high) if math.isfinite(end)]

    @property
    def asserted(self) -> str:
        """What is said of the sum: ``> 0.010``, ``between -0.020 and 0.020``."""
        if len(self.ends) == 2:
            return f"between {self.low:g} and {self.high:g}"
        return f"> {self.low:g}" if math.isfinite(self.low) else f"< {self.high:g}"


@dataclass(kw_only=True)
class Claim(ABC):
    """What a paper asserts of the cells of a grid; its fields are its arguments in a file.

    Raises:
        ValueError: with all problems at once.
    """

    cells_of: ClassVar[tuple[str, ...]] = ()
    """Fields that name cells, or are lists of such names."""

    sentence: str  # the assertion in words
    source: str = ""  # where the paper says so, e.g. "section 4"
    inferred: bool = False  # whether it follows from what the paper says, and is not said there
    # Names of the folders of the grids that it speaks of, as shell patterns; one or several
    grids: str | Sequence[str] = "*"
    split: str = "test"
    metric: str = "J"

    def __post_init__(self) -> None:
        hints = get_type_hints(type(self))
        problems = [
            f"{field.name}: wanted {_words(hints[field.name])}, got {value!r}"
            for field in fields(self)
            if not _fits(value := getattr(self, field.name), hints[field.name])
        ]
        if problems := problems or self.problems():
            raise ValueError("\n".join(problems))

    def problems(self) -> list[str]:
        """Return what is wrong with the arguments."""
        said = [
            f"{key}: wanted a finite number, got {value!r}"
            for key, value in vars(self).items()
            if isinstance(value, float) and not math.isfinite(value)
        ]
        names = [name for key in self.cells_of for name in as_names(getattr(self, key))]
        twice = dict.fromkeys(name for name in names if names.count(name) > 1)
        return said + [f"{name!r} is named twice" for name in twice]

    @abstractmethod
    def bounds(self, sign: int) -> list[Bound]:
        """Return what has to hold, all of it.

        Args:
            sign: 1 where higher scores are better, -1 where lower ones are.
        """

    @property
    def column(self) -> Column:
        """Split and metric."""
        return self.split, self.metric

    @property
    def kind(self) -> str:
        """Name of its class."""
        return type(self).__name__

    @property
    def origin(self) -> str:
        """Where it comes from, in words."""
        return f"{self.source}{', inferred' * self.inferred}".removeprefix(", ")

    def speaks_of(self, grid: str) -> bool:
        """Return whether it is about a grid, by the name of its folder."""
        return any(fnmatchcase(grid, pattern) for pattern in as_names(self.grids))


def as_names(stated: str | Sequence[str]) -> Sequence[str]:
    """Return one or several names as several."""
    return (stated,) if isinstance(stated, str) else stated


_WORDS = {float: "a number", str: "a text", bool: "True or False", type(None): "None"}


def _fits(value: Any, hint: Any) -> bool:
    """Return whether a value is what a field is annotated with."""
    if get_origin(hint) in (Union, UnionType):
        return any(_fits(value, one) for one in get_args(hint))
    if get_origin(hint) is Sequence:
        return isinstance(value, (list, tuple)) and all(_fits(v, *get_args(hint)) for v in value)
    if hint is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return isinstance(value, hint) if hint in _WORDS else True


def _words(hint: Any) -> str:
    if get_origin(hint) in (Union, UnionType):
        return " or ".join(map(_words, get_args(hint)))
    return "a list of texts" if get_origin(hint) is Sequence else _WORDS.get(hint, str(hint))
