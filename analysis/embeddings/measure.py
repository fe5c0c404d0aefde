"""The audio-visual space of a grid's runs: points drawn, placed and measured, files written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from analysis.asked_names import name_problems
from analysis.embeddings import table as embedding_table
from analysis.embeddings.plane import Wanted, misplaced
from analysis.embeddings.points import Points, capture_points
from analysis.figures import embedding_tsne, embedding_tsne_perplexities
from analysis.runs.lost_runs import why_lost
from analysis.runs.results import Results

SPACES = ("projected", "fused")
_UNTRAINED = "untrained projector"

Captures = dict[tuple[str, int], Points]


class MeasuredEmbeddings(NamedTuple):
    """What `measure` has made.

    Attributes:
        paths: of the files.
        companions: a row a run, space and level, see `analysis.embeddings.table.measure_all`.
        problems: what was left out and why, and what a reader must know.
        lost: those of the problems that are runs whose weights or data are gone, or that are
            broken; not models without such a space.
    """

    paths: list[Path]
    companions: pd.DataFrame
    problems: list[str]
    lost: list[str] = []


def measure(
    results: Results,
    folder: Path,
    *,
    cells: Sequence[str] | None = None,
    split: str = "test",
    per_kind: int = 16,
    max_clips: int | None = None,
    level: int = -1,
    spaces: Sequence[str] = SPACES,
    perplexities: Sequence[float] = embedding_tsne.PERPLEXITIES,
    again: bool = False,
    overrides: Mapping[str, Any] | Iterable[tuple[str, Any]] = (),
    track: Callable[[Iterable[Any]], Iterable[Any]] = iter,
) -> MeasuredEmbeddings:
    """Write figures and companions of the runs' audio-visual spaces.

    Files: ``embedding_tsne.*`` (projected space), ``embedding_tsne_fused.*``,
    ``embedding_tsne_perplexities.*`` (the first space that a run has), and
    ``embedding_companions.{csv,md,tex}``. Figures show the first seed of every cell. The points
    are kept in the runs' folders.

    Args:
        results: finished runs.
        folder: to write to.
        cells: in the order of the panels; None for all.
        split: whose clips.
        per_kind: most visual points a frame, inside and outside the mask each.
        max_clips: the first ones of the split; None for all.
        level: of the pyramid, 0 the finest, -1 the coarsest of every run's own.
        spaces: of ``"projected"`` and ``"fused"``.
        perplexities: of t-SNE; the one in the middle is drawn large.
        again: draw points also where the folders have them.
        overrides: of the runs' configs, e.g. ``{"data.root": ...}`` where the data have moved.
        track: wraps the runs, e.g. `rich.progress.track`.

    Returns:
        No paths where no run has one of these spaces.

    Raises:
        ValueError: for cells or spaces that are not known, no perplexity above 0, or a level that
            no run has; where no run could be read and some have other problems than having no
            such space.
    """
    _check(results, cells, spaces, perplexities)
    names = list(dict.fromkeys(results.cells if cells is None else cells))
    settings: dict[str, Any] = {"split": split, "per_kind": per_kind, "max_clips": max_clips}
    settings |= {"again": again, "overrides": dict(overrides)}
    captures, notes, spaceless, lost = _capture(results, names, settings, track)
    problems = [*spaceless, *lost]
    if not captures and lost:
        raise ValueError("\n  ".join(["no run's points could be drawn:", *lost]))
    if not captures:
        return MeasuredEmbeddings([], embedding_table.measure_all({}), problems)
    _check_level(captures, level)
    companions = embedding_table.measure_all(captures)
    companions = companions[companions["space"].isin(spaces)].reset_index(drop=True)
    problems += [
        f"{cell}: {_UNTRAINED}: its projected space is a random projection"
        for cell, note in notes.items()
        if _UNTRAINED in note and SPACES[0] in spaces
    ]
    paths = _draw(captures, notes, problems, folder, spaces, level, perplexities)
    if companions.empty:
        return MeasuredEmbeddings(paths, companions, problems, lost)
    caption = _caption(companions, level, split, max_clips)
    paths += embedding_table.write(companions, folder, level=level, spaces=spaces, caption=caption)
    return MeasuredEmbeddings(paths, companions, problems, lost)


def _check(
    results: Results,
    cells: Sequence[str] | None,
    spaces: Sequence[str],
    perplexities: Sequence[float],
) -> None:
    problems = name_problems("cell", cells, results.cells)
    problems += name_problems("space", spaces, SPACES)
    if not perplexities or min(perplexities) <= 0:
        problems.append(f"perplexities must be above 0, got {list(perplexities)}")
    if problems:
        raise ValueError("; ".join(problems))


def _capture(
    results: Results,
    cells: Sequence[str],
    settings: Mapping[str, Any],
    track: Callable[[Iterable[Any]], Iterable[Any]],
) -> tuple[Captures, dict[str, str], list[str], list[str]]:
    """Return points by cell and seed, a note on each cell's first run, and what has no points.

    First models without a space, a line a cell, then runs that could not be read.
    """
    from auralsam2.engine.embedding_points import NoAudioVisualSpaceError

    runs = results.runs.sort_values("seed", kind="stable").to_dict("records")
    wanted = [run for cell in cells for run in runs if run["cell"] == cell]
    captures: Captures = {}
    notes: dict[str, str] = {}
    spaceless: dict[str, str] = {}
    lost: list[str] = []
    for run in track(wanted):
        cell, seed, run_dir = str(run["cell"]), int(run["seed"]), Path(str(run["run_dir"]))
        if cell in spaceless:  # what holds for one seed holds for all
            continue
        try:
            points = capture_points(run_dir, **settings)
            _check_finite(points)
            note = f"seed {seed}" + (f", {_UNTRAINED}" if _is_untrained(run_dir) else "")
        except NoAudioVisualSpaceError as error:
            spaceless[cell] = f"{cell}: left out: {error}"
        except Exception as error:
            lost.append(f"{cell}, seed {seed}: left out: {why_lost(error)}")
        else:
            captures[cell, seed] = points
            notes.setdefault(cell, note)
    return captures, notes, list(spaceless.values()), lost


def _draw(
    captures: Captures,
    notes: Mapping[str, str],
    problems: list[str],
    folder: Path,
    spaces: Sequence[str],
    level: int,
    perplexities: Sequence[float],
) -> list[Path]:
    """Draw every space, and the first that there is at all perplexities."""
    main = perplexities[len(perplexities) // 2]
    names = {s: embedding_tsne.NAME + ("" if s == SPACES[0] else f"_{s}") for s in spaces}
    for name in (*names.values(), embedding_tsne_perplexities.NAME):
        for kind in ("pdf", "png", "csv", "points.csv"):
            # One of an earlier call would pass for this one's.
            (folder / f"{name}.{kind}").unlink(missing_ok=True)
    paths: list[Path] = []
    for space in spaces:
        arms = _arms(captures, space, level, problems)
        if not arms:
            continue
        first = not paths
        own_notes = {cell: _note(note, space) for cell, note in notes.items()}
        numbers = embedding_tsne.collect(
            arms,
            space=space,
            level=level,
            perplexities=perplexities if first else [main],
            notes=own_notes,
        )
        paths += embedding_tsne.make(numbers, folder, name=names[space])
        if first and len(perplexities) > 1:
            paths += embedding_tsne_perplexities.make(numbers, folder)
    return paths


def _arms(captures: Captures, space: str, level: int, problems: list[str]) -> dict[str, Points]:
    """Return the first seed of every cell that can be drawn, as many as fit; say what cannot."""
    arms: dict[str, Points] = {}
    said: list[str] = []
    seen: set[str] = set()
    for (cell, _), points in captures.items():
        if cell in seen:
            continue
        seen.add(cell)
        if space not in points.vectors:
            said.append(f"{cell}: has no {space} space: no projector was built")
        elif not -points.num_levels <= level < points.num_levels:
            said.append(f"{cell}: has no level {level}; it has {points.num_levels}")
        else:
            own = points.select(space, range(points.num_levels)[level])
            if problem := misplaced(Wanted(*own, 1)):
                said.append(f"{cell}: not drawn in the {space} space: {problem}")
            else:
                arms[cell] = points
    if len(arms) > embedding_tsne.MOST_ARMS:
        kept = list(arms)[: embedding_tsne.MOST_ARMS]
        said.append(
            f"the figure of the {space} space shows {len(kept)} of {len(arms)} cells; name those "
            "that it should show"
        )
        arms = {cell: arms[cell] for cell in kept}
    problems += said
    return arms


def _note(note: str, space: str) -> str:
    """Return what stands below an arm's name; the fused space needs no projector."""
    return note if space == SPACES[0] else note.replace(f", {_UNTRAINED}", "")


