"""How often claims are judged rightly, by simulation with known effects, for every kind of claim.

Cells' scores are mean + seed[s] + clip[c] + rest[s, c], each with draws of the cell's own; what
cells share cancels. Claims that are false may be supported, and those that are true contradicted,
in a share of alpha / 2 each; at a margin's very end both are errors. What is found of claims that
are true should be as often as `power` forecasts.

    python benchmarks/claim_verdicts.py             # every kind, and a family of claims
    python benchmarks/claim_verdicts.py --needed    # do the seeds that are said to decide, decide?
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.claims.claim import Bound, Claim
from analysis.claims.decide import ClaimTests, combine, end_tests
from analysis.claims.kinds import Beats, Equivalent, Interaction, ListensBy, Monotone
from analysis.statistics.crossed_means import Settings
from analysis.statistics.power import Variances, needed, power
from analysis.statistics.score_arrays import Sample
from analysis.statistics.significance import holm

Array = NDArray[Any]
ALPHA = 0.05
SPREAD = (0.01, 0.06, 0.03)
"""Standard deviations of a cell's own seeds, clips and rest."""
MARGIN, STEP = 0.02, 0.04
"""Of the claims, and how far a truth lies from the end of its claim, in units of the metric."""
LEVELS = {"a": 0.0, "b": 0.0, "c": 0.0, "d": 0.0}


class Scenario(NamedTuple):
    """A claim, and what is true."""

    claim: Claim
    truth: Mapping[str, float]  # cell, or cell with its control's split, -> mean

    @property
    def true(self) -> bool | None:
        """Whether the claim is true; None at the very end of a margin."""
        away = [self.inside(bound) for bound in self.claim.bounds(1)]
        return None if abs(min(away)) < 1e-9 else min(away) > 0

    def mean(self, bound: Bound) -> float:
        """The true value of a bound's sum."""
        return sum(w * self.truth[_name(*key)] for key, w in bound.weights.items())

    def inside(self, bound: Bound) -> float:
        """How far the true value lies inside of a bound."""
        return min(self.mean(bound) - bound.low, bound.high - self.mean(bound))


def scenarios() -> Iterator[tuple[str, Scenario]]:
    """Yield every kind of claim, true, false, and at the end of its margin."""
    two = dict(sentence="", cell="a", other="b")
    for words, effect in (("true", STEP), ("at the end", 0.0), ("false", -STEP)):
        truth = {**LEVELS, "a": MARGIN + effect}
        yield f"Beats, {words}", Scenario(Beats(by=MARGIN, **two), truth)
    for words, effect in (("true", 0.0), ("at the end", 2 * MARGIN), ("false", 2 * MARGIN + STEP)):
        yield (
            f"Equivalent, {words}",
            Scenario(Equivalent(within=2 * MARGIN, **two), {**LEVELS, "a": effect}),
        )
    axis = Monotone(sentence="", cells=list("abcd"))
    for words, steps in (
        ("true", (STEP, STEP, STEP)),
        ("one step level", (STEP, 0.0, STEP)),
        ("all steps level", (0.0, 0.0, 0.0)),
        ("false", (STEP, -STEP, STEP)),
    ):
        truth = dict(zip("abcd", np.cumsum((0.0, *steps)).tolist(), strict=True))
        yield f"Monotone, {words}", Scenario(axis, truth)
    axes = Interaction(sentence="", both="a", first="b", second="c", neither="d", by=MARGIN)
    for words, effect in (("true", STEP), ("at the end", 0.0), ("false", -STEP)):
        truth = {"a": 0.1 + MARGIN + effect, "b": 0.05, "c": 0.05, "d": 0.0}
        yield f"Interaction, {words}", Scenario(axes, truth)
    listens = ListensBy(sentence="", cell="a", by=MARGIN)
    for words, effect in (("true", STEP), ("at the end", 0.0), ("false", -STEP)):
        truth = {"a": 0.0, "a test_audio_swapped": -MARGIN - effect}
        yield f"ListensBy, {words}", Scenario(listens, truth)


def judged(scenario: Scenario, size: tuple[int, int, int], rng: np.random.Generator) -> ClaimTests:
    """Simulate a scenario; ``size`` is (experiments, seeds, clips).

    One seed does not vary: what it says is of these trained models.
    """
    scores = {name: mean + _draws(size, rng) for name, mean in scenario.truth.items()}
    tests = []
    for bound in scenario.claim.bounds(1):
        values = sum(w * scores[_name(*key)] for key, w in bound.weights.items())
        tests += end_tests(bound, Sample(np.asarray(values), (size[2],)), Settings(alpha=ALPHA))
    return combine(tests)


