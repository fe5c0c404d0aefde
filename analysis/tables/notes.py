"""What a reader must know of a table's numbers, intervals and tests, in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from analysis.runs.measures import CONDITIONS, EXTRA_COLUMNS
from analysis.runs.reported import MARK
from analysis.runs.splits import derived_splits, has_best
from analysis.statistics.crossed_means import CLIPS, CLIPS_AND_SEEDS, FEWEST_SEEDS
from analysis.statistics.significance import KEYS
from analysis.tables.layout import DAGGER, STAR, marks, three_digits
from analysis.tables.make import Table, decimals, pairs
from auralsam2.clicked_splits import parse_clicked

FEW_SEEDS = 4
"""Up to here intervals are wide, because seeds say little of how they spread."""
FEW_CLIPS = 30
"""Below, intervals of skewed scores are too short; see docs/statistics.md."""


def footnote(table: Table) -> str:
    """Say what the numbers are and where they come from."""
    results = table.results
    clips = results.scores[["split", "clip"]].drop_duplicates().groupby("split").size()
    shown = {split for split, _ in pairs(table.mean)}
    derived = {n: d for n, d in derived_splits(results).items() if n in shown}
    sources = shown | {part for parts in derived.values() for part in parts}
    counted = [split for split in results.splits if split in clips.index and split in sources]
    names = {split: made.base if (made := parse_clicked(split)) else split for split in counted}
    held = ", ".join(dict.fromkeys(f"{clips[s]} clips of {name}" for s, name in names.items()))
    held += "".join(f"; {name}: mean of {' and '.join(of)}" for name, of in derived.items())
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


def notes(table: Table) -> list[str]:
    """Return what else must be known: missing runs, absent numbers, sources of other papers."""
    listed = list(table.results.notes)
    listed += [*_absent(table), *measured_where(table)]
    listed += statistics_notes(table)
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
    if table.intervals is not None:
        return interval_note(table)
    if bool(table.std.isna().all(axis=None)):
        return "one seed each, so no spread"
    return "± sample standard deviation over seeds"


def _absent(table: Table) -> Iterator[str]:
    """Yield which numbers no run has recorded, or no run of some cells."""
    whose: dict[tuple[str, ...], list[str]] = {}
    for name in table.extras:
        missing = tuple(str(cell) for cell in table.extras.index[table.extras[name].isna()])
        whose.setdefault(missing, []).append(EXTRA_COLUMNS[str(name)].header)
    for cells, headers in whose.items():
        of = "" if len(cells) == len(table.extras.index) else f" of {', '.join(cells)}"
        if cells:
            yield f"no run{of} has recorded {', '.join(headers)}"


def measured_where(table: Table) -> Iterator[str]:
    """Yield how the speeds, operations and training steps shown were measured."""
    shown = {EXTRA_COLUMNS[str(name)].conditions for name in table.extras}
    runs = table.results.runs
    for column, what in CONDITIONS.items():
        held = sorted(set(runs[column]) - {""}) if column in shown & {*runs} else []
        if len(held) > 1:
            yield f"{what} were measured under different conditions ({' | '.join(held)})"
        elif held:
            yield f"{what}: {held[0]}"


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
    used = set(marks(table).values())
    if STAR in used:
        parts.append(f"{STAR} significant, clips and seeds vary.")
    if DAGGER in used:
        parts.append(f"{DAGGER} significant for these trained models: clips alone vary.")
    if not used:
        parts.append("Nothing is.")
    if CLIPS in set(frame["varies"]):
        few = f"Fewer than {FEWEST_SEEDS} seeds in common are too few: such comparisons"
        said = "Comparisons" if settings.over == CLIPS else few
        parts.append(f"{said} cover the choice of clips and not the randomness of training.")
    parts.append(_detectable(table, frame))
    return " ".join(part for part in parts if part)


def interval_note(table: Table) -> str:
    """Say what the intervals of the means are."""
    frame = table.intervals
    assert frame is not None
    level = f"{table.settings.confidence:.0%} interval"
    if set(frame["varies"]) == {CLIPS_AND_SEEDS}:
        return f"{level} over clips and seeds"
    if table.settings.over == CLIPS:
        return f"{level} over clips alone, for these trained models"
    if set(frame["varies"]) == {CLIPS}:
        return f"{level} over clips alone (fewer than {FEWEST_SEEDS} seeds)"
    return f"{level} over clips and seeds, below {FEWEST_SEEDS} seeds over clips alone"


def statistics_notes(table: Table) -> list[str]:
    """Return which numbers rest on few or fewer clips and seeds, and which are missing, and why."""
    frames = [frame for frame in (table.intervals, table.comparison) if frame is not None]
    return [*_unequal_pairs(table), *_unequal_means(table), *_remarks(table), *_few(frames)]


def _detectable(table: Table, frame: pd.DataFrame) -> str:
    """Return the smallest detectable differences of every column, over its cells."""
    several = frame["split"].nunique() > 1
    found = []
    for (split, metric), column in frame.groupby(["split", "metric"], sort=False):
        known = column["detectable"].dropna()
        if len(known):
            digits = decimals(table, str(metric))
            low, high = (_size(value, digits) for value in (known.min(), known.max()))
            name = f"{split} {metric}" if several else str(metric)
            found.append(f"{name} {low}" if low == high else f"{name} {low} to {high}")
    if not found:
        return ""
    power = f"{table.settings.power:.0%}"
    return f"Differences that {power} of repetitions would find: {', '.join(found)}."


def _size(value: float, digits: int) -> str:
    if np.isinf(value):
        return "none that it can have"
    text = f"{value:.{digits}f}"
    return text if float(text) else three_digits(value)  # small, yet not nothing


def _held(table: Table) -> pd.DataFrame:
    """Return the clips and seeds behind each mean, by `KEYS`."""
    known = table.seed_means.dropna(subset=["value"])
    grouped = known.groupby(list(KEYS), sort=False)
    return grouped.agg(clips=("num_clips", "max"), seeds=("seed", "nunique"))


def _unequal_pairs(table: Table) -> Iterator[str]:
    """Yield notes on cells that are compared on less than they or the reference have."""
    frame, reference = table.comparison, str(table.results.reference)
    if frame is None:
        return
    held = _held(table)
    counts: dict[Any, Any] = dict(zip(held.index, held.to_dict("records"), strict=True))
    fewer: dict[str, list[str]] = {}
    for row in frame.to_dict("records"):
        for cell, whose in ((row["cell"], ""), (reference, f"{reference}'s ")):
            count = counts[cell, row["split"], row["metric"]]
            parts = fewer.setdefault(str(row["cell"]), [])
            for what, of in (("clips", f" of {row['split']}"), ("seeds", "")):
                if row[f"num_{what}"] < count[what]:
                    parts.append(f"{row[f'num_{what}']} of {whose}{count[what]} {what}{of}")
    for cell, parts in fewer.items():
        if parts:
            yield (
                f"{cell} is compared on {', '.join(dict.fromkeys(parts))}: what both cells have; "
                "its difference is not that of the two means"
            )
    compared = set(frame[list(KEYS)].itertuples(index=False, name=None))
    columns = {key[1:] for key in compared}
    missing = [key for key in counts if key not in compared and key[1:] in columns]
    for cell, split, metric in missing:
        if cell != reference:
            yield (
                f"{cell} is not compared in {metric} on {split}: it shares no seed and clip with "
                f"{reference}"
            )


def _unequal_means(table: Table) -> list[str]:
    """Return notes on means whose intervals are over less than the means themselves."""
    if table.intervals is None:
        return []
    rows = table.intervals.join(_held(table), on=list(KEYS)).to_dict("records")
    return [
        f"{row['cell']}, {row['metric']} on {row['split']}: the interval is over "
        f"{row['num_clips']} of {row['clips']} clips and {row['num_seeds']} of {row['seeds']} "
        "seeds, those that have every score"
        for row in rows
        if row["num_clips"] < row["clips"] or row["num_seeds"] < row["seeds"]
    ]


def _remarks(table: Table) -> Iterator[str]:
    """Yield why there is no interval or no test, alike cells together."""
    for of, frame in (("", table.intervals), ("the difference in ", table.comparison)):
        if frame is None:
            continue
        said = frame[frame["remark"] != ""]
        for (split, metric, remark), rows in said.groupby(
            ["split", "metric", "remark"], sort=False
        ):
            known = bool(rows["low"].notna().all())
            missing = "an interval is cut" if known else "no interval" + ", no test" * bool(of)
            yield f"{of}{metric} on {split}, {', '.join(rows['cell'])}: {missing}, {remark}"


def _few(frames: Sequence[pd.DataFrame]) -> Iterator[str]:
    shown = [frame.dropna(subset=["low"]) for frame in frames]
    seeds = {int(n) for f in shown for n in f.loc[f["varies"] == CLIPS_AND_SEEDS, "num_seeds"]}
    clips = {int(n) for frame in shown for n in frame["num_clips"]}
    if seeds and min(seeds) <= FEW_SEEDS:
        yield f"{min(seeds)} seeds say little of how training varies: intervals over them are wide"
    if clips and min(clips) < FEW_CLIPS:
        yield (
            f"intervals over {min(clips)} clips are too short where scores are skewed, as near the "
            "ends of a metric"
        )
