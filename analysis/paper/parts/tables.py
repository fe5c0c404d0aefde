"""Tables of scores."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from analysis.paper.part import PARTS, Made, NothingToShow, Part, names_of
from analysis.paper.source import Source
from analysis.runs.results import Results, with_reference


@PARTS.register_module()
class ScoreTable(Part):
    """Scores of every cell: Markdown, LaTeX, CSV, and the runs behind each entry.

    Args:
        spread: ``"std"`` or ``"interval"``.
        columns: beside the scores, see ``make-tables --columns``; None for all that were measured.
        scores: ``SPLIT:METRIC`` in order; none for all that say something.
        difference: show differences from the reference.
        significance: test against the reference, where there is one.
        reference: another cell than the grid's own.
        reported: JSON files of other papers' numbers, from the working folder.
        over: ``"clips and seeds"``, or ``"clips"``: intervals and tests for the trained models.
        **shared: see `Part`.

    Raises:
        ValueError: for an unknown spread, or a text where names belong.
    """

    usual_folder = "tables"

    def __init__(
        self,
        spread: str = "std",
        columns: Sequence[str] | None = None,
        scores: Sequence[str] = (),
        difference: bool = False,
        significance: bool = True,
        reference: str | None = None,
        reported: Sequence[str] = (),
        over: str = "clips and seeds",
        **shared: Any,
    ) -> None:
        super().__init__(**shared)
        if spread not in ("std", "interval"):
            raise ValueError(f"spread: got {spread!r}; known: std, interval")
        self.spread, self.columns = spread, names_of("columns", columns)
        self.scores = names_of("scores", scores) or ()
        self.difference, self.significance, self.reference = difference, significance, reference
        self.reported, self.over = names_of("reported", reported) or (), over

    def make(self, source: Source, out: Path) -> Made:
        """Write ``table.*``, and ``results.csv`` with the score of every clip."""
        from analysis.runs.reported import load_reported
        from analysis.runs.results import write_csv
        from analysis.statistics.crossed_means import Settings
        from analysis.tables import make_table, notes, write_tables

        results = self._results(source)
        problem = _no_comparison(results)
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
        said = ["make-tables", str(source.path), "--out", str(out), "--spread", self.spread]
        said += ["--clips-alone"] if self.over == "clips" else []
        for flag, values in (
            ("--columns", self._columns(source.results)),
            ("--scores", self.scores),
            ("--reported", self.reported),
        ):
            said += [flag, *values] if values else []
        said += ["--difference"] if self.difference else []
        said += [] if self.significance else ["--no-significance"]
        return said + (["--reference", self.reference] if self.reference is not None else [])

    def inputs(self, source: Source, out: Path) -> list[Path]:
        """Return the files of other papers' numbers."""
        return [Path(path) for path in self.reported]

    def _results(self, source: Source) -> Results:
        if self.reference is None:
            return source.results
        return with_reference(source.results, self.reference)

    def _columns(self, results: Results) -> list[str]:
        from analysis.tables import EXTRA_COLUMNS

        if self.columns is not None:
            return list(self.columns)
        measured = results.runs.dropna(axis="columns", how="all").columns
        named = [name for name, column in EXTRA_COLUMNS.items() if column.source in measured]
        return [name for name in named if name != "total_params"]


def _no_comparison(results: Results) -> str | None:
    from analysis.statistics.significance import reference_problem

    if len(results.cells) < 2:
        return "there is one cell"
    return reference_problem(results)
