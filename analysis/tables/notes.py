"""What a reader must know of a table's numbers, in words."""

from __future__ import annotations

import pandas as pd

from analysis.reported import MARK
from analysis.resampling import FEWEST_SEEDS
from analysis.results import SPEED
from analysis.significance import CLIPS, CLIPS_AND_SEEDS, KEYS
from analysis.splits import derived_splits, has_best
from analysis.tables.extra_columns import EXTRA_COLUMNS
from analysis.tables.layout import DAGGER, STAR, marks
from analysis.tables.make import Table, pairs

ENOUGH_SEEDS = 5
"""From here on the bootstrap over seeds covers about what it states; see docs/statistics.md."""


def footnote(table: Table) -> str:
    """Say what the numbers are and where they come from."""
    results = table.results
    clips = results.scores[["split", "clip"]].drop_duplicates().groupby("split").size()
    shown = {split for split, _ in pairs(table.mean)}
    derived = {n: d for n, d in derived_splits(results).items() if n in shown}
    sources = shown | {part for split in derived.values() for part in split.parts}
    counted = [split for split in results.splits if split in clips.index and split in sources]
    held = ", ".join(f"{clips[split]} clips of {split}" for split in counted)
    held += "".join(f"; {name}: {split}" for name, split in derived.items())
    runs = results.runs
    data = ", ".join(sorted({str(f)[:10] for f in runs["data_fingerprint"]}))
    code = ", ".join(sorted(set(runs["code_version"])))
    releases = sorted({str(source) for source in runs["label_source"] if source})
    labels = f"labels of {' | '.join(releases)}, " if releases else ""
    compared = f" {comparison_note(table)}" if table.comparison is not None else ""
    return (
        f"Mean over seeds of the mean over clips ({held}), {_spread(table)}; {_lower(table)}"
        f"{len(set(runs['run_id']))} runs, data {data}, {labels}code {code}; "
        f"table.provenance.json names the runs of each entry.{compared}"
    )


def comparison_note(table: Table) -> str:
    """Say what the marks mean, what too few seeds leave open, and what could have been found."""
    frame, settings = table.comparison, table.settings
    if frame is None or frame.empty:
        return f"No cell shares a run with '{table.results.reference}': nothing is compared."
    reference = f"'{table.results.reference}'"
    parts = [
        f"Compared with {reference}, paired by clip and seed; significant: p < {settings.alpha:g} "
        "after Holm's correction over the cells of a column."
    ]
    used, kinds = set(marks(table).values()), set(frame["varies"])
    if STAR in used:
        parts.append(f"{STAR} significant, clips and seeds vary.")
    if DAGGER in used:
        parts.append(f"{DAGGER} significant for these trained models: clips alone vary.")
    if not used:
        parts.append("Nothing is.")
    if CLIPS in kinds:
        parts.append(
            f"Fewer than {FEWEST_SEEDS} seeds in common are too few: such comparisons cover the "
            "choice of clips and not the randomness of training."
        )
    seeds = frame.loc[frame["varies"] == CLIPS_AND_SEEDS, "num_seeds"]
    if len(seeds) and seeds.min() < ENOUGH_SEEDS:
        parts.append(f"With {seeds.min()} seeds the intervals are somewhat too short.")
    parts.append(_detectable(frame, settings.power))
    return " ".join(part for part in parts if part)


def notes(table: Table) -> list[str]:
    """Return what else must be known: missing runs, absent numbers, sources of other papers."""
    listed = list(table.results.notes)
    absent = [name for name in table.extras if bool(table.extras[name].isna().all())]
    if absent:
        headers = ", ".join(EXTRA_COLUMNS[str(name)].header for name in absent)
        listed.append(f"no run has recorded {headers}")
    listed += _speed_conditions(table)
    listed += _unequal_pairs(table)
    listed += _too_few_resamples(table)
    shown = set(pairs(table.mean))
    strangers = [row.method for row in table.reported if not shown & row.scores.keys()]
    listed += [f"{method} reports no score that is shown" for method in strangers]
    listed += [f"{MARK}: {row.citation()}" for row in table.reported]
    return listed


