"""What a reader must know of a table's numbers, in words."""

from __future__ import annotations

from analysis.runs.reported import MARK
from analysis.runs.results import SPEED
from analysis.runs.splits import derived_splits, has_best
from analysis.tables.comparison_notes import comparison_note, interval_note, statistics_notes
from analysis.tables.extra_columns import EXTRA_COLUMNS
from analysis.tables.make import Table, pairs


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


def notes(table: Table) -> list[str]:
    """Return what else must be known: missing runs, absent numbers, sources of other papers."""
    listed = list(table.results.notes)
    absent = [name for name in table.extras if bool(table.extras[name].isna().all())]
    if absent:
        headers = ", ".join(EXTRA_COLUMNS[str(name)].header for name in absent)
        listed.append(f"no run has recorded {headers}")
    listed += _speed_conditions(table)
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


def _speed_conditions(table: Table) -> list[str]:
    """Return how the speeds shown were measured."""
    if not any(EXTRA_COLUMNS[str(name)].source.startswith(SPEED) for name in table.extras):
        return []
    runs = table.results.runs
    held = sorted(set(runs["speed_conditions"]) - {""}) if "speed_conditions" in runs else []
    if len(held) > 1:
        return [f"speeds were measured under different conditions ({' | '.join(held)})"]
    return [f"speeds: {held[0]}"] if held else []
