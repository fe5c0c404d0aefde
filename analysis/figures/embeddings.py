"""All figures of the audio-visual space of a grid's runs, and the table of companions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from analysis.embeddings import table
from analysis.embeddings.measure import MeasuredEmbeddings, first_seeds
from analysis.embeddings.plane import Wanted, misplaced
from analysis.embeddings.points import PROJECTED, SPACES, Points
from analysis.figures import embedding_tsne
from analysis.figures.embedding_tsne import PERPLEXITIES, PERPLEXITIES_NAME


def check_perplexities(perplexities: Sequence[float]) -> None:
    """Refuse perplexities that t-SNE cannot have, and none at all."""
    if not perplexities or min(perplexities) <= 0:
        raise ValueError(f"perplexities must be above 0, got {list(perplexities)}")


def make(
    measured: MeasuredEmbeddings, folder: Path, *, perplexities: Sequence[float] = PERPLEXITIES
) -> list[Path]:
    """Write figures and companions; nothing where no run has one of the spaces.

    Files: ``embedding_tsne.*`` (projected space), ``embedding_tsne_fused.*``,
    ``embedding_tsne_perplexities.*`` (the first space that a run has), and
    ``embedding_companions.{csv,md,tex}``. Figures show the first seed of every cell.

    Args:
        measured: what is shown; its runs' notes get what is left out of the figures, and why.
        folder: to write to.
        perplexities: of t-SNE, above 0; the one in the middle is drawn large.
    """
    check_perplexities(perplexities)
    if not measured.runs.found:
        return []
    paths = _draw(measured, folder, perplexities)
    how = (measured.level, measured.settings, measured.runs.title)
    return paths + table.write(measured.companions, folder, *how)


def _draw(measured: MeasuredEmbeddings, folder: Path, perplexities: Sequence[float]) -> list[Path]:
    """Draw every space, and the first that there is at all perplexities."""
    main = perplexities[len(perplexities) // 2]
    name = embedding_tsne.NAME
    names = {space: name if space == PROJECTED else f"{name}_{space}" for space in SPACES}
    for name in (*names.values(), PERPLEXITIES_NAME):
        for kind in ("pdf", "png", "csv", "points.csv"):
            # One of an earlier call would pass for this one's.
            (folder / f"{name}.{kind}").unlink(missing_ok=True)
    paths: list[Path] = []
    for space, name in names.items():
        arms = _arms(measured, space)
        if not arms:
            continue
        first = not paths
        numbers = embedding_tsne.collect(
            arms,
            space=space,
            level=measured.level,
            perplexities=perplexities if first else [main],
            notes=_below_names(measured, space),
        )
        paths += embedding_tsne.make(numbers, folder, name=name)
        if first and len(perplexities) > 1:
            paths += embedding_tsne.make_perplexities(numbers, folder)
    return paths


def _arms(measured: MeasuredEmbeddings, space: str) -> dict[str, Points]:
    """Return the first seed of every cell that can be drawn, as many as fit; say what cannot."""
    arms: dict[str, Points] = {}
    level, notes = measured.level, measured.runs.notes
    for run in first_seeds(measured.runs).items():
        cell, points = run[0], measured.runs.found[run]
        levels = range(points.num_levels)
        if space not in points.vectors:
            notes.append(f"{cell}: has no {space} space: no projector was built")
        elif not -len(levels) <= level < len(levels):
            notes.append(f"{cell}: has no level {level}; it has {len(levels)}")
        elif problem := misplaced(Wanted(*points.select(space, levels[level]), 1)):
            notes.append(f"{cell}: not drawn in the {space} space: {problem}")
        else:
            arms[cell] = points
    most = embedding_tsne.MOST_ARMS
    if len(arms) > most:
        notes.append(
            f"the figure of the {space} space shows {most} of {len(arms)} cells; name those that "
            "it should show"
        )
    return dict(list(arms.items())[:most])


def _below_names(measured: MeasuredEmbeddings, space: str) -> dict[str, str]:
    """Return what stands below each arm's name; the fused space needs no projector."""
    untrained = measured.untrained if space == PROJECTED else ()
    return {
        cell: f"seed {seed}" + (", untrained projector" if cell in untrained else "")
        for cell, seed in first_seeds(measured.runs).items()
    }
