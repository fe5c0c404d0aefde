"""How often intervals cover the truth, by simulation with known effects, against rival intervals.

Rows are experiments d[s, c] = seed[s] + clip[c] + rest[s, c] whose true mean is zero. Varied are
the numbers of seeds and clips, where the variance of the mean lies, and how it is distributed. A
share of 0.95 is wanted.

    python benchmarks/interval_coverage.py              # the worst cases of our interval
    python benchmarks/interval_coverage.py --rivals     # the same experiments, other intervals
    python benchmarks/interval_coverage.py --bounded    # means of scores near the ends of [0, 1]
    python benchmarks/interval_coverage.py --power      # how often a difference is found
    python benchmarks/interval_coverage.py --levels     # how often none is, at levels of Holm's
    python benchmarks/interval_coverage.py --forecasts  # power as forecast, and from a pilot
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from analysis.statistics.crossed_means import (
    CLIPS,
    Settings,
    critical_values,
    intervals,
    p_values,
    row_means,
    spread,
)
from analysis.statistics.power import Variances, detectable, needed, row_variances
from analysis.statistics.power import power as power_of
from analysis.statistics.score_arrays import Sample
from auralsam2.command_line import Parser

Array = NDArray[Any]
Interval = Callable[[Sample], tuple[Array, Array]]
Draw = Callable[[np.random.Generator, tuple[int, ...]], Array]
SPREADS = {
    "seeds alone": (0.010, 0.0, 0.0),
    "seeds": (0.010, 0.003, 0.003),
    "seeds and clips": (0.008, 0.008, 0.003),
    "clips": (0.001, 0.010, 0.003),
    "clips alone": (0.0, 0.010, 0.0),
    "the rest": (0.001, 0.001, 0.010),
    "all": (0.006, 0.006, 0.006),
}
"""Standard deviations of the mean over seeds and clips: by seeds, by clips, by the rest."""

SHAPES: dict[str, tuple[Draw, Draw]] = {
    "normal": (lambda rng, size: rng.normal(size=size),) * 2,
    "heavy tails": (lambda rng, size: rng.standard_t(3, size) / 3**0.5,) * 2,
    "skewed clips": (
        lambda rng, size: rng.normal(size=size),
        lambda rng, size: rng.exponential(size=size) - 1,
    ),
    "one seed in ten fails": (
        lambda rng, size: np.where(rng.random(size) < 0.1, -3.0, 1 / 3),
        lambda rng, size: rng.normal(size=size),
    ),
}
"""Name -> unit draws of seeds, and of clips and rest."""

ONE_SEED = ("clips alone", "the rest")
"""What an interval of one seed speaks of."""


def simulate(
    shape: str, spreads: tuple[float, ...], size: tuple[int, int, int], rng: np.random.Generator
) -> Sample:
    """Draw rows whose true mean is zero; ``size`` is (rows, seeds, clips)."""
    rows, seeds, clips = size
    of_seed, of_clip = SHAPES[shape]
    by_seed, by_clip, rest = spreads
    values = of_seed(rng, (rows, seeds, 1)) * by_seed * seeds**0.5
    values = values + of_clip(rng, (rows, 1, clips)) * by_clip * clips**0.5
    if rest:
        values = values + of_clip(rng, size) * rest * (seeds * clips) ** 0.5
    return Sample(np.broadcast_to(values, size).copy(), (clips,))


def ours(sample: Sample) -> tuple[Array, Array]:
    """The interval of tables."""
    return intervals(sample, Settings())


def clips_alone(sample: Sample) -> tuple[Array, Array]:
    """That of `Settings.over` clips."""
    return intervals(sample, Settings(over=CLIPS))


def satterthwaite(sample: Sample) -> tuple[Array, Array]:
    """Student's quantile at the degrees of freedom of the same standard error."""
    found = spread(sample, Settings())
    half = stats.t.isf(0.025, found.df) * found.standard_error
    return row_means(sample) - half, row_means(sample) + half


