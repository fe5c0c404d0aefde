"""What trained weights are asked again for: attention, embeddings, masks of chosen clips."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from analysis.paper.part import PARTS, Made, NothingToShow, Part
from analysis.paper.source import Source


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
        self.cells, self.sounds = cells, tuple(sounds)
        self.max_clips, self.split, self.heads = max_clips, split, heads

    def make(self, source: Source, out: Path) -> Made:
        """Write ``dilution_*.*`` and ``site_matrix.*``."""
        from analysis.measured_dilution import measure

        measured = measure(
            source.results,
            out,
            cells=self.cells,
            sounds=self.sounds,
            max_clips=self.max_clips,
            split=self.split,
            heads=self.heads,
            overrides=source.overrides,
            progress=source.progress,
        )
        if not measured.paths:
            raise NothingToShow("; ".join(measured.problems))
        return Made(measured.paths, measured.problems)

    def command(self, source: Source, out: Path) -> str:
        """Return ``auralsam2 measure-dilution ...``."""
        said = [f"auralsam2 measure-dilution {source.path} --sounds {' '.join(self.sounds)}"]
        said += [_cells(self.cells)] if self.cells is not None else []
        said += [f"--max-clips {self.max_clips}"] if self.max_clips is not None else []
        return " ".join([*said, f"--split {self.split}", *(["--heads"] if self.heads else [])])


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
        self.cells, self.max_clips, self.split = cells, max_clips, split
        self.level, self.perplexities = level, tuple(perplexities)

    def make(self, source: Source, out: Path) -> Made:
        """Write ``embedding_*.*``."""
        from analysis.measured_embeddings import measure

        measured = measure(
            source.results,
            out,
            cells=self.cells,
            split=self.split,
            max_clips=self.max_clips,
            level=self.level,
            perplexities=self.perplexities,
            overrides=source.overrides,
            progress=source.progress,
        )
        if not measured.paths:
            raise NothingToShow("; ".join(measured.problems))
        return Made(measured.paths, measured.problems)

    def command(self, source: Source, out: Path) -> str:
        """Return ``auralsam2 measure-embeddings ...``."""
        perplexities = " ".join(map(str, self.perplexities))
        said = [f"auralsam2 measure-embeddings {source.path} --perplexities {perplexities}"]
        said += [_cells(self.cells)] if self.cells is not None else []
        said += [f"--max-clips {self.max_clips}"] if self.max_clips is not None else []
        return " ".join([*said, f"--split {self.split} --level {self.level}"])


@PARTS.register_module()
class Failures(Part):
    """Sheets of clips that rules pick, with the masks of the reference and of other cells.

    Args:
        rules: of `analysis.clip_picks.RULES`; None for all.
        num_clips: on a sheet, at most.
        cells: beside the reference; None for the best ones.
        other: cell that a rule compares with; None for the best one.
        **shared: see `Part`.
    """

    def __init__(
        self,
        rules: Sequence[str] | None = None,
        num_clips: int = 4,
        cells: Sequence[str] | None = None,
        other: str | None = None,
        **shared: Any,
    ) -> None:
        super().__init__(**shared)
        self.rules, self.num_clips = rules, num_clips
        self.cells, self.other = cells, other

    def make(self, source: Source, out: Path) -> Made:
        """Write ``failures_RULE.*``."""
        from analysis.clip_picks import RULES
        from analysis.figures import failures

        notes: list[str] = []
        paths = [
            path
            for rule in (RULES if self.rules is None else self.rules)
            for path in failures.make(
                source.results,
                out,
                rule,
                num_clips=self.num_clips,
                cells=self.cells,
                other=self.other,
                overrides=source.overrides,
                notes=notes,
            )
        ]
        if not paths:
            raise NothingToShow("; ".join(notes))
        return Made(paths, notes)

    def command(self, source: Source, out: Path) -> str:
        """Return ``auralsam2 make-figures --failures ...``, which draws the other figures too."""
        said = ["auralsam2 make-figures", str(source.path), "--failures", *(self.rules or [])]
        said += [_cells(self.cells)] if self.cells is not None else []
        return " ".join(said)


def _cells(names: Sequence[str]) -> str:
    return f"--cells {shlex.join(names)}"
