"""Claims to verdicts: what the runs say of each, and what would decide those that are open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from analysis.claims.claim import Claim
from analysis.claims.decide import ClaimTests, combine
from analysis.claims.file import Claims
from analysis.claims.measure import grid_of, measure
from analysis.claims.outlook import outlook
from analysis.claims.verdict import (
    CONTRADICTED,
    SUPPORTED,
    UNDECIDED,
    Judged,
    Measured,
    Verdict,
)
from analysis.runs.clicks import with_clicks
from analysis.runs.results import Results
from analysis.statistics.crossed_means import Settings
from analysis.statistics.significance import holm
from auralsam2.messages import ProblemsError


class ClaimsError(ProblemsError):
    """Claims about what the runs have not."""

    source = "claims"


def judge(claims: Claims, results: Results, alpha: float | None = None) -> list[Verdict]:
    """Judge all claims of a file by the runs of one grid, whatever its folder is called.

    ``alpha`` is in the place of the file's.

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

    All claims of the file are one family of Holm's correction, those that cannot be judged, too, so
    that a verdict stays when they can.

    Args:
        claims: of a file.
        grids: name of a folder -> results.
        alpha: in the place of the file's.

    Raises:
        ValueError: for an ``alpha`` by which claims could be true and false at once.
    """
    alpha = claims.alpha if alpha is None else alpha
    if not 0 < alpha < 0.5:
        raise ValueError(f"alpha: got {alpha:g}, wanted a number between 0 and 0.5")
    settings = Settings(confidence=1 - alpha, alpha=alpha)
    clicked = {name: with_clicks(results) for name, results in grids.items()}
    measured: list[tuple[Claim, str, tuple[Measured, ...]]] = []
    problems: list[str] = []
    for index, claim in enumerate(claims.claims):
        said: list[str] = []
        if (grid := grid_of(claim, clicked, said)) is not None:
            bounds = measure(claim, clicked[grid], settings, said)
            if not said:
                measured.append((claim, grid, bounds))
        problems += [f"claims.{index} ({claim.sentence}): {problem}" for problem in said]
    tests = [combine([end for m in bounds for end in m.ends]) for _, _, bounds in measured]
    verdicts = _decide(measured, tests, claims.family, settings)
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
        parts = [(one.sample, one.estimate, one.bound) for one in bounds]
        needed = outlook(parts, *levels) if answer == UNDECIDED else None
        p = supporting[index], for_it, contradicting[index], against
        verdicts.append(Verdict(claim, answer, grid, bounds, *p, needed))
    return verdicts


def _answer(supporting: float, contradicting: float, alpha: float) -> str:
    assert max(supporting, contradicting) >= alpha, (supporting, contradicting)
    if supporting < alpha:
        return SUPPORTED
    return CONTRADICTED if contradicting < alpha else UNDECIDED
