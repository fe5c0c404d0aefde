"""Single numbers of a paper's sentences: which one is meant, and what the tables say of it.

A mean and its interval are those of ``make-tables --spread interval``. A difference of two cells is
that of ``make-tables --difference``, with its correction: of the grid's own table where one of the
two is its reference cell, else of that with ``--reference OTHER``. Whatever no table shows, such as
a cell's score minus that with another sound, is a contrast on common seeds and clips by the same
statistics.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple

import pandas as pd

from analysis.runs.clicks import with_clicks
from analysis.runs.controls import Column, is_control
from analysis.runs.measures import EXTRA_COLUMNS
from analysis.runs.results import WHOLE, Results, select, with_reference
from analysis.runs.splits import derived_splits
from analysis.statistics.crossed_means import Settings
from analysis.statistics.significance import infer_contrast
from analysis.tables.make import Table, decimals, make_table, pairs
from auralsam2.messages import unknown_name


class Term(NamedTuple):
    """A cell's score in a column."""

    cell: str
    column: Column

    def __str__(self) -> str:
        """Say it."""
        return f"{self.cell} in {self.column[1]} on {self.column[0]}"


class Quantity(NamedTuple):
    """A number and what is known of it; NaN where nothing is."""

    value: float
    terms: tuple[Term, ...]  # the cell, and the one that is taken from it
    low: float = math.nan  # end of the interval
    high: float = math.nan
    p: float = math.nan  # of a difference being zero, uncorrected
    p_corrected: float = math.nan  # by Holm, over the cells that a table compares with the other
    significant: bool = False
    remark: str = ""  # why there is no interval
    seeds: int = 0
    clips: int = 0

    def negative(self) -> Quantity:
        """Return the difference the other way round."""
        return self._replace(
            value=-self.value, low=-self.high, high=-self.low, terms=self.terms[::-1]
        )

    @property
    def is_difference(self) -> bool:
        """Whether something is taken from something."""
        return len(self.terms) > 1


