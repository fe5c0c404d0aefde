"""What runs say of a bound, of a claim, and of all claims of a file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from analysis.claims.claim import Bound, Claim
from analysis.claims.decide import EndTests
from analysis.claims.file import Claims
from analysis.claims.outlook import Outlook
from analysis.runs.results import Results
from analysis.statistics.crossed_means import CLIPS, CLIPS_AND_SEEDS, FEWEST_SEEDS
from analysis.statistics.score_arrays import Sample

SUPPORTED, CONTRADICTED, UNDECIDED = "supported", "contradicted", "undecided"


class Measured(NamedTuple):
    """What runs say of one bound of a claim."""

    bound: Bound
    sample: Sample  # one row: the sum for every seed and clip
    estimate: float  # its mean
    low: float  # interval of the mean, not corrected; NaN where there is none
    high: float
    ends: list[EndTests]  # one for each of the bound's ends
    remark: str  # why nothing can be tested, or how many seeds count; else empty

    @property
    def margin(self) -> float:
        """How far inside of the bound the estimate lies; below zero outside."""
        return min(self.estimate - self.bound.low, self.bound.high - self.estimate)


class Verdict(NamedTuple):
    """What the runs say of a claim; where it has several bounds, the estimate is of the weakest."""

    claim: Claim
    answer: str  # `SUPPORTED`, `CONTRADICTED` or `UNDECIDED`
    grid: str  # folder of the grid that it was judged by
    bounds: tuple[Measured, ...]  # all that have to hold
    # Of the whole claim: twice the p of one-sided tests, 1 at most
    p: float  # of its being false; small where it is supported
    p_corrected: float  # by Holm, over the claims of the file
    p_against: float  # of its being true; small where it is contradicted
    p_against_corrected: float  # by Holm, over the claims of the file
    needed: Outlook | None  # what would decide it, where it is undecided

    @property
    def weakest(self) -> Measured:
        """The bound that holds least."""
        return min(self.bounds, key=lambda one: one.margin)

    @property
    def estimate(self) -> float:
        """What was measured, in units of the metric, a change to the better being positive."""
        return self.weakest.estimate

    @property
    def low(self) -> float:
        """Lower end of its interval, which is not corrected; NaN where there is none."""
        return self.weakest.low

    @property
    def high(self) -> float:
        """Upper end of its interval."""
        return self.weakest.high

    @property
    def varies(self) -> str:
        """What it speaks of: ``"clips and seeds"``, or ``"clips"`` for these trained models."""
        few = self.num_seeds < FEWEST_SEEDS
        return CLIPS if few else CLIPS_AND_SEEDS

    @property
    def num_seeds(self) -> int:
        """Seeds that all its cells have: the fewest of its bounds."""
        return min(int(one.sample.values.shape[1]) for one in self.bounds)

    @property
    def num_clips(self) -> int:
        """Clips that all its cells have: the fewest of its bounds."""
        return min(int(one.sample.values.shape[2]) for one in self.bounds)

    @property
    def remark(self) -> str:
        """Why nothing can be tested, or how many seeds count; else empty."""
        return "; ".join(dict.fromkeys(one.remark for one in self.bounds if one.remark))


class Judged(NamedTuple):
    """The claims of a file, judged by the runs of one or several grids."""

    claims: Claims  # of the file
    alpha: float  # that they were judged with
    grids: Mapping[str, Results]  # name of a folder -> its runs
    verdicts: list[Verdict]  # of those that can be judged, in the order of the file
    problems: list[str]  # one or several for each of the others

    @property
    def status(self) -> int:
        """Exit status: 1 where one is contradicted, 4 not judged, 3 undecided, 0 where none is."""
        answers = {verdict.answer for verdict in self.verdicts}
        if CONTRADICTED in answers:
            return 1
        return 4 if self.problems else 3 * (UNDECIDED in answers)
