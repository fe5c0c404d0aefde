"""One-sided tests of bounds, and what they say together of a claim; see ``docs/statistics.md``.

All p are twice those of one-sided tests, at most 1: below alpha exactly where the interval of
confidence 1 - alpha lies beyond the end that is tested.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.claims.claim import Bound
from analysis.statistics.crossed_means import Settings, p_values, row_means
from analysis.statistics.score_arrays import Sample

Array = NDArray[Any]


class EndTests(NamedTuple):
    """Tests of K rows against both sides of one end of a bound."""

    inside: Array  # (K,) p of the mean not lying on the bound's side of the end
    beyond: Array  # (K,) p of the mean not lying on the other side


class ClaimTests(NamedTuple):
    """Tests of a claim, K times."""

    supporting: Array  # (K,) p of the claim being false
    contradicting: Array  # (K,) p of the claim being true


def end_tests(bound: Bound, sample: Sample, settings: Settings) -> list[EndTests]:
    """Test K measurements of a bound's sum; 1 where nothing can be tested."""
    found = []
    for end in bound.ends:
        away = Sample(sample.values - end, sample.strata)
        p, above = np.nan_to_num(p_values(away, settings), nan=1.0), row_means(away) > 0
        inside = above if end == bound.low else ~above
        found.append(EndTests(np.where(inside, p, 1.0), np.where(inside, 1.0, p)))
    return found


def combine(tests: Sequence[EndTests]) -> ClaimTests:
    """Return what the tests of all ends of all bounds say of the claim that they all hold.

    The claim is an intersection: its p is the largest of theirs (Berger, Technometrics 24, 1982).
    Against it speaks any of them: the smallest p, times their number (Bonferroni).
    """
    inside = np.max([test.inside for test in tests], axis=0)
    beyond = np.min([test.beyond for test in tests], axis=0)
    return ClaimTests(inside, np.minimum(1.0, len(tests) * beyond))
