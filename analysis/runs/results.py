"""Run folders to one tidy table of scores, and where each of them came from."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.runs.comparable import Runs, check_data, check_label_sources, metric_scales
from analysis.runs.conditions import condition_notes, unequal_notes
from analysis.runs.controls import is_control
from analysis.runs.folders import RunFolder, finished, join_folders, read_folder
from analysis.runs.measures import measures_of
from auralsam2.clicked_splits import parse_clicked
from auralsam2.engine.metric_scales import MetricScale, scale_of_older
from auralsam2.engine.run_record import RunRecord
from auralsam2.messages import unknown_name
from auralsam2.text_files import write_text

COLUMNS = ("cell", "seed", "split", "clip", "metric", "value")
_RECORDED = ("run_id", "config_hash", "data_fingerprint", "label_source", "code_version")
PROVENANCE = (*_RECORDED, "run_dir")
_ROUNDING = 1e-6
WHOLE = " (split)"
"""Stands behind a metric's name where a score is that of a whole split and no mean over clips."""


class NoResultsError(ValueError):
    """A folder without a finished run."""


@dataclass(frozen=True)
class Results:
    """The finished runs of a grid."""

    scores: pd.DataFrame  # one row a run, split, clip and metric; columns `COLUMNS`
    # One row a run; columns cell, seed, `PROVENANCE` and those of `measures.measures_of`, NaN where
    # a run recorded nothing.
    runs: pd.DataFrame
    cells: tuple[str, ...]  # in the order of the grid
    splits: tuple[str, ...]  # in the order of the config
    metrics: tuple[str, ...]  # in the order of the config
    title: str  # of the grid
    reference: str | None  # cell that the others are compared with, or None
    # Runs that are missing and why, and whatever else a reader must know.
    notes: list[str] = field(default_factory=list)
    # Those of the notes that are for want of weights or data.
    lost: list[str] = field(default_factory=list)
    # Cell -> axis -> label of its value.
    axes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    # Metric -> how to read it, of those that records say so of; ask `scale`.
    scales: Mapping[str, MetricScale] = field(default_factory=dict)
    # What runs report of splits that are no controls, of metrics for which that is no mean over
    # clips; columns cell, seed, split, metric (with `WHOLE`), value, num_clips.
    whole: pd.DataFrame = field(default_factory=pd.DataFrame)
    # Scores after corrective clicks, as `scores`, whose splits are none of ``splits``; see
    # `analysis.runs.clicks`.
    clicked: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(COLUMNS)))

    @property
    def trained_cells(self) -> frozenset[str]:
        """Return the cells that have trained something; those whose records do not say count."""
        return frozenset(self.runs.loc[self.runs["num_trainable"].fillna(1) > 0, "cell"])

    def scale(self, metric: str) -> MetricScale:
        """Return which end of a metric is better, where it ends, and what it asks."""
        name = metric.removesuffix(WHOLE)
        return self.scales.get(name) or scale_of_older(name)


def load_runs(
    folders: str | Path | Sequence[str | Path],
    *,
    allow_mixed_data: bool = False,
    mix_label_sources: bool = False,
) -> Results:
    """Read the runs of grids, or all runs below any folder.

    Args:
        folders: one or several; with a ``grid.json``, whose runs count and no others, or without
            one. A cell whose name stands in several folders is called by its folder too.
        allow_mixed_data: let runs on different data stand side by side, with a note.
        mix_label_sources: likewise runs whose labels come from different releases.

    Raises:
        FileNotFoundError: where there is no record at all.
        NoResultsError: where no run is finished; the message says how they stand.
        MixedDataError: where runs have different data or the same split holds different clips;
            `MixedLabelSourcesError` where their labels come from different releases.
        ValueError: for a broken grid file, two runs of one cell and seed, or a folder
            given twice.
    """
    paths = [folders] if isinstance(folders, (str, Path)) else list(folders)
    folder = join_folders([read_folder(Path(path)) for path in paths])
    done, notes = finished(folder)
    if not done:
        listed = "\n".join(f"  - {note}" for note in notes)
        raise NoResultsError(f"no finished run in {_named(paths)}:\n{listed}")
    notes += check_label_sources(done, mix_label_sources)
    notes += check_data(done, allow_mixed_data)
    notes += condition_notes(done)
    scales, unlike = metric_scales(done, allow_mixed_data)
    results = _results(folder, done, scales, notes + unlike + folder.notes)
    if results.scores.empty:
        raise NoResultsError(f"no finished run below {_named(paths)} has a score of a clip")
    return results


def with_reference(results: Results, cell: str) -> Results:
    """Return the same runs, compared with another cell.

    Raises:
        ValueError: where the cell is not known; the message lists those that are.
    """
    if cell not in results.cells:
        raise ValueError(unknown_name("reference cell", cell, results.cells))
    return replace(results, reference=cell)


def of_seeds(results: Results, seeds: Collection[int]) -> Results:
    """Return the runs with some of the seeds."""
    names = ("scores", "runs", "whole", "clicked")
    frames = {name: getattr(results, name) for name in names}
    kept = {
        name: frame if frame.empty else frame[frame["seed"].isin(list(seeds))]
        for name, frame in frames.items()
    }
    return replace(results, **kept)


def origin(run: Mapping[Any, Any], folder: Path) -> dict[str, Any]:
    """Return the `PROVENANCE` of a row of `Results.runs`; its folder relative to ``folder``."""
    run_dir = Path(str(run["run_dir"]))
    shown = run_dir.relative_to(folder) if run_dir.is_relative_to(folder) else run_dir
    return {**{key: run[key] for key in PROVENANCE}, "run_dir": shown.as_posix()}


