"""What a table shows of the splits: those derived from others, and which metric means what."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd

from analysis.results import Results, seed_means


class DerivedSplit(NamedTuple):
    """A split made of others.

    Attributes:
        parts: names of the splits.
        weighting: ``"clips"``, the mean over the clips of all parts together, or ``"splits"``,
            the mean of the parts' own means.
    """

    parts: tuple[str, ...]
    weighting: str = "clips"

    def __str__(self) -> str:
        """Say what it is, for a footnote."""
        names = " and ".join(self.parts)
        if self.weighting == "clips":
            return f"mean over the clips of {names} together"
        return f"mean of {names}"


DERIVED = {"mix": DerivedSplit(("test_s", "test_u"), weighting="splits")}
"""Ref-AVS: seen and unseen objects, each counting half, as the benchmark's tables have it."""

NULL_SPLITS = frozenset({"test_n"})
"""Splits in which nothing is to be segmented."""

NULL_METRICS = frozenset({"S"})
"""Metrics of null splits, where J and F mean nothing; lower is better. Elsewhere they mean nothing
themselves: what is segmented there may be right."""


def derived_splits(results: Results) -> dict[str, DerivedSplit]:
    """Return the derived splits whose parts the results have, and no split of their name."""
    return {
        name: derived
        for name, derived in DERIVED.items()
        if set(derived.parts) <= set(results.splits) and name not in results.splits
    }


def table_means(results: Results) -> pd.DataFrame:
    """Average over the clips of each seed, derived splits included.

    Returns:
        Columns cell, seed, split, metric, value; a derived split has a row for every run and
        metric that all its parts have.
    """
    keys = ["cell", "seed", "split", "metric"]
    means = seed_means(results.scores)
    counts = results.scores.groupby(keys, sort=False)["value"].count().rename("weight")
    weighted = means.join(counts, on=keys)
    made = [_derive(name, split, weighted) for name, split in derived_splits(results).items()]
    return pd.concat([means, *made], ignore_index=True)


def table_columns(results: Results) -> list[tuple[str, str]]:
    """Return (split, metric) of what a table shows, in order; `table_means` has more.

    A derived split stands behind the last of its parts. Null splits show their metrics alone, and
    no other split shows these, unless a split would show nothing at all.
    """
    splits = list(results.splits)
    for name, derived in derived_splits(results).items():
        splits.insert(1 + max(splits.index(part) for part in derived.parts), name)
    held = set(table_means(results)[["split", "metric"]].itertuples(index=False, name=None))
    columns = []
    for split in splits:
        own = [metric for metric in results.metrics if (split, metric) in held]
        shown = [metric for metric in own if (metric in NULL_METRICS) == (split in NULL_SPLITS)]
        columns += [(split, metric) for metric in shown or own]
    return columns


def lower_is_better(metric: str) -> bool:
    """Return whether the lowest mean of a metric is the best."""
    return metric in NULL_METRICS


def _derive(name: str, derived: DerivedSplit, means: pd.DataFrame) -> pd.DataFrame:
    rows = means[means["split"].isin(derived.parts)].dropna(subset=["value"])
    if derived.weighting == "splits":
        rows = rows.assign(weight=1)
    rows = rows.assign(product=rows["value"] * rows["weight"])
    grouped = rows.groupby(["cell", "seed", "metric"], sort=False)
    sums = grouped[["product", "weight"]].sum()
    sums = sums[grouped["split"].nunique() == len(derived.parts)].reset_index()
    value = sums["product"] / sums["weight"]
    return sums.assign(split=name, value=value)[["cell", "seed", "split", "metric", "value"]]
