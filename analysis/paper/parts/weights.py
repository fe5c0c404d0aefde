"""What trained weights are asked again for: attention, embeddings, masks of chosen clips."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from analysis.clips.picks import check_rules
from analysis.dilution.measure import MeasuredDilution
from analysis.dilution.measure import measure as measure_dilution
from analysis.dilution.readings import SOUNDS, DilutionReadings
from analysis.embeddings.measure import MeasuredEmbeddings
from analysis.embeddings.measure import measure as measure_embeddings
from analysis.embeddings.points import RunPoints
from analysis.figures import dilution, embeddings, failures, robustness
from analysis.figures.embedding_tsne import PERPLEXITIES
from analysis.options import name_problems
from analysis.paper.part import PARTS, Made, NothingToShow, Part, compared, made, option, told
from analysis.paper.source import Source
from analysis.robustness.asked import asked_corruptions
from analysis.robustness.measure import MeasuredRobustness
from analysis.robustness.measure import measure as measure_robustness
from analysis.robustness.scores import RunRobustness
from analysis.runs.results import Results
from auralsam2.counterfactuals import kinds


@dataclass(kw_only=True)
class Measured(Part):
    """What is measured run by run, and kept there."""

    reads_data = True
    names: ClassVar[tuple[str, ...]] = ("cells",)

    # Of the grid, in this order; None for all that can be measured
    cells: Sequence[str] | None = told("--cells", None)
    max_clips: int | None = told("--max-clips", None)  # the first clips of the split only
    split: str = told("--split", "test")  # whose clips

    @abstractmethod
    def measure(self, results: Results, clips: Mapping[str, Any], **how: Any) -> Any:
        """Return what is measured of all ``runs``, and its ``problems``.

        ``clips`` are the settings that say which clips are measured; ``how`` are arguments of
        `analysis.measured_runs.measure_runs`.
        """

    @abstractmethod
    def write(self, measured: Any, out: Path) -> list[Path]:
        """Write the files; none where there is nothing to show."""

    def make(self, source: Source, out: Path) -> Made:
        """Measure what is not there, and show all."""
        clips = {"max_clips": self.max_clips, "split": self.split}
        how = {"cells": self.cells, "jobs": source.jobs, **source.how()}
        measured = self.measure(source.results, clips, **how)
        if not (paths := self.write(measured, out)):
            raise NothingToShow("; ".join(measured.problems))
        return Made(paths, measured.problems, measured.runs.lost_lines)


@PARTS.register_module()
@dataclass(kw_only=True)
class Dilution(Measured):
    """How audio prompts fare in the mask decoder, site by site: curves, matrices, D1 and D2."""

    names = ("cells", "sounds")
    tool = "measure-dilution"

    sounds: Sequence[str] = told("--sounds", SOUNDS)  # counterfactual audio; the first is drawn
    heads: bool = told("--heads", False)  # a figure of single heads, too

    def __post_init__(self) -> None:
        super().__post_init__()
        if problems := name_problems("sound", self.sounds, kinds()):
            raise ValueError("; ".join(problems))

    def measure(self, results: Results, clips: Mapping[str, Any], **how: Any) -> MeasuredDilution:
        """Read the attention of all runs."""
        return measure_dilution(
            results, DilutionReadings(sounds=tuple(self.sounds), **clips), **how
        )

    def write(self, measured: MeasuredDilution, out: Path) -> list[Path]:
        """Write ``dilution_*.*`` and ``site_matrix.*``."""
        return dilution.make(measured, out, heads=self.heads)


@PARTS.register_module()
@dataclass(kw_only=True)
class Embeddings(Measured):
    """The audio-visual space of every arm: t-SNE, and the companions in numbers."""

    tool = "measure-embeddings"

    level: int = told("--level", -1)  # of the pyramid, -1 the coarsest
    # Of t-SNE; the one in the middle is drawn large
    perplexities: Sequence[float] = told("--perplexities", PERPLEXITIES)

    def __post_init__(self) -> None:
        super().__post_init__()
        embeddings.check_perplexities(self.perplexities)

    def measure(self, results: Results, clips: Mapping[str, Any], **how: Any) -> MeasuredEmbeddings:
        """Draw the points of all runs."""
        return measure_embeddings(results, RunPoints(**clips), level=self.level, **how)

    def write(self, measured: MeasuredEmbeddings, out: Path) -> list[Path]:
        """Write ``embedding_*.*``."""
        return embeddings.make(measured, out, perplexities=self.perplexities)


@PARTS.register_module()
@dataclass(kw_only=True)
class Robustness(Measured):
    """Scores against the strength of corruptions of sound and picture: a figure and a table.

    Raises:
        ValueError: for unknown corruptions, or strengths that they do not have.
    """

    names = ("cells", "corruptions")
    tool = "measure-robustness"

    # Names, or nodes dict(type=..., strengths=(...)); None for all, at their usual strengths
    corruptions: Sequence[str | Mapping[str, Any]] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        asked_corruptions(self.corruptions)

    def measure(self, results: Results, clips: Mapping[str, Any], **how: Any) -> MeasuredRobustness:
        """Score all runs under corruptions."""
        settings = RunRobustness(corruptions=asked_corruptions(self.corruptions), **clips)
        return measure_robustness(results, settings, **how)

    def write(self, measured: MeasuredRobustness, out: Path) -> list[Path]:
        """Write ``robustness.*``."""
        return robustness.make(measured, out)

    def arguments(self, source: Source, out: Path) -> list[str]:
        """Say the corruptions by name; strengths and arguments are those of the recipe alone."""
        named = [
            one if isinstance(one, str) else str(one["type"]) for one in self.corruptions or ()
        ]
        return [*super().arguments(source, out), *option("--corruptions", named)]


@PARTS.register_module()
@dataclass(kw_only=True)
class Failures(Part):
    """Sheets of clips that rules pick, with the masks of the reference and of other cells.

    Raises:
        ValueError: for unknown rules.
    """

    reads_data = True
    names = ("rules", "cells")
    tool = "make-figures"

    # Of `analysis.clips.picks.RULES`; None for all
    rules: Sequence[str] | None = told("--failures", None)
    num_clips: int = told("--clips", 4)  # on a sheet, at most
    # Beside the reference; None for the best ones
    cells: Sequence[str] | None = told("--cells", None)
    # Cell that a rule compares with; None for the best trained one
    other: str | None = told("--against", None)
    reference: str | None = told("--reference", None)  # another cell than the grid's own

    def __post_init__(self) -> None:
        super().__post_init__()
        self.rules = check_rules(self.rules or ())

    def make(self, source: Source, out: Path) -> Made:
        """Write ``failures_RULE.*``."""
        results = compared(source, self.reference)
        asked: dict[str, Any] = {"num_clips": self.num_clips, "cells": self.cells}
        asked |= {"other": self.other, "overrides": source.overrides, "again": source.again}
        paths = []
        for rule in self.rules or ():
            paths += failures.make(results, out, rule, **asked)
        return made(source, results, paths)
