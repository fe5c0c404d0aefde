"""What a table shows: splits, those made of others, and metrics that ask something there."""

from __future__ import annotations

from collections.abc import Collection

import pandas as pd

from analysis.runs.controls import MUTE_KINDS, base_split, is_control, parse_control
from analysis.runs.results import Results
from auralsam2.engine.metric_scales import AREA, NULL

DERIVED = {"mix": ("test_s", "test_u")}
"""Split made of others -> these; its mean is the mean of their means.

Ref-AVS: seen and unseen objects, each counting half, as the benchmark's tables have it."""

NULL_SPLITS = frozenset({"test_n"})
"""Splits in which nothing is to be segmented."""


def derived_splits(results: Results) -> dict[str, tuple[str, ...]]:
    """Return the splits of `DERIVED` whose parts the results have, and no split of their name.

    A derived split has the controls, and the numbers of clicks, that all its parts have.
    """
    ends = [split.removeprefix(base_split(split)) for split in results.splits]
    made = {}
    for name, stated in DERIVED.items():
        for end in dict.fromkeys(["", *ends]):
            parts = tuple(f"{part}{end}" for part in stated)
            if set(parts) <= set(results.splits) and f"{name}{end}" not in results.splits:
                made[f"{name}{end}"] = parts
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
    made = [_derive(name, parts, means) for name, parts in derived_splits(results).items()]
    return pd.concat([means, *made], ignore_index=True)


def table_columns(results: Results, means: pd.DataFrame | None = None) -> list[tuple[str, str]]:
    """Return (split, metric) of what a table shows, in order; `table_means` has more.

    A derived split stands behind the last of its parts. Null splits show the metrics that ask how
    much is segmented where nothing should be, and no other split shows these, unless a split would
    show nothing at all; areas stand where every predicted pixel is false.

    ``means`` are those of `table_means`, where they are known already.
    """
    splits = list(results.splits)
    for name, parts in derived_splits(results).items():
        splits.insert(1 + max(map(splits.index, parts)), name)
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


def _derive(name: str, parts: Collection[str], means: pd.DataFrame) -> pd.DataFrame:
    rows = means[means["split"].isin(parts)].dropna(subset=["value"])
    grouped = rows.groupby(["cell", "seed", "metric"], sort=False)
    made = grouped.agg(value=("value", "mean"), num_clips=("num_clips", "sum")).reset_index()
    whole: pd.DataFrame = made[grouped["split"].nunique().to_numpy() == len(parts)]
    return whole.assign(split=name)[list(means.columns)]