def fewest_df(sample: Sample) -> tuple[Array, Array]:
    """Two-way clustered error with the fewer degrees of freedom (Cameron, Gelbach, Miller 2011)."""
    _, seeds, clips = sample.values.shape
    half = stats.t.isf(0.025, min(seeds, clips) - 1) * spread(sample, Settings()).standard_error
    return row_means(sample) - half, row_means(sample) + half


def _bootstrap(sample: Sample, method: str) -> tuple[Array, Array]:
    """Seeds and clips drawn apart, deviations of seeds stretched (Owen 2007; Rao and Wu 1988)."""
    mean = sample.values.mean(1, keepdims=True)
    _, seeds, clips = sample.values.shape
    stretched = mean + np.sqrt(seeds / (seeds - 1)) * (sample.values - mean)

    def statistic(by_seed: Array, by_clip: Array, axis: int) -> Array:
        shares = [
            np.stack([(drawn == i).mean(-1) for i in range(size)], -1)
            for drawn, size in ((by_seed, seeds), (by_clip, clips))
        ]
        batch = np.broadcast_shapes(*(share.shape[:-1] for share in shares))
        flat = [np.broadcast_to(s, (*batch, s.shape[-1])).reshape(-1, s.shape[-1]) for s in shares]
        means = np.einsum("rs,ksc,rc->kr", flat[0], stretched, flat[1], optimize=True)
        return means.reshape(len(stretched), *batch)

    found = stats.bootstrap(
        [np.arange(seeds), np.arange(clips)],
        statistic,
        method=method,
        vectorized=True,
        axis=-1,
        n_resamples=999,
        batch=333,
        rng=np.random.default_rng(0),
    )
    return found.confidence_interval.low, found.confidence_interval.high


def studentised(sample: Sample) -> tuple[Array, Array]:
    """Quantiles of the resampled t in the place of Student's."""
    rng = np.random.default_rng(0)
    mean, error = row_means(sample), spread(sample, Settings()).standard_error
    _, seeds, clips = sample.values.shape
    ratios = []
    for _ in range(299):
        drawn = sample.values[:, rng.integers(seeds, size=seeds)]
        again = Sample(drawn[:, :, rng.integers(clips, size=clips)], sample.strata)
        ratios.append((row_means(again) - mean) / spread(again, Settings()).standard_error)
    low, high = np.nanquantile(np.stack(ratios), (0.025, 0.975), axis=0)
    return mean - high * error, mean - low * error


RIVALS: dict[str, Interval] = {
    "ours": ours,
    "Satterthwaite": satterthwaite,
    "fewest df": fewest_df,
    "percentile": lambda sample: _bootstrap(sample, "percentile"),
    "BCa": lambda sample: _bootstrap(sample, "BCa"),
    "studentised": studentised,
    "clips alone": clips_alone,
}


def covers(found: tuple[Array, Array], truth: float = 0.0) -> float:
    """Return the share of intervals that hold the truth; one that is unknown does not."""
    low, high = found
    return float(np.mean((low <= truth) & (truth <= high)))