def forecast(scenario: Scenario, seeds: int, clips: int) -> tuple[float, float]:
    """Return the least and the most that a true claim should be supported.

    All its tests have to find their effects: no more often than the weakest one, and no less often
    than if no two ever failed together.
    """
    found = [
        power(_variances(bound), abs(scenario.mean(bound) - end), seeds, clips, ALPHA)
        for bound in scenario.claim.bounds(1)
        for end in bound.ends
    ]
    return max(0.0, 1 - sum(1 - one for one in found)), min(found)


def family(
    size: tuple[int, int, int], rng: np.random.Generator, num_claims: int = 8
) -> tuple[float, float]:
    """Return how often any claim of a file is judged wrongly, and how often a true one is found.

    All compare a cell with the same reference, so that they hang together; every second is false,
    half of those at the very end of its margin.
    """
    settings = Settings(alpha=ALPHA)
    reference = _draws(size, rng)
    effects = [(0.06, 0.0, 0.06, -0.03)[index % 4] for index in range(num_claims)]
    found = []
    for effect in effects:
        sample = Sample(effect + _draws(size, rng) - reference, (size[2],))
        found.append(combine(end_tests(Bound("", {}, low=0.0), sample, settings)))
    wrong = np.zeros(size[0], bool)
    right = np.zeros(size[0])
    for k in range(size[0]):
        supporting = np.array(holm([float(test.supporting[k]) for test in found])) < ALPHA
        against = np.array(holm([float(t.contradicting[k]) for t in found])) < ALPHA
        true, false = np.array(effects) > 0, np.array(effects) < 0
        at_the_end = ~true & ~false
        wrong[k] = (supporting & ~true).any() or (against & (true | at_the_end)).any()
        right[k] = (supporting & true).sum() / true.sum()
    return float(wrong.mean()), float(right.mean())


def _name(cell: str, column: tuple[str, str]) -> str:
    return cell if column[0] == "test" else f"{cell} {column[0]}"


def _draws(size: tuple[int, int, int], rng: np.random.Generator) -> Array:
    experiments, seeds, clips = size
    by_seed, by_clip, rest = SPREAD
    values: Array = (by_seed if seeds > 1 else 0.0) * rng.normal(size=(experiments, seeds, 1))
    values = values + by_clip * rng.normal(size=(experiments, 1, clips))
    return values + rest * rng.normal(size=size)


def _variances(bound: Bound) -> Variances:
    squares = sum(weight**2 for weight in bound.weights.values())
    seed, clip, rest = (squares * own**2 for own in SPREAD)
    return Variances(seed, clip, rest)


def _verdicts(sizes: list[tuple[int, int]], experiments: int) -> None:
    _header("claim", "seeds", "clips", "supported", "forecast", "contradicted")
    for words, scenario in scenarios():
        for seeds, clips in sizes:
            found = judged(scenario, (experiments, seeds, clips), np.random.default_rng(0))
            supported, contradicted = ((p < ALPHA).mean() for p in found)
            low, high = forecast(scenario, seeds, clips)
            expected = f"{low:.3f}" if high - low < 5e-4 else f"{low:.3f} to {high:.3f}"
            expected = expected if scenario.true else ""
            shares = f"{supported:.3f} | {expected} | {contradicted:.3f}"
            print(f"| {words} | {seeds} | {clips} | {shares} |")
    print()
    _header("claims of a file", "seeds", "clips", "any wrong", "true ones found")
    for seeds, clips in sizes:
        wrong, right = family((experiments, seeds, clips), np.random.default_rng(1))
        print(f"| 8 | {seeds} | {clips} | {wrong:.3f} | {right:.3f} |")


def _needed(experiments: int) -> None:
    _header("effect", "clips", "seeds said", "decided with them", "with one fewer")
    claim = Beats(sentence="", cell="a", other="b")
    for effect in (0.02, 0.03, 0.05):
        for clips in (60, 200):
            scenario = Scenario(claim, {**LEVELS, "a": effect})
            said = needed(_variances(claim.bounds(1)[0]), effect, 2, clips, ALPHA).seeds
            if said is None:
                print(f"| {effect} | {clips} | none | | |")
                continue
            shares = []
            for seeds in (said, max(2, said - 1)):
                size = (experiments, seeds, clips)
                found = judged(scenario, size, np.random.default_rng(2))
                shares.append((found.supporting < ALPHA).mean())
            print(f"| {effect} | {clips} | {said} | {shares[0]:.3f} | {shares[1]:.3f} |")


def _header(*names: str) -> None:
    print(f"| {' | '.join(names)} |\n|{'---|' * len(names)}")


def main() -> None:
    """Print tables in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--needed", action="store_true", help="seeds that are said to decide")
    parser.add_argument("--experiments", type=int, default=4000, help="a line (default: 4000)")
    options = parser.parse_args()
    if options.needed:
        _needed(options.experiments)
    else:
        _verdicts([(1, 60), (2, 60), (3, 60), (5, 60), (5, 200)], options.experiments)


if __name__ == "__main__":
    main()
