"""Tables, figures and pages of what the runs have scored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType

from analysis.figures import clicks, efficiency, grid_points, qualitative, sweep, training_curves
from analysis.paper.part import PARTS, Made, NothingToShow, Part, made, option, told
from analysis.paper.parts.claims import Asserted
from analysis.paper.source import SWEEP, Source
from analysis.report import ReportOptions, write_report, write_sweep_report
from analysis.runs.reported import load_reported
from analysis.runs.results import Results, write_csv
from analysis.statistics.crossed_means import Settings
from analysis.statistics.significance import reference_problem
from analysis.tables import (
    click_tables,
    make_table,
    measured_columns,
    notes,
    write_click_tables,
    write_tables,
)
from auralsam2.listing import files_in

NO_CLICKS = "no run was clicked on; set evaluation.clicks, e.g. to 3"


@PARTS.register_module()
@dataclass(kw_only=True)
class ScoreTable(Part):
    """Scores of every cell: Markdown, LaTeX, CSV, and the runs behind each entry.

    Raises:
        ValueError: for an unknown spread, or a text where names belong.
    """

    usual_folder = "tables"
    names = ("columns", "scores", "reported")
    tool = "make-tables"

    spread: str = told("--spread", "std")  # "std" or "interval"
    # Beside the scores, see make-tables --columns; None for all that were measured
    columns: Sequence[str] | None = None
    # SPLIT:METRIC in order; none for all that say something
    scores: Sequence[str] = told("--scores", ())
    difference: bool = told("--difference", False)  # show differences from the reference
    significance: bool = True  # test against the reference, where there is one
    reference: str | None = told("--reference", None)  # another cell than the grid's own
    # Above the table, and its label in LaTeX, "tab:words-of-the-title"; None for the grid's own
    title: str | None = told("--title", None)
    # JSON files of other papers' numbers, from the working folder
    reported: Sequence[str] = told("--reported", ())
    # "clips and seeds", or "clips": intervals and tests for the trained models
    over: str = "clips and seeds"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.spread not in ("std", "interval"):
            raise ValueError(f"spread: got {self.spread!r}; known: std, interval")

    def make(self, source: Source, out: Path) -> Made:
        """Write ``table.*``, and ``results.csv`` with the score of every clip."""
        results = source.against(self.reference)
        results = replace(results, title=self.title or results.title)
        single = "there is one cell" if len(results.cells) < 2 else None
        problem = single or reference_problem(results)
        if self.difference and problem:
            raise NothingToShow(f"no differences: {problem}")
        if self.significance and problem:
            results.notes.append(f"nothing is tested for significance: {problem}")
        table = make_table(
            results,
            difference=self.difference,
            significance=self.significance and not problem,
            spread=self.spread,
            columns=self._columns(results),
            scores=self.scores,
            reported=[row for path in self.reported for row in load_reported(Path(path))],
            settings=Settings(over=self.over),
        )
        paths = [write_csv(results, out / "results.csv"), *write_tables(table, out)]
        return Made(paths, notes(table))

    def arguments(self, source: Source, out: Path) -> list[str]:
        """Return those of ``make-tables``."""
        said = super().arguments(source, out)
        said += option("--columns", self._columns(source.results))
        said += option("--clips-alone", self.over == "clips")
        return said + option("--no-significance", not self.significance)

    def inputs(self, source: Source, out: Path) -> list[Path]:
        """Return the files of other papers' numbers."""
        return [Path(path) for path in self.reported]

    def _columns(self, results: Results) -> Sequence[str]:
        return measured_columns(results) if self.columns is None else self.columns


@PARTS.register_module()
@dataclass(kw_only=True)
class ClickTable(Part):
    """Scores after corrective clicks, with the sound and without, a table a metric."""

    usual_folder = "tables"
    tool = "make-tables"

    spread: str = told("--spread", "interval")  # "std" or "interval"
    reference: str | None = told("--reference", None)  # another cell than the grid's own

    def make(self, source: Source, out: Path) -> Made:
        """Write ``clicks/METRIC/table.*``."""
        tables = click_tables(source.against(self.reference), spread=self.spread)
        if not tables:
            raise NothingToShow(NO_CLICKS)
        said = dict.fromkeys(note for table in tables.values() for note in notes(table))
        return Made(write_click_tables(tables, out), list(said))