def _lower(table: Table) -> str:
    """Name the metrics of which less is better, where a column of theirs has a best."""
    results = table.results
    ranked = dict.fromkeys(m for split, m in pairs(table.mean) if has_best(results, split, m))
    lower = [metric for metric in ranked if not results.scale(metric).higher_is_better]
    return f"lower is better in {', '.join(lower)}; " if lower else ""


def _spread(table: Table) -> str:
    frame = table.intervals
    if frame is not None:
        level = f"{table.settings.confidence:.0%} BCa bootstrap interval"
        if set(frame["varies"]) == {CLIPS_AND_SEEDS}:
            return f"{level} over clips and seeds"
        if set(frame["varies"]) == {CLIPS}:
            return f"{level} over clips alone (fewer than {FEWEST_SEEDS} seeds)"
        return f"{level} over clips and seeds, below {FEWEST_SEEDS} seeds over clips alone"
    if bool(table.std.isna().all(axis=None)):
        return "one seed each, so no spread"
    return "± sample standard deviation over seeds"


def _speed_conditions(table: Table) -> list[str]:
    """Return how the speeds shown were measured."""
    if not any(EXTRA_COLUMNS[str(name)].source.startswith(SPEED) for name in table.extras):
        return []
    runs = table.results.runs
    held = sorted(set(runs["speed_conditions"]) - {""}) if "speed_conditions" in runs else []
    if len(held) > 1:
        return [f"speeds were measured under different conditions ({' | '.join(held)})"]
    return [f"speeds: {held[0]}"] if held else []


def _detectable(frame: pd.DataFrame, power: float) -> str:
    """Return the smallest detectable differences of every column, over its cells."""
    several = frame["split"].nunique() > 1
    found = []
    for (split, metric), column in frame.groupby(["split", "metric"], sort=False):
        known = column["detectable"].dropna()
        if len(known):
            low, high = f"{known.min():.3f}", f"{known.max():.3f}"
            name = f"{split} {metric}" if several else str(metric)
            found.append(f"{name} {low}" if low == high else f"{name} {low} to {high}")
    if not found:
        return ""
    return f"Differences that {power:.0%} of repetitions would find: {', '.join(found)}."


def _unequal_pairs(table: Table) -> list[str]:
    """Return notes on cells that are compared on fewer clips or seeds than they have."""
    if table.comparison is None:
        return []
    grouped = table.seed_means.groupby(list(KEYS), sort=False)
    held = grouped.agg(clips=("num_clips", "max"), seeds=("seed", "nunique"))
    rows = table.comparison.join(held, on=list(KEYS))
    fewer: dict[str, list[str]] = {}
    for row in rows.to_dict("records"):
        parts = []
        if row["num_clips"] < row["clips"]:
            parts.append(f"{row['num_clips']} of {row['clips']} clips of {row['split']}")
        if row["num_seeds"] < row["seeds"]:
            parts.append(f"{row['num_seeds']} of {row['seeds']} seeds")
        fewer.setdefault(str(row["cell"]), []).extend(parts)
    return [
        f"{cell} is compared on {', '.join(dict.fromkeys(parts))}, which both cells have"
        for cell, parts in fewer.items()
        if parts
    ]


def _too_few_resamples(table: Table) -> list[str]:
    if table.comparison is None or CLIPS not in set(table.comparison["varies"]):
        return []
    tests = int(table.comparison.groupby(["split", "metric"])["p"].count().max())
    least = 2 / (table.settings.num_resamples + 1)
    if tests * least < table.settings.alpha:
        return []
    return [
        f"{table.settings.num_resamples} permutations are too few for {tests} cells: no corrected "
        f"p-value can fall below {tests * least:.3f}; ask for more (--resamples)"
    ]
