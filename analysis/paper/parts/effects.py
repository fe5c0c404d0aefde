"""What the axes of a grid do."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from analysis.figures import effects
from analysis.paper.part import PARTS, Made, NothingToShow, Part
from analysis.paper.parts.scores import GridFigure
from analysis.paper.source import Source
from analysis.runs.results import Results
from analysis.statistics.effects import NO_AXES
from analysis.tables import write_effects


@PARTS.register_module()
@dataclass(kw_only=True)
class EffectTable(Part):
    """Main effects of the axes and their two-way interactions, with intervals and tests."""

    usual_folder = "tables"
    tool = "make-tables"
    flags = {"reference": "--reference"}

    reference: str | None = None  # another cell than the grid's own names the reference levels

    def make(self, source: Source, out: Path) -> Made:
        """Write ``effects.{md,tex,csv}``."""
        if not (paths := write_effects(source.against(self.reference), out)):
            raise NothingToShow(NO_AXES)
        return Made(paths)


@PARTS.register_module()
class EffectMaps(GridFigure):
    """The same as heat maps: means of two axes' levels, and what the levels change."""

    nothing = NO_AXES

    def draw(self, results: Results, out: Path, notes: list[str]) -> list[Path]:
        """Write ``effects.*``."""
        return effects.make(results, out, notes=notes)
