"""Figures of scores: of a grid's cells, of its training, of a sweep."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from analysis.paper.part import PARTS, Made, NothingToShow, Part
from analysis.paper.source import SWEEP, Source


class GridFigure(Part):
    """A figure that ``make-figures`` draws of every grid."""

    def arguments(self, source: Source, out: Path) -> list[str]:
        """Return those of ``make-figures``, which draws the other ones too."""
        return ["make-figures", str(source.path), "--out", str(out)]


@PARTS.register_module()
class GridPoints(GridFigure):
    """Every cell: a point for each seed, a bar for the mean."""

    def make(self, source: Source, out: Path) -> Made:
        """Write ``grid_points.*``."""
        from analysis.figures import grid_points

        return Made(grid_points.make(source.results, out))


@PARTS.register_module()
class TrainingCurves(GridFigure):
    """Losses and validation scores while the cells were trained."""

    def make(self, source: Source, out: Path) -> Made:
        """Write ``training_curves.*``."""
        from analysis.figures import training_curves

        notes: list[str] = []
        if not (paths := training_curves.make(source.results, out, notes=notes)):
            raise NothingToShow("; ".join(notes) or "no run was trained, or none has kept its log")
        return Made(paths, notes)


@PARTS.register_module()
class Efficiency(GridFigure):
    """Score against speed and size."""

    def make(self, source: Source, out: Path) -> Made:
        """Write ``efficiency.*``."""
        from analysis.figures import efficiency

        notes: list[str] = []
        if not (paths := efficiency.make(source.results, out, notes=notes)):
            raise NothingToShow("; ".join(notes) or "no run was timed")
        return Made(paths, notes)


@PARTS.register_module()
class Qualitative(GridFigure):
    """Clips whose masks all runs have saved, a row a cell.

    Args:
        num_clips: on the sheet.
        **shared: see `Part`.
    """

    def __init__(self, num_clips: int = 2, **shared: Any) -> None:
        super().__init__(**shared)
        self.num_clips = num_clips

    def make(self, source: Source, out: Path) -> Made:
        """Write ``qualitative.*``."""
        from analysis.figures import qualitative

        if not (paths := qualitative.make(source.results, out, num_clips=self.num_clips)):
            raise NothingToShow("no run has saved predictions")
        return Made(paths)

    def arguments(self, source: Source, out: Path) -> list[str]:
        """Return those of ``make-figures``, which draws the other ones too."""
        return [*super().arguments(source, out), "--clips", str(self.num_clips)]


@PARTS.register_module()
class SweepFigures(Part):
    """Trials of a sweep in order, importance of its parameters, slices, Pareto front."""

    reads: ClassVar[str] = SWEEP

    def make(self, source: Source, out: Path) -> Made:
        """Write ``sweep_*.*``."""
        from analysis.figures import sweep

        if not (paths := sweep.make(source.path, out)):
            raise NothingToShow("too few trials are complete")
        return Made(paths)

    def arguments(self, source: Source, out: Path) -> list[str]:
        """Return those of ``make-figures``."""
        return ["make-figures", str(source.path), "--out", str(out)]
