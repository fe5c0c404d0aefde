"""What the axes of a grid do, and which clips carry the difference of two cells."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from analysis.figures import breakdown, effects
from analysis.paper.part import PARTS, Made, NothingToShow, Part, compared, made, told
from analysis.paper.parts.scores import GridFigure
from analysis.paper.source import Source
from analysis.statistics.effects import NO_AXES
from analysis.tables import write_effects


@PARTS.register_module()
@dataclass(kw_only=True)
class EffectTable(Part):
    """Main effects of the axes and their two-way interactions, with intervals and tests."""

    usual_folder = "tables"
    tool = "make-tables"

    # Another cell than the grid's own names the reference levels
    reference: str | None = told("--reference", None)

    def make(self, source: Source, out: Path) -> Made:
        """Write ``effects.{md,tex,csv}``."""
        if not (paths := write_effects(source.against(self.reference), out)):
            raise NothingToShow(NO_AXES)
        return Made(paths)


@PARTS.register_module()
class EffectMaps(GridFigure):
    """The same as heat maps: means of two axes' levels, and what the levels change."""

    figure = effects
    nothing = NO_AXES


@PARTS.register_module()
@dataclass(kw_only=True)
class Breakdown(Part):
    """The difference of two cells by attributes and classes of clips: a figure and a table."""

    reads_data = True
    tool = "make-figures"

    reference: str | None = told("--reference", None)  # another cell than the grid's own
    # Cell that it is compared with; None for the best trained one
    other: str | None = told("--against", None)

    def make(self, source: Source, out: Path) -> Made:
        """Write ``breakdown.*``."""
        results = compared(source, self.reference)
        asked = {"other": self.other, "overrides": source.overrides}
        paths = breakdown.make(results, out, **asked)
        return made(source, results, paths, "there is no other cell with a score")

    def arguments(self, source: Source, out: Path) -> list[str]:
        """Return those of ``make-figures``."""
        return [*super().arguments(source, out), "--breakdown"]
