"""Claims to verdicts: what the runs say of each, and what would decide those that are open."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd

from analysis.claims.claim import Bound, Claim
from analysis.claims.decide import ClaimTests, EndTests, combine, end_tests
from analysis.claims.file import Claims
from analysis.claims.outlook import Outlook, outlook
from analysis.runs.results import Results
from analysis.runs.splits import derived_splits
from analysis.statistics.contrasts import contrast_of
from analysis.statistics.crossed_means import (
    CLIPS,
    CLIPS_AND_SEEDS,
    FEWEST_SEEDS,
    Settings,
    fixed,
    intervals,
    row_means,
)
from analysis.statistics.score_arrays import Sample
from analysis.statistics.significance import NO_SPREAD, ONE_CLIP, holm
from auralsam2.messages import ProblemsError, unknown_name

SUPPORTED, CONTRADICTED, UNDECIDED = "supported", "contradicted", "undecided"


class ClaimsError(ProblemsError):
    """Claims about what the runs have not."""

    source = "claims"


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


def judge(claims: Claims, results: Results, alpha: float | None = None) -> list[Verdict]:
    """Judge claims by the runs of one grid, all of them.

    Args:
        claims: of a file; all of them are one family of Holm's correction.
        results: of the grid that they speak of, whatever its folder is called.
        alpha: in the place of the file's.

    Raises:
        ClaimsError: with all that claims name and the runs have not.
    """
    anywhere = replace(claims, claims=tuple(replace(c, grids="*") for c in claims.claims))
    judged = judge_grids(anywhere, {"": results}, alpha)
    if judged.problems:
        raise ClaimsError(judged.problems, source=f"claims '{claims.path}'")
    return [v._replace(claim=c) for v, c in zip(judged.verdicts, claims.claims, strict=True)]


def judge_grids(claims: Claims, grids: Mapping[str, Results], alpha: float | None = None) -> Judged:
    """Judge those claims that speak of one of several grids, and say what the others lack.

    Claims that cannot be judged count for Holm's correction, so that a verdict stays when they can.

    Args:
        claims: of a file.
        grids: name of a folder -> results.
        alpha: in the place of the file's.
    """
    alpha = claims.alpha if alpha is None else alpha
    settings = Settings(confidence=1 - alpha, alpha=alpha)
    clicked = {name: _with_clicks(results) for name, results in grids.items()}
    measured: list[tuple[Claim, str, tuple[Measured, ...]]] = []
    problems: list[str] = []
    for index, claim in enumerate(claims.claims):
        said: list[str] = []
        if (grid := _grid_of(claim, clicked, said)) is not None:
            bounds = _measure(claim, clicked[grid], settings, said)
            if not said:
                measured.append((claim, grid, bounds))
        problems += [f"claims.{index} ({claim.sentence}): {problem}" for problem in said]
    tests = [combine([end for m in bounds for end in m.ends]) for _, _, bounds in measured]
    verdicts = _decide(measured, tests, len(claims.claims), settings)
    return Judged(claims, alpha, grids, verdicts, problems)


def _decide(
    measured: Sequence[tuple[Claim, str, tuple[Measured, ...]]],
    tests: Sequence[ClaimTests],
    family: int,
    settings: Settings,
) -> list[Verdict]:
    supporting = [float(test.supporting[0]) for test in tests]
    contradicting = [float(test.contradicting[0]) for test in tests]
    rest = [1.0] * (family - len(tests))
    corrected = [holm([*own, *rest]) for own in (supporting, contradicting)]
    decided = [sum(value < settings.alpha for value in own) for own in corrected]
    # What Holm asks of the next smallest p.
    levels = [settings.alpha / max(1, family - number) for number in decided]
    verdicts = []
    for index, (claim, grid, bounds) in enumerate(measured):
        for_it, against = corrected[0][index], corrected[1][index]
        answer = _answer(for_it, against, settings.alpha)
        needed = _needed(bounds, levels) if answer == UNDECIDED else None
        p = supporting[index], for_it, contradicting[index], against
        verdicts.append(Verdict(claim, answer, grid, bounds, *p, needed))
    return verdicts


def _answer(supporting: float, contradicting: float, alpha: float) -> str:
    assert max(supporting, contradicting) >= alpha, (supporting, contradicting)
    if supporting < alpha:
        return SUPPORTED
    return CONTRADICTED if contradicting < alpha else UNDECIDED


def _needed(bounds: Sequence[Measured], levels: Sequence[float]) -> Outlook:
    parts = [(one.sample, one.estimate, one.bound) for one in bounds]
    return outlook(parts, *levels)


def _grid_of(claim: Claim, grids: Mapping[str, Results], problems: list[str]) -> str | None:
    """Return the grid that has what a claim names; None, and why, where none has."""
    own = [name for name in grids if claim.speaks_of(name)]
    if not own:
        asked = claim.grids if isinstance(claim.grids, str) else " or ".join(claim.grids)
        problems.append(f"it is about a grid {asked!r}; there are: {', '.join(map(repr, grids))}")
        return None
    lacking = {name: _lacking(claim, grids[name]) for name in own}
    holding = [name for name in own if not lacking[name]]
    if len(holding) == 1:
        return holding[0]
    if holding:
        listed = ", ".join(map(repr, holding))
        problems.append(f"several grids have its cells ({listed}): say which one (grids=...)")
        return None
    several = len(own) > 1
    for name, said in lacking.items():
        problems += [f"{name}: {problem}" if several else problem for problem in said]
    return None


def _lacking(claim: Claim, results: Results) -> list[str]:
    """Say which cells, splits and metrics a claim names that have no scores."""
    named = dict.fromkeys(key for bound in claim.bounds(1) for key in bound.weights)
    held = results.scores[["cell", "split", "metric"]].drop_duplicates()
    scored = set(held.itertuples(index=False, name=None))
    derived = derived_splits(results)
    splits = [*dict.fromkeys(held["split"]), *derived]
    metrics = list(dict.fromkeys(held["metric"]))
    said: dict[str, None] = {}
    for cell, (split, metric) in named:
        own = [
            unknown_name(kind, name, known)
            for kind, name, known in (
                ("cell with a finished run", cell, results.cells),
                ("split", split, splits),
                ("metric", metric, metrics),
            )
            if name not in known
        ]
        parts = derived[split].parts if split in derived else (split,)
        if not own and not all((cell, part, metric) in scored for part in parts):
            own = [f"{cell!r} has no {metric} on {split}"]
        said |= dict.fromkeys(own)
    return list(said)


def _measure(
    claim: Claim, results: Results, settings: Settings, problems: list[str]
) -> tuple[Measured, ...]:
    scale = results.scale(claim.metric)
    measured = []
    for bound in claim.bounds(1 if scale.higher_is_better else -1):
        sample = contrast_of(results, bound.weights)
        if sample is None:
            problems.append(f"{bound.words}: no seed has scores of the same clips in all of them")
            continue
        least, most = scale.bounds or (-math.inf, math.inf)
        ends = np.concatenate(intervals(sample, settings))
        # No further than the metric can go.
        widest = sum(abs(w) for w in bound.weights.values()) / 2 * (most - least)
        low, high = np.clip(ends, -widest, widest).tolist()
        tests, remark = end_tests(bound, sample, settings), _remark(bound, sample, results)
        mean = float(row_means(sample)[0])
        measured.append(Measured(bound, sample, mean, low, high, tests, remark))
    return tuple(measured)


def _remark(bound: Bound, sample: Sample, results: Results) -> str:
    """Say why nothing can be tested, or that some cells have seeds that others lack."""
    if min(sample.strata) < 2:
        return ONE_CLIP
    if fixed(sample)[0]:
        return NO_SPREAD
    own = results.runs[results.runs["cell"].isin({cell for cell, _ in bound.weights})]
    shared, seeds = sample.values.shape[1], own["seed"].nunique()
    return f"{shared} of {seeds} seeds are in all its cells" if shared < seeds else ""


def _with_clicks(results: Results) -> Results:
    """Return results in which scores after clicks are of splits as all others."""
    if results.clicked.empty:
        return results
    scores = pd.concat([results.scores, results.clicked], ignore_index=True)
    made = dict.fromkeys(map(str, results.clicked["split"]))
    return replace(results, scores=scores, splits=(*results.splits, *made))