def worst_cases(rows: int, rng: np.random.Generator) -> Iterator[list[str]]:
    """Yield for seeds and shapes the least coverage by clips, where it is, the most, the width."""
    for seeds, shape in product((1, 2, 3, 4, 5, 10), SHAPES):
        if seeds == 1 and "seed" in shape:
            continue
        found = {}
        for clips, (kind, spreads) in product((10, 30, 100, 700), SPREADS.items()):
            if seeds == 1 and kind not in ONE_SEED:
                continue
            # As many numbers whatever the clips, but never too few rows.
            size = (max(1000, rows if clips <= 100 else rows // 5), seeds, clips)
            low, high = ours(simulate(shape, spreads, size, rng))
            width = np.nanmean(high - low) / (2 * 1.96 * sum(s**2 for s in spreads) ** 0.5)
            found[clips, kind] = covers((low, high)), float(width)
        least = {
            n: min((share, kind) for (of, kind), (share, _) in found.items() if of == n)
            for n in (10, 30, 100, 700)
        }
        share, kind = min(least.values())
        widest = max(width for _, width in found.values())
        shown = [f"{least[clips][0]:.3f}" for clips in least]
        most = max(share for share, _ in found.values())
        yield [f"{seeds}", shape, *shown, kind, f"{most:.3f}", f"{widest:.1f}"]


def rivals(rows: int, rng: np.random.Generator) -> Iterator[list[str]]:
    """Yield for seeds and spreads what each interval covers, of 30 clips and normal draws."""
    for seeds, (kind, spreads) in product((2, 3, 4, 5, 10), SPREADS.items()):
        sample = simulate("normal", spreads, (rows, seeds, 30), rng)
        with np.errstate(all="ignore"):
            shown = [f"{covers(interval(sample)):.3f}" for interval in RIVALS.values()]
        yield [f"{seeds}", kind, *shown]


def bounded_scores(level: float, size: tuple[int, int, int], rng: np.random.Generator) -> Array:
    """Draw (rows, seeds, clips) scores in [0, 1]; of a single seed nothing but clips vary."""
    rows, seeds, clips = size
    share = np.clip(rng.beta(level * 3, (1 - level) * 3, (rows, 1, clips)), 1e-9, 1 - 1e-9)
    shifts = rng.normal(0, 0.3, size)
    if seeds > 1:
        shifts = shifts + rng.normal(0, 0.2, (rows, seeds, 1))
    scores: Array = 1 / (1 + np.exp(-np.log(share / (1 - share)) - shifts))
    return scores


def bounded(rows: int, rng: np.random.Generator) -> Iterator[list[str]]:
    """Yield what intervals of a mean near an end cover, with and without knowing the ends."""
    for level, seeds, clips in product((0.80, 0.95, 0.98), (1, 3, 5), (10, 30, 100, 700)):
        size = (rows if clips <= 100 else rows // 5, seeds, clips)
        truth = float(bounded_scores(level, (1, 1 if seeds == 1 else 400, 20_000), rng).mean())
        sample = Sample(bounded_scores(level, size, rng), (clips,))
        ends = {"low": np.zeros(size[0]), "high": np.ones(size[0])}
        inside, plain = intervals(sample, Settings(), **ends), ours(sample)
        outside = np.mean((plain[0] < 0) | (plain[1] > 1))
        shown = [covers(inside, truth), covers(plain, truth), float(outside)]
        yield [f"{level:.2f}", f"{seeds}", f"{clips}", *(f"{share:.3f}" for share in shown)]


POWER_SIZES = (1, 2, 3, 5, 10)


def power(rows: int, rng: np.random.Generator) -> Iterator[list[str]]:
    """Yield how often differences are found where seeds alone vary, by one in each cell."""
    for seeds in (2, 3, 4, 5, 10):
        # Two cells differ by the root of two more than each of them, from seed to seed.
        spreads = ((2 / seeds) ** 0.5, 0.0, 0.0)
        shown = []
        for size in POWER_SIZES:
            sample = simulate("normal", spreads, (rows, seeds, 100), rng)
            found = p_values(Sample(sample.values + size, sample.strata), Settings()) < 0.05
            shown.append(f"{found.mean():.2f}")
        yield [f"{seeds}", *shown]


LEVELS = (0.05, 0.01, 0.005, 0.001)
CLIP_SHARES = (0.0, 0.1, 0.2, 0.5, 1.0)
"""Standard deviations of the mean by clips where that by seeds is one: the worst lie between."""


def levels(rows: int, rng: np.random.Generator) -> Iterator[list[str]]:
    """Yield how often a test rejects that two equal cells are equal, for the worst of shares."""
    for seeds in (2, 3, 5, 10):
        rates = []
        for share in CLIP_SHARES:
            sample = simulate("normal", (1.0, share, 0.0), (10 * rows, seeds, 30), rng)
            found = spread(sample, Settings())
            reached = np.abs(row_means(sample)) / found.standard_error
            rates.append([np.mean(reached > critical_values(found, level)) for level in LEVELS])
        yield [f"{seeds}", *(f"{rate:.4f}" for rate in np.max(rates, axis=0))]


def forecasts(rows: int, rng: np.random.Generator) -> Iterator[list[str]]:
    """Yield how often differences are found that are forecast to be in 80 % of repetitions.

    With the true variances, the least and the most over where the spread lies. Then from pilots of
    as many seeds: seeds that they ask for (quartiles), where the truth asks for ten, and how often
    so many find the difference.
    """
    for seeds in (2, 3, 5, 10):
        shares = []
        for spreads in SPREADS.values():
            truth = Variances(*(s**2 * n for s, n in zip(spreads, (seeds, 30, seeds * 30))))
            effect = detectable(truth, seeds, 30, 0.05)
            sample = simulate("normal", spreads, (rows, seeds, 30), rng)
            found = p_values(Sample(sample.values + effect, sample.strata), Settings()) < 0.05
            shares.append(found.mean())
        truth, by_seed = Variances(1.0, 1.0, 1.0), seeds**-0.5
        effect = detectable(truth, 10, 30, 0.05)
        pilot = simulate("normal", (by_seed, 30**-0.5, by_seed * 30**-0.5), (400, seeds, 30), rng)
        asked = [needed(own, effect, seeds, 30, 0.05).seeds for own in row_variances(pilot)]
        enough = [1.0 if n is None else power_of(truth, effect, n, 30, 0.05) for n in asked]
        low, middle, high = np.quantile(
            [1000 if n is None else n for n in asked], (0.25, 0.5, 0.75)
        )
        yield [
            f"{seeds}",
            f"{min(shares):.3f} to {max(shares):.3f}",
            f"{low:.0f}, {middle:.0f}, {high:.0f}",
            f"{np.mean(enough):.2f}",
        ]


def main() -> None:
    """Print a Markdown table."""
    parser = Parser(__doc__)
    parser.add_argument("--rows", type=int, default=4000, help="experiments of each kind")
    parser.add_argument("--rivals", action="store_true", help="other intervals, 1/4 of the rows")
    parser.add_argument("--bounded", action="store_true", help="means of scores in [0, 1]")
    parser.add_argument("--power", action="store_true", help="share of differences that are found")
    parser.add_argument("--levels", action="store_true", help="false findings at small levels")
    parser.add_argument("--forecasts", action="store_true", help="power as forecast")
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    if options.rivals:
        columns, lines = ["seeds", "spread lies in", *RIVALS], rivals(options.rows // 4, rng)
    elif options.power:
        columns = ["seeds", *(f"difference {size}" for size in POWER_SIZES)]
        lines = power(options.rows, rng)
    elif options.forecasts:
        columns = ["seeds", "found, of 0.80", "seeds that a pilot asks for, of 10", "found then"]
        lines = forecasts(options.rows, rng)
    elif options.levels:
        columns = ["seeds", *(f"level {level}" for level in LEVELS)]
        lines = levels(options.rows, rng)
    elif options.bounded:
        columns = ["mean", "seeds", "clips", "covers", "plain covers", "plain leaves [0, 1]"]
        lines = bounded(options.rows, rng)
    else:
        columns = ["seeds", "draws", *(f"least, {n} clips" for n in (10, 30, 100, 700))]
        columns += ["worst where spread lies in", "most", "widest"]
        lines = worst_cases(options.rows, rng)
    print("| " + " | ".join(columns) + " |\n|" + "---|" * len(columns))
    for line in lines:
        print("| " + " | ".join(line) + " |", flush=True)


if __name__ == "__main__":
    main()