class GridFigure(Part):
    """A figure of a grid; ``make-figures`` draws the others, too."""

    tool = "make-figures"
    figure: ModuleType
    """The module whose ``make`` draws it."""
    nothing = ""
    """Why it may not be drawn, where its notes do not say so."""

    def make(self, source: Source, out: Path) -> Made:
        """Draw the figure."""
        results = source.results
        return made(source, results, self.draw(results, out), self.nothing)

    def draw(self, results: Results, out: Path) -> list[Path]:
        """Write the files; none where there is nothing to show."""
        return list(self.figure.make(results, out))


@PARTS.register_module()
class GridPoints(GridFigure):
    """Every cell: a point for each seed, a bar for the mean."""

    figure = grid_points


@PARTS.register_module()
class TrainingCurves(GridFigure):
    """Losses and validation scores while the cells were trained."""

    figure = training_curves
    nothing = "no run was trained, or none has kept its log"


@PARTS.register_module()
class Efficiency(GridFigure):
    """Score against speed and size."""

    figure = efficiency
    nothing = "no run was timed"


@PARTS.register_module()
class ClickCurves(GridFigure):
    """Scores against the number of corrective clicks, with the sound and without."""

    figure = clicks
    nothing = NO_CLICKS


@PARTS.register_module()
@dataclass(kw_only=True)
class Qualitative(GridFigure):
    """Clips whose masks all runs have saved, a row a cell."""

    nothing = "no run has saved predictions"

    num_clips: int = told("--clips", 2)  # on the sheet

    def draw(self, results: Results, out: Path) -> list[Path]:
        """Write ``qualitative.*``."""
        return qualitative.make(results, out, num_clips=self.num_clips)


@PARTS.register_module()
class SweepFigures(Part):
    """Trials of a sweep in order, importance of its parameters, slices, Pareto front."""

    reads = SWEEP
    tool = "make-figures"

    def make(self, source: Source, out: Path) -> Made:
        """Write ``sweep_*.*``."""
        if not (paths := sweep.make(source.path, out)):
            raise NothingToShow("too few trials are complete")
        return Made(paths)


@dataclass(kw_only=True)
class Page(Part):
    """Pages that show the figures which the recipe has made; ``report`` shows the source's own.

    Put it behind the figures in the recipe.
    """

    usual_folder = "report"
    tool = "report"

    figures: str = "figures"  # folder of the figures, beside its own

    def inputs(self, source: Source, out: Path) -> list[Path]:
        """Return the figures, and what else it depends on."""
        return [*files_in(out.parent / self.figures, "*.png"), *super().inputs(source, out)]


@PARTS.register_module()
@dataclass(kw_only=True)
class Report(Page, Asserted):
    """The grid as HTML pages that work offline, with the figures that the recipe has made."""

    reads_data = True

    num_clips: int = told("--clips", 3)  # worst clips of a cell, and as many best ones
    reference: str | None = told("--reference", None)  # another cell than the grid's own

    def make(self, source: Source, out: Path) -> Made:
        """Write ``index.html`` and a page for every cell."""
        results = source.against(self.reference)
        figures = out.parent / self.figures
        claims, how = self.asserted(source), source.how()
        options = ReportOptions(self.num_clips, figures=figures, claims=claims, **how)
        paths = write_report(results, source.path, out, options)
        return made(source, results, paths)

    def arguments(self, source: Source, out: Path) -> list[str]:
        """Return those of ``report``."""
        return super().arguments(source, out) + option("--again", source.again)


@PARTS.register_module()
class SweepPage(Page):
    """The sweep as one HTML page, with the figures that the recipe has made."""

    reads = SWEEP

    def make(self, source: Source, out: Path) -> Made:
        """Write ``index.html``."""
        return Made(write_sweep_report(source.path, out, figures=out.parent / self.figures))
