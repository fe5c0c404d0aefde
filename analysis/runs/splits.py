"""What a table shows: splits, those made of others, and metrics that ask something there."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd

from analysis.runs.controls import MUTE_KINDS, base_split, is_control, parse_control
from analysis.runs.results import Results
from auralsam2.engine.metric_scales import AREA, NULL


class DerivedSplit(NamedTuple):
    """A split made of others."""

    parts: tuple[str, ...]  # names of the splits
    # ``"clips"``, the mean over the clips of all parts together, or ``"splits"``, the mean of the
    # parts' own means.
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


def derived_splits(results: Results) -> dict[str, DerivedSplit]:
    """Return the derived splits whose parts the results have, and no split of their name.

    A derived split has the controls, and the numbers of clicks, that all its parts have.
    """
    ends = [split.removeprefix(base_split(split)) for split in results.splits]
    made = {}
    for name, derived in DERIVED.items():
        for end in dict.fromkeys(["", *ends]):
            parts = tuple(f"{part}{end}" for part in derived.parts)
            if set(parts) <= set(results.splits) and f"{name}{end}" not in results.splits:
                made[f"{name}{end}"] = derived._replace(parts=parts)
    return made


def table_means(results: Results) -> pd.DataFrame:
    """Average over the clips of each seed, derived splits included.

    Returns:
        Columns cell, seed, split, metric, value, num_clips (with a number); a derived split has a
        row for every run and metric that all its parts have.
    """
    keys = ["cell", "seed", "split", "metric"]
    grouped = results.scores.groupby(keys, sort=False)["value"]
    means = grouped.agg(value="mean", num_clips="count").reset_index()
    made = [_derive(name, split, means) for name, split in derived_splits(results).items()]
    return pd.concat([means, *made], ignore_index=True)


def table_columns(results: Results, means: pd.DataFrame | None = None) -> list[tuple[str, str]]:
    """Return (split, metric) of what a table shows, in order; `table_means` has more.

    A derived split stands behind the last of its parts. Null splits show the metrics that ask how
    much is segmented where nothing should be, and no other split shows these, unless a split would
    show nothing at all; areas stand where every predicted pixel is false.

    ``means`` are those of `table_means`, where they are known already.
    """
    splits = list(results.splits)
    for name, derived in derived_splits(results).items():
        splits.insert(1 + max(splits.index(part) for part in derived.parts), name)
    means = table_means(results) if means is None else means
    held = set(means[["split", "metric"]].drop_duplicates().itertuples(index=False, name=None))
    columns = []
    for split in splits:
        own = [metric for metric in results.metrics if (split, metric) in held]
        shown = [metric for metric in own if _belongs(results, split, metric)]
        columns += [(split, metric) for metric in shown or own]
    return columns


def has_best(results: Results, split: str, metric: str) -> bool:
    """Return whether one end of a column's numbers is the better one.

    A control asks what a model leaves unused: there only false area can be better or worse.
    """
    return not is_control(split) or (results.scale(metric).subject == AREA and _is_mute(split))


def _belongs(results: Results, split: str, metric: str) -> bool:
    subject = results.scale(metric).subject
    if subject == AREA:
        return _is_mute(split)
    return (subject == NULL) == (base_split(split) in NULL_SPLITS)


def _is_mute(split: str) -> bool:
    control = parse_control(split)
    return control is not None and control.kind in MUTE_KINDS


def _derive(name: str, derived: DerivedSplit, means: pd.DataFrame) -> pd.DataFrame:
    rows = means[means["split"].isin(derived.parts)].dropna(subset=["value"])
    rows = rows.assign(weight=rows["num_clips"] if derived.weighting == "clips" else 1)
    rows = rows.assign(product=rows["value"] * rows["weight"])
    grouped = rows.groupby(["cell", "seed", "metric"], sort=False)
    sums = grouped[["product", "weight", "num_clips"]].sum()
    sums = sums[grouped["split"].nunique() == len(derived.parts)].reset_index()
    value = sums["product"] / sums["weight"]
    return sums.assign(split=name, value=value)[list(means.columns)]
