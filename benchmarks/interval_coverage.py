"""How often intervals cover the truth and tests cry wolf, by simulation with known effects.

Rows are experiments in which the true difference is zero: d[s, c] = seed[s] + clip[c] + rest[s, c],
with 60 clips. Where the variance of the mean lies is varied. Shares of 0.95 and 0.05 are wanted.

    python benchmarks/interval_coverage.py
"""

from __future__ import annotations

import argparse

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from analysis.crossed_tests import p_values
from analysis.resampling import Settings, bca_interval
from analysis.score_arrays import Sample

NUM_CLIPS = 60
# Standard deviations of the mean over seeds and clips: by seeds, by clips, by the rest.
SPREADS = {
    "seeds": (0.010, 0.003, 0.003),
    "seeds and clips": (0.008, 0.008, 0.003),
    "clips": (0.001, 0.010, 0.003),
    "the rest": (0.001, 0.001, 0.010),
}


def simulate(
    num_seeds: int, spreads: tuple[float, float, float], num_rows: int, rng: np.random.Generator
) -> Sample:
    """Draw rows whose true mean is zero."""
    by_seed, by_clip, rest = spreads
    values: NDArray[np.float64] = (
        rng.normal(0, by_seed * num_seeds**0.5, (num_rows, num_seeds, 1))
        + rng.normal(0, by_clip * NUM_CLIPS**0.5, (num_rows, 1, NUM_CLIPS))
        + rng.normal(0, rest * (num_seeds * NUM_CLIPS) ** 0.5, (num_rows, num_seeds, NUM_CLIPS))
    )
    return Sample(values, (NUM_CLIPS,))


def measure(sample: Sample, settings: Settings) -> dict[str, float]:
    """Return the shares of rows whose interval covers zero and whose test rejects it."""
    num_seeds = sample.values.shape[1]
    low, high = bca_interval(sample, settings)
    merged = Sample(sample.values.mean(1, keepdims=True), sample.strata)
    clips_low, clips_high = bca_interval(merged, settings)
    by_seed = sample.values.mean(2)
    shares = {
        "interval covers": np.mean((low <= 0) & (high >= 0)),
        "test rejects": np.mean(p_values(sample, settings) < settings.alpha),
        "clips alone would cover": np.mean((clips_low <= 0) & (clips_high >= 0)),
    }
    if num_seeds > 1:
        alone = stats.ttest_1samp(by_seed, 0, axis=1).pvalue
        shares["t-test of seed means rejects"] = np.mean(alone < settings.alpha)
    return {name: float(share) for name, share in shares.items()}


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=2000, help="simulated experiments of each kind")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5, 10])
    options = parser.parse_args()
    settings = Settings(num_resamples=1999)
    rng = np.random.default_rng(0)
    columns = ["interval covers", "test rejects", "clips alone would cover"]
    columns.append("t-test of seed means rejects")
    print("| seeds | spread lies in | " + " | ".join(columns) + " |")
    print("|" + "---|" * (len(columns) + 2))
    for num_seeds in options.seeds:
        for name, spreads in SPREADS.items():
            found = measure(simulate(num_seeds, spreads, options.rows, rng), settings)
            shown = [f"{found[column]:.3f}" if column in found else "–" for column in columns]
            print(f"| {num_seeds} | {name} | " + " | ".join(shown) + " |", flush=True)


if __name__ == "__main__":
    main()
