"""The kinds of claims. What is better, a metric says itself; a gain is a change to the better."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from analysis.claims.claim import CLAIMS, Bound, Claim
from analysis.runs.controls import Column, split_header


def _gain(
    cell: str, other: str, column: Column, other_column: Column, sign: int
) -> tuple[str, dict[tuple[str, Column], float]]:
    """Return words and weights of how much better a cell is than another one."""
    same = column == other_column
    here, elsewhere = ("" if same else f" ({split_header(c[0])})" for c in (column, other_column))
    weights = {(cell, column): float(sign), (other, other_column): -float(sign)}
    return f"{cell}{here} over {other}{elsewhere}", weights


@CLAIMS.register_module()
@dataclass(kw_only=True)
class Beats(Claim):
    """A cell is better than another one by more than ``by``.

    Of one cell and two splits, as after and before clicks, it is the gain of one split over the
    other. A negative ``by`` says that a cell is not worse by as much.
    """

    cell: str
    other: str  # that it is compared with
    by: float = 0.0  # in units of the metric
    other_split: str | None = None  # of the other cell; None for the same

    def problems(self) -> list[str]:
        """Return what is wrong with the arguments."""
        same = self.cell == self.other and self.other_split in (None, self.split)
        return super().problems() + [f"{self.cell!r} is compared with itself"] * same

    def bounds(self, sign: int) -> list[Bound]:
        """Return one: gain > by."""
        other = (self.other_split or self.split, self.metric)
        words, weights = _gain(self.cell, self.other, self.column, other, sign)
        return [Bound(words, weights, low=self.by)]


@CLAIMS.register_module()
@dataclass(kw_only=True)
class Equivalent(Claim):
    """Two cells differ by less than ``within``, in either direction."""

    cells_of = ("cell", "other")

    cell: str
    other: str
    within: float  # in units of the metric

    def problems(self) -> list[str]:
        """Return what is wrong with the arguments."""
        none = not self.within > 0
        return super().problems() + [f"within: wanted more than 0, got {self.within!r}"] * none

    def bounds(self, sign: int) -> list[Bound]:
        """Return one: -within < gain < within, two one-sided tests."""
        words, weights = _gain(self.cell, self.other, self.column, self.column, sign)
        return [Bound(words, weights, -self.within, self.within)]


@CLAIMS.register_module()
@dataclass(kw_only=True)
class Monotone(Claim):
    """Each of several cells is better than the one before it by more than ``by``."""

    cells_of = ("cells",)

    cells: Sequence[str]  # of an axis, in order
    by: float = 0.0  # of every step, in units of the metric; below 0, what a step may lose

    def problems(self) -> list[str]:
        """Return what is wrong with the arguments."""
        few = len(self.cells) < 2
        return super().problems() + [f"cells: wanted two at least, got {self.cells!r}"] * few

    def bounds(self, sign: int) -> list[Bound]:
        """Return one for each step: gain > by."""
        steps = [
            _gain(later, earlier, self.column, self.column, sign)
            for earlier, later in pairwise(self.cells)
        ]
        return [Bound(words, weights, low=self.by) for words, weights in steps]


@CLAIMS.register_module()
@dataclass(kw_only=True)
class Interaction(Claim):
    """Two changes gain more together than the sum of what each gains alone, by more than ``by``.

    The difference of differences (both - second) - (first - neither) of a grid's two axes. That
    they gain less together is the same with ``both`` for ``first`` and ``second`` for ``neither``.
    """

    cells_of = ("both", "first", "second", "neither")

    both: str  # cell with both changes
    first: str  # with the first one alone
    second: str  # with the second one alone
    neither: str  # with none
    by: float = 0.0  # in units of the metric

    def bounds(self, sign: int) -> list[Bound]:
        """Return one: difference of differences > by."""
        signed = {self.both: sign, self.second: -sign, self.first: -sign, self.neither: sign}
        words = f"({self.both} - {self.second}) - ({self.first} - {self.neither})"
        weights = {(cell, self.column): float(weight) for cell, weight in signed.items()}
        return [Bound(words, weights, low=self.by)]


@CLAIMS.register_module()
@dataclass(kw_only=True)
class ListensBy(Claim):
    """A cell loses more than ``by`` where clips have another sound, or none."""

    cell: str
    sound: str = "swapped"  # a kind of control that its runs were scored with
    by: float = 0.0  # in units of the metric

    def bounds(self, sign: int) -> list[Bound]:
        """Return one: score - score under the other sound > by."""
        control = (f"{self.split}_audio_{self.sound}", self.metric)
        words, weights = _gain(self.cell, self.cell, self.column, control, sign)
        return [Bound(words, weights, low=self.by)]