def _check_level(captures: Captures, level: int) -> None:
    most = max(points.num_levels for points in captures.values())
    if not -most <= level < most:
        raise ValueError(f"no run has a level {level}; pyramids have up to {most}, 0 the finest")


def _check_finite(points: Points) -> None:
    import numpy as np

    if not all(np.isfinite(vectors).all() for vectors in points.vectors.values()):
        raise ValueError("its vectors are not finite")


def _is_untrained(run_dir: Path) -> bool:
    """Whether a run has a projector that no loss has trained."""
    from auralsam2 import config

    loss = config.peek(run_dir / "config.py").model.get("contrastive_loss")
    return loss is not None and loss.get("weight") == 0


def _caption(companions: pd.DataFrame, level: int, split: str, max_clips: int | None) -> str:
    seeds = companions.groupby("cell", sort=False)["seed"].nunique()
    counts = sorted(set(seeds))
    several = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    over = "one seed" if counts == [1] else f"mean ± standard deviation over {several} seeds"
    which = {-1: "the pyramid's coarsest level", 0: "the pyramid's finest level"}
    clips = int(companions["num_clips"].max())
    limited = f"the first {clips} clips" if max_clips is not None else f"{clips} clips"
    return (
        f"Audio-visual space on the original vectors, {which.get(level, f'level {level}')}, "
        f"{limited} of split {split}; {over}."
    )