def seed_means(scores: pd.DataFrame) -> pd.DataFrame:
    """Average tidy scores over the clips: columns cell, seed, split, metric, value."""
    keys = ["cell", "seed", "split", "metric"]
    return scores.groupby(keys, sort=False)["value"].mean().reset_index()


def select(frame: pd.DataFrame, **values: object) -> pd.DataFrame:
    """Return the rows whose columns have these values."""
    for column, value in values.items():
        frame = frame[frame[column] == value]
    return frame


def write_csv(results: Results, path: Path) -> Path:
    """Write the tidy scores, those after clicks behind the others."""
    frames = [results.scores] + [results.clicked] * (not results.clicked.empty)
    return write_text(path, pd.concat(frames, ignore_index=True).to_csv(index=False))


def _results(
    folder: RunFolder, done: Runs, scales: dict[str, MetricScale], notes: list[str]
) -> Results:
    every = _scores(done, notes)
    after = every["split"].map(lambda split: parse_clicked(split) is not None).astype(bool)
    scores = every[~after].reset_index(drop=True)
    pooled = _pooled_metrics(done, scores)
    notes += _pooled_notes(pooled)
    notes += unequal_notes(scores)
    records = [record for _, record in done]
    held = set(scores["cell"].unique())
    return Results(
        scores=scores,
        runs=_provenance(done),
        cells=_ordered(entry.cell for entry in folder.entries if entry.cell in held),
        splits=_ordered(split for record in records for split in _without_clicks(record)),
        metrics=_ordered(m for r in records for s in _without_clicks(r).values() for m in s),
        title=folder.title,
        reference=folder.reference,
        notes=notes,
        axes={entry.cell: record.axes for entry, record in done},
        scales=scales | _without_wrong_bounds(scales, scores, notes),
        whole=_whole(done, pooled, scores),
        clicked=every[after].reset_index(drop=True),
    )


def _without_clicks(record: RunRecord) -> dict[str, dict[str, float]]:
    return {s: scores for s, scores in record.metrics.items() if parse_clicked(s) is None}


def _scores(done: Runs, notes: list[str]) -> pd.DataFrame:
    notes += [
        f"{entry}: finished, and has no score of a clip"
        for entry, record in done
        if not record.per_clip
    ]
    rows = [
        (entry.cell, entry.seed, score["split"], score["clip"], score["metric"], score["value"])
        for entry, record in done
        for score in record.per_clip
    ]
    scores = pd.DataFrame(rows, columns=list(COLUMNS)).astype({"value": float})
    bad = int(scores["value"].isna().sum())
    if bad:
        notes.append(f"{bad} scores of single clips are no numbers: left out of the means")
    return scores


def _without_wrong_bounds(
    scales: Mapping[str, MetricScale], scores: pd.DataFrame, notes: list[str]
) -> dict[str, MetricScale]:
    """Return how to read metrics whose scores leave the bounds that they state."""
    found = {}
    ends = scores.groupby("metric", sort=False)["value"].agg(["min", "max"])
    for metric, least, most in ends.itertuples():
        scale = scales.get(str(metric)) or scale_of_older(str(metric))
        low, high = scale.ends
        if least < low - _ROUNDING or most > high + _ROUNDING:
            found[str(metric)] = scale._replace(bounds=None)
            notes.append(
                f"{metric} has scores from {least:g} to {most:g}, beyond its bounds "
                f"{low:g} to {high:g}; it is read as without bounds"
            )
    return found


def _pooled_metrics(done: Runs, scores: pd.DataFrame) -> dict[str, str]:
    """Return metrics whose score of a data set is no mean over its clips, with an example each."""
    grouped = scores.groupby(["cell", "seed", "split", "metric"])["value"]
    counts = grouped.agg(["mean", "count", "size"])
    means = counts.loc[counts["count"] == counts["size"], "mean"].to_dict()
    found: dict[str, str] = {}
    for cell, seed, split, metric, value in _reported(done):
        mean = means.get((cell, seed, split, metric), value)
        if abs(mean - value) > _ROUNDING:
            example = f"{value:.3f} for {mean:.3f} in {cell}, seed {seed}, {split}"
            found.setdefault(metric, example)
    return found


def _reported(done: Runs) -> Iterator[tuple[str, int, str, str, float]]:
    """Yield what runs say of whole splits: cell, seed, split, metric, value."""
    for entry, record in done:
        for split, reported in _without_clicks(record).items():
            for metric, value in reported.items():
                yield entry.cell, entry.seed, split, metric, value


def _pooled_notes(pooled: Mapping[str, str]) -> list[str]:
    return [
        f"{metric} is the mean over clips, as intervals and tests are; the runs themselves report "
        f"{metric}{WHOLE}, as of all clips of a split at once ({example})"
        for metric, example in pooled.items()
    ]


def _whole(done: Runs, pooled: Collection[str], scores: pd.DataFrame) -> pd.DataFrame:
    keys = ["cell", "seed", "split", "metric"]
    clips = scores.groupby(keys)["value"].count().to_dict()
    rows = [
        (cell, seed, split, f"{metric}{WHOLE}", value, clips.get((cell, seed, split, metric), 0))
        for cell, seed, split, metric, value in _reported(done)
        if metric in pooled and not is_control(split)
    ]
    return pd.DataFrame(rows, columns=[*keys, "value", "num_clips"])


def _provenance(done: Runs) -> pd.DataFrame:
    rows = [
        {
            "cell": entry.cell,
            "seed": entry.seed,
            **{key: getattr(record, key) for key in _RECORDED},
            "run_dir": entry.run_dir.as_posix(),
            **measures_of(record),
        }
        for entry, record in done
    ]
    return pd.DataFrame(rows)


def _named(paths: Iterable[str | Path]) -> str:
    return ", ".join(f"'{path}'" for path in paths)


def _ordered(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
