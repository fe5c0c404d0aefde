"""How many more seeds or clips would decide a claim, if what was measured were the truth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from analysis.claims.claim import Bound
from analysis.statistics.crossed_means import FEWEST_SEEDS
from analysis.statistics.power import MOST_CLIPS, MOST_SEEDS, needed, variances
from analysis.statistics.score_arrays import Sample

POWER = 0.8
"""How often as many seeds or clips would decide the claim."""


class Outlook(NamedTuple):
    """What would decide a claim; numbers count all, those that are there included."""

    towards: str  # "for" the claim or "against" it, whichever the estimates say
    # With the clips that there are; None where no number would do, or one seed does not tell
    seeds: int | None
    clips: int | None  # with the seeds that there are; likewise
    text: str  # in words


_Test = tuple[Sample, float]
"""A test that has to find an effect: how far the estimate is from the end that is tested."""


def outlook(
    parts: Sequence[tuple[Sample, float, Bound]], supporting: float, contradicting: float
) -> Outlook:
    """Return what would decide a claim.

    Where all estimates lie inside of their bounds, every end of every bound has to be left behind:
    each in so many repetitions that all are in a share `POWER` of them. Where one lies outside, the
    one furthest out has to be found.

    Args:
        parts: sample, its mean and the bound on it, for each bound of the claim.
        supporting: level of the tests for the claim.
        contradicting: level of the tests against it.
    """
    tests = [
        (sample, mean - end if end == bound.low else end - mean)
        for sample, mean, bound in parts
        for end in bound.ends
    ]
    worst = min(tests, key=lambda test: test[1])
    if worst[1] > 0:
        share = 1 - (1 - POWER) / len(tests)
        return _of(tests, supporting, share, "for")
    return _of([worst], contradicting / len(tests), POWER, "against")


def _of(tests: Sequence[_Test], level: float, share: float, towards: str) -> Outlook:
    measured = [variances(sample) for sample, _ in tests]
    sizes = [sample.values.shape[1:] for sample, _ in tests]
    found = [
        needed(own, effect, seeds, clips, level, share)
        for own, (_, effect), (seeds, clips) in zip(measured, tests, sizes, strict=True)
    ]
    held_seeds, held_clips = map(min, zip(*sizes, strict=True))
    seeds = _largest([one.seeds for one in found])
    clips = _largest([one.clips for one in found])
    by_seeds = _more(seeds, held_seeds, "seed")
    by_clips = _more(clips, held_clips, "clip")
    if not all(own.known for own in measured):
        text = "what it would take is not known"
    elif held_seeds < FEWEST_SEEDS:
        text = f"{by_clips}, for these trained models; of others one seed says nothing"
    elif seeds is None and clips is None:
        text = (
            f"neither seeds alone (up to {MOST_SEEDS}) nor clips alone (up to {MOST_CLIPS}) would"
        )
    elif seeds is None or clips is None:
        text = (
            f"{by_clips}; seeds alone would not" if clips else f"{by_seeds}; clips alone would not"
        )
    else:
        text = f"{by_seeds}, or {by_clips}"
    return Outlook(towards, seeds, clips, f"{towards} it: {text}")


def _largest(numbers: Sequence[int | None]) -> int | None:
    known = [number for number in numbers if number is not None]
    return max(known) if len(known) == len(numbers) else None


def _more(total: int | None, held: int, what: str) -> str:
    if total is None:
        return f"no number of {what}s"
    more = max(1, total - held)
    return f"{more} more {what}{'s' * (more != 1)} ({held + more} in all)"
