"""Tables of scores."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from analysis.paper.part import PARTS, Made, Part
from analysis.paper.source import Source
from analysis.results import Results, with_reference


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
        reported: JSON files of other papers' numbers.
        resamples: of bootstrap and permutations.
        **shared: see `Part`.
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
        resamples: int = 9_999,
        **shared: Any,
    ) -> None:
        super().__init__(**shared)
        self.spread, self.columns, self.scores = spread, columns, tuple(scores)
        self.difference, self.significance, self.reference = difference, significance, reference
        self.reported, self.resamples = tuple(reported), resamples

    def make(self, source: Source, out: Path) -> Made:
        """Write ``table.*``, and ``results.csv`` with the score of every clip."""
        from analysis.reported import load_reported
        from analysis.resampling import Settings
        from analysis.results import write_csv
        from analysis.tables import make_table, notes, write_tables

        results = self._results(source)
        table = make_table(
            results,
            difference=self.difference and _can_be_tested(results),
            significance=self.significance and _can_be_tested(results),
            spread=self.spread,
            columns=self._columns(results),
            scores=self.scores,
            reported=[row for path in self.reported for row in load_reported(Path(path))],
            settings=Settings(num_resamples=self.resamples),
        )
        paths = [write_csv(results, out / "results.csv"), *write_tables(table, out)]
        return Made(paths, notes(table))

    def command(self, source: Source, out: Path) -> str:
        """Return ``auralsam2 make-tables ...``."""
        said = [f"auralsam2 make-tables {source.path} --out {out} --spread {self.spread}"]
        if columns := self._columns(source.results):
            said.append(f"--columns {' '.join(columns)}")
        if self.scores:
            said.append(f"--scores {' '.join(self.scores)}")
        said += ["--difference"] if self.difference else []
        said += [] if self.significance else ["--no-significance"]
        said += [f"--reference '{self.reference}'"] if self.reference else []
        said += [f"--reported {' '.join(self.reported)}"] if self.reported else []
        return " ".join([*said, f"--resamples {self.resamples}"])

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


def _can_be_tested(results: Results) -> bool:
    from analysis.significance import reference_problem

    return len(results.cells) > 1 and reference_problem(results) is None