@dataclass(frozen=True)
class Numbers:
    """Looks up numbers of finished runs.

    Raises:
        ValueError: by every method, for what is not there: with the known names, or why not.
    """

    results: Results  # compared with a cell or not
    scores: tuple[str, ...] = ()  # of the table, ``SPLIT:METRIC``; none for all that say something
    columns: tuple[str, ...] = ()  # of `EXTRA_COLUMNS`
    settings: Settings = field(default_factory=Settings)
    _tables: dict[Any, Table] = field(default_factory=dict, init=False, repr=False, compare=False)

    @cached_property
    def _all(self) -> Results:
        """What numbers may be named of: also scores after clicks, which have their own tables."""
        return with_clicks(self.results)

    @cached_property
    def table(self) -> Table:
        """The means with their intervals."""
        return self._table(self.results, self.scores, compared=False)

    def mean(self, term: Term) -> Quantity:
        """Return a cell's mean."""
        self._check(term)
        table = self._showing(term.column)
        known = _row(table.intervals, term)
        if math.isnan(value := float(_at(table.mean, term))):
            raise ValueError(f"{term}: no run has a score")
        found = Quantity(value, (term,), seeds=int(_at(table.count, term)))
        if known is None:
            return found._replace(remark="no interval of it is known")
        return found._replace(
            low=float(known["low"]),
            high=float(known["high"]),
            remark=str(known["remark"]),
            clips=int(known["num_clips"]),
        )

    def difference(self, term: Term, other: Term) -> Quantity:
        """Return one score minus another one, on the seeds and clips that both have."""
        for one in (term, other):
            self._check(one)
        if term.column[1] != other.column[1]:
            raise ValueError(f"{term} minus {other}: two metrics have no difference")
        if term == other:
            raise ValueError(f"{term} minus itself is nothing")
        alike = term.column == other.column and not is_control(term.column[0])
        if any(one.column[1].endswith(WHOLE) for one in (term, other)):
            raise ValueError(f"{term} minus {other}: {WHOLE.strip()} scores have no clips to pair")
        if alike and term.cell == self.results.reference:
            # As the grid's own table compares the two, and corrects p.
            found = self._compared(other, term).negative()
        else:
            found = self._compared(term, other) if alike else self._contrast(term, other)
        if math.isnan(found.value):
            raise ValueError(f"{term} minus {other}: they share no seed and clip")
        return found

    def measure(self, cell: str, name: str) -> Quantity:
        """Return a cell's number in one of the columns that are no scores."""
        problems = [] if cell in self.results.cells else [self._unknown(cell)]
        if name not in EXTRA_COLUMNS:
            problems.append(unknown_name("column", name, EXTRA_COLUMNS))
        if problems:
            raise ValueError("; ".join(problems))
        table = self.table if name in self.table.extras else self._extra(name)
        value: Any = table.extras.at[cell, name]
        if math.isnan(value):
            raise ValueError(f"{cell}: no run has recorded {EXTRA_COLUMNS[name].header} ({name})")
        seeds = self.results.runs.loc[self.results.runs["cell"] == cell, "seed"].nunique()
        return Quantity(float(value), (Term(cell, ("", name)),), seeds=int(seeds))

    def has(self, term: Term) -> bool:
        """Return whether the table has a number there, of any cell and column."""
        return bool(pd.notna(_at(self.table.mean, term)))

    def digits(self, metric: str) -> int:
        """Return how many digits behind the point the table gives a metric."""
        return decimals(self.table, metric)

    def is_share(self, metric: str) -> bool:
        """Return whether a metric goes from 0 to 1, so that it may be written in percent."""
        return self.results.scale(metric).bounds == (0.0, 1.0)

    def runs(self, quantity: Quantity) -> list[str]:
        """Return the identities of the runs behind a number."""
        cells = {term.cell for term in quantity.terms}
        runs = self.results.runs
        return [str(name) for name in runs.loc[runs["cell"].isin(cells), "run_id"]]

    def _kept(self, key: Any, make: Callable[[], Table]) -> Table:
        if key not in self._tables:
            self._tables[key] = make()
        return self._tables[key]

    def _table(self, results: Results, scores: tuple[str, ...], *, compared: bool) -> Table:
        own = replace(results, notes=list(results.notes))
        return make_table(
            own,
            difference=compared,
            significance=compared,
            spread="interval",
            columns=() if compared else self.columns,
            scores=scores,
            settings=self.settings,
        )

    def _showing(self, column: Column) -> Table:
        if column in pairs(self.table.mean):
            return self.table
        named = (":".join(column),)
        return self._kept(column, lambda: self._table(self._all, named, compared=False))

    def _extra(self, name: str) -> Table:
        asked = replace(self, columns=(name,))
        return self._kept(name, lambda: asked.table)

    def _compared(self, term: Term, other: Term) -> Quantity:
        named = () if term.column in pairs(self.table.mean) else (":".join(term.column),)
        against = with_reference(self._all if named else self.results, other.cell)
        table = self._kept(
            (other.cell, named),
            lambda: self._table(against, named or self.scores, compared=True),
        )
        known = _row(table.comparison, term)
        if known is None:
            return Quantity(math.nan, (term, other))
        return _difference(
            (term, other),
            known,
            p_corrected=float(known["p_holm"]),
            significant=bool(known["significant"]),
            seeds=int(known["num_seeds"]),
            clips=int(known["num_clips"]),
        )

    def _contrast(self, term: Term, other: Term) -> Quantity:
        contrast = infer_contrast(self._all, {term: 1.0, other: -1.0}, self.settings)
        if contrast is None:
            return Quantity(math.nan, (term, other))
        sample, found = contrast
        _, seeds, clips = sample.values.shape
        significant = found["p"] < self.settings.alpha
        return _difference((term, other), found, significant=significant, seeds=seeds, clips=clips)

    def _check(self, term: Term) -> None:
        """Tell what is not known of a term, all at once."""
        (split, metric), problems = term.column, []
        if term.cell not in self.results.cells:
            problems.append(self._unknown(term.cell))
        splits = [*self._all.splits, *derived_splits(self.results)]
        metrics = [*self.results.metrics, *dict.fromkeys(self.results.whole.get("metric", ()))]
        if split not in splits:
            problems.append(unknown_name("split", split, splits))
        if metric not in metrics:
            problems.append(unknown_name("metric", metric, metrics))
        if problems:
            raise ValueError("; ".join(problems))

    def _unknown(self, cell: str) -> str:
        return unknown_name("cell", cell, self.results.cells)


def _difference(terms: tuple[Term, Term], found: Mapping[str, Any], **more: Any) -> Quantity:
    value, low, high, p = (float(found[name]) for name in ("difference", "low", "high", "p"))
    return Quantity(value, terms, low, high, p, remark=str(found["remark"]), **more)


def _at(frame: pd.DataFrame, term: Term) -> Any:
    return frame.at[term.cell, term.column]


def _row(frame: pd.DataFrame | None, term: Term) -> Mapping[str, Any] | None:
    """Return a term's row in a frame in long form."""
    if frame is None or frame.empty:
        return None
    split, metric = term.column
    own = select(frame, cell=term.cell, split=split, metric=metric)
    records: list[Any] = own.to_dict("records")
    return records[0] if records else None
