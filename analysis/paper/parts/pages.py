"""Pages to look at: the report of a grid, the page of a sweep."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from analysis.paper.part import PARTS, Made, Part
from analysis.paper.source import SWEEP, Source
from analysis.runs.results import with_reference
from auralsam2.listing import files_in


@PARTS.register_module()
class Report(Part):
    """The grid as HTML pages that work offline, with the figures that the recipe has made.

    Put it behind the figures in the recipe.

    Args:
        num_clips: worst clips of a cell, and as many best ones.
        reference: another cell than the grid's own.
        figures: folder of the figures, beside its own.
        **shared: see `Part`.
    """

    usual_folder = "report"
    reads_data = True

    def __init__(
        self,
        num_clips: int = 3,
        reference: str | None = None,
        figures: str = "figures",
        **shared: Any,
    ) -> None:
        super().__init__(**shared)
        self.num_clips, self.reference = num_clips, reference
        self.figures = figures

    def make(self, source: Source, out: Path) -> Made:
        """Write ``index.html`` and a page for every cell."""
        from analysis.report import ReportOptions, write_report

        results = source.results
        if self.reference is not None:
            results = with_reference(results, self.reference)
        options = ReportOptions(
            num_clips=self.num_clips,
            overrides=source.overrides,
            again=source.again,
            track=source.track,
            figures=self._figures(out),
        )
        before = len(results.notes)
        lost: list[str] = []
        paths = write_report(results, source.path, out, options, lost)
        return Made(paths, results.notes[before:], lost)

    def arguments(self, source: Source, out: Path) -> list[str]:
        """Return those of ``report``, which shows the figures in the grid's own folder."""
        said = ["report", str(source.path), "--out", str(out), "--clips", str(self.num_clips)]
        said += ["--again"] if source.again else []
        return said + (["--reference", self.reference] if self.reference is not None else [])

    def inputs(self, source: Source, out: Path) -> list[Path]:
        """Return the figures that the pages show."""
        return files_in(self._figures(out), "*.png")

    def _figures(self, out: Path) -> Path:
        return out.parent / self.figures


@PARTS.register_module()
class SweepPage(Part):
    """The sweep as one HTML page, with the figures that the recipe has made.

    Args:
        figures: folder of the figures, beside its own.
        **shared: see `Part`.
    """

    usual_folder = "report"
    reads: ClassVar[str] = SWEEP

    def __init__(self, figures: str = "figures", **shared: Any) -> None:
        super().__init__(**shared)
        self.figures = figures

    def make(self, source: Source, out: Path) -> Made:
        """Write ``index.html``."""
        from analysis.report import write_sweep_report

        return Made(write_sweep_report(source.path, out, figures=out.parent / self.figures))

    def arguments(self, source: Source, out: Path) -> list[str]:
        """Return those of ``report``, which shows the figures in the sweep's own folder."""
        return ["report", str(source.path), "--out", str(out)]

    def inputs(self, source: Source, out: Path) -> list[Path]:
        """Return the figures that the page shows."""
        return files_in(out.parent / self.figures, "*.png")
