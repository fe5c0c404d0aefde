"""What trained weights are asked again for: attention, embeddings, masks of chosen clips."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from analysis.clips.picks import check_rules
from analysis.dilution.readings import DilutionReadings
from analysis.embeddings.points import RunPoints
from analysis.kept import Measurement
from analysis.options import name_problems
from analysis.paper.part import PARTS, Made, NothingToShow, Part, names_of
from analysis.paper.source import Source
from analysis.runs.results import with_reference
from auralsam2.counterfactuals import kinds


@PARTS.register_module()
class Dilution(Part):
    """How audio prompts fare in the mask decoder, site by site: curves, matrices, D1 and D2.

    Args:
        cells: of the grid; None for all whose model can be probed.
        sounds: counterfactual audio; the first one is drawn.
        max_clips: the first clips of the split only.
        split: whose clips.
        heads: a figure of single heads, too.
        **shared: see `Part`.
    """

    reads_data = True

    def __init__(
        self,
        cells: Sequence[str] | None = None,
        sounds: Sequence[str] = ("swapped", "silence"),
        max_clips: int | None = None,
        split: str = "test",
        heads: bool = False,
        **shared: Any,
    ) -> None:
        super().__init__(**shared)
        self.cells, self.sounds = names_of("cells", cells), names_of("sounds", sounds) or ()
        if problems := name_problems("sound", self.sounds, kinds()):
            raise ValueError("; ".join(problems))
        self.max_clips, self.split, self.heads = max_clips, split, heads

    def make(self, source: Source, out: Path) -> Made:
        """Write ``dilution_*.*`` and ``site_matrix.*``."""
        from analysis.dilution.measure import measure
        from analysis.figures import dilution

        measured = measure(source.results, self._readings(), cells=self.cells, **source.how())
        if not (paths := dilution.make(measured, out, heads=self.heads)):
            raise NothingToShow("; ".join(measured.problems))
        return Made(paths, measured.problems, measured.lost)

    def measurements(self, source: Source) -> list[Callable[[], object]]:
        """Return the reading of each run's attention."""
        return _of_each_run(self._readings(), source, self.cells)

    def _readings(self) -> DilutionReadings:
        return DilutionReadings(sounds=self.sounds, max_clips=self.max_clips, split=self.split)

    def arguments(self, source: Source, out: Path) -> list[str]:
        """Return those of ``measure-dilution``."""
        said = ["measure-dilution", str(source.path), "--out", str(out), "--sounds", *self.sounds]
        said += [*_some("--cells", self.cells), *_one("--max-clips", self.max_clips)]
        return [*said, "--split", self.split, *(["--heads"] if self.heads else [])]


@PARTS.register_module()
class Embeddings(Part):
    """The audio-visual space of every arm: t-SNE, and the companions in numbers.

    Args:
        cells: of the grid, in the order of the panels; None for all that have such a space.
        max_clips: the first clips of the split only.
        split: whose clips.
        level: of the pyramid, -1 the coarsest.
        perplexities: of t-SNE; the one in the middle is drawn large.
        **shared: see `Part`.
    """

    reads_data = True

    def __init__(
        self,
        cells: Sequence[str] | None = None,
        max_clips: int | None = None,
        split: str = "test",
        level: int = -1,
        perplexities: Sequence[float] = (15, 30, 60),
        **shared: Any,
    ) -> None:
        super().__init__(**shared)
        self.cells, self.max_clips, self.split = names_of("cells", cells), max_clips, split
        self.level, self.perplexities = level, tuple(perplexities)

    def make(self, source: Source, out: Path) -> Made:
        """Write ``embedding_*.*``."""
        from analysis.embeddings.measure import measure
        from analysis.figures import embeddings

        how = {"cells": self.cells, "level": self.level, **source.how()}
        measured = measure(source.results, self._points(), **how)
        notes = measured.problems
        paths = embeddings.make(measured, out, perplexities=self.perplexities, notes=notes)
        if not paths:
            raise NothingToShow("; ".join(notes))
        return Made(paths, notes, measured.lost)

    def measurements(self, source: Source) -> list[Callable[[], object]]:
        """Return the drawing of each run's points."""
        return _of_each_run(self._points(), source, self.cells)

    def _points(self) -> RunPoints:
        return RunPoints(max_clips=self.max_clips, split=self.split)

    def arguments(self, source: Source, out: Path) -> list[str]:
        """Return those of ``measure-embeddings``."""
        said = ["measure-embeddings", str(source.path), "--out", str(out)]
        said += _some("--perplexities", [str(value) for value in self.perplexities])
        said += [*_some("--cells", self.cells), *_one("--max-clips", self.max_clips)]
        return [*said, "--split", self.split, "--level", str(self.level)]


@PARTS.register_module()
class Failures(Part):
    """Sheets of clips that rules pick, with the masks of the reference and of other cells.

    Args:
        rules: of `analysis.clips.picks.RULES`; None for all.
        num_clips: on a sheet, at most.
        cells: beside the reference; None for the best ones.
        other: cell that a rule compares with; None for the best one.
        reference: another cell than the grid's own.
        **shared: see `Part`.

    Raises:
        ValueError: for unknown rules.
    """

    reads_data = True

    def __init__(
        self,
        rules: Sequence[str] | None = None,
        num_clips: int = 4,
        cells: Sequence[str] | None = None,
        other: str | None = None,
        reference: str | None = None,
        **shared: Any,
    ) -> None:
        super().__init__(**shared)
        self.rules = tuple(check_rules(names_of("rules", rules) or ()))
        self.num_clips, self.cells = num_clips, names_of("cells", cells)
        self.other, self.reference = other, reference

    def make(self, source: Source, out: Path) -> Made:
        """Write ``failures_RULE.*``."""
        from analysis.figures import failures
        from analysis.statistics.significance import reference_problem

        results = source.results
        notes: list[str] = []
        lost: list[str] = []
        if self.reference is not None:
            results = with_reference(results, self.reference)
        if (problem := reference_problem(results)) is not None:
            raise NothingToShow(problem)
        paths = [
            path
            for rule in self.rules
            for path in failures.make(
                results,
                out,
                rule,
                num_clips=self.num_clips,
                cells=self.cells,
                other=self.other,
                overrides=source.overrides,
                notes=notes,
                lost=lost,
            )
        ]
        if not paths:
            raise NothingToShow("; ".join(notes))
        return Made(paths, notes, lost)

    def arguments(self, source: Source, out: Path) -> list[str]:
        """Return those of ``make-figures --failures``, which draws the other figures too."""
        said = ["make-figures", str(source.path), "--out", str(out), "--failures", *self.rules]
        said += ["--clips", str(self.num_clips), *_some("--cells", self.cells)]
        return [*said, *_one("--against", self.other), *_one("--reference", self.reference)]


def _of_each_run(
    measurement: Measurement[Any], source: Source, cells: Sequence[str] | None
) -> list[Callable[[], object]]:
    runs = source.results.runs
    chosen = runs if cells is None else runs[runs["cell"].isin(cells)]
    asked: dict[str, Any] = {"overrides": dict(source.overrides), "again": source.again}
    return [partial(measurement.of, Path(str(folder)), **asked) for folder in chosen["run_dir"]]


def _some(flag: str, values: Sequence[str] | None) -> list[str]:
    return [flag, *values] if values else []


def _one(flag: str, value: object) -> list[str]:
    return [] if value is None else [flag, str(value)]
