"""What a paper asserts, judged by the runs of each grid."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from analysis.claims import file
from analysis.claims.judge import judge_grids
from analysis.claims.table import notes, write_claims
from analysis.paper.part import PARTS, Made, NothingToShow, Part, option
from analysis.paper.source import Source


@dataclass(kw_only=True)
class Asserted(Part):
    """A part that shows claims."""

    # Shipped claims, or the path of a file, from the recipe's folder or the working one. None for
    # claims.py beside the recipe, else those that check-claims takes for the grid
    claims: str | None = None

    def asserted(self, source: Source) -> file.Claims | None:
        """Return the claims about a grid; None where there are none."""
        stated = self._stated()
        found = file.load_claims(stated) if stated else file.claims_for(source.path)
        about = None if found is None else found.about(source.name)
        return about if about is not None and about.claims else None

    def arguments(self, source: Source, out: Path) -> list[str]:
        """Return those of the command, with the claims that are named or beside the recipe."""
        return super().arguments(source, out) + option("--claims", self._stated())

    def inputs(self, source: Source, out: Path) -> list[Path]:
        """Return the file of the claims."""
        found = self.asserted(source)
        return super().inputs(source, out) + ([] if found is None else [found.path])

    def _stated(self) -> str | None:
        near = (self.beside or Path()) / (self.claims or file.FILE_NAME)
        return str(near) if near.is_file() else self.claims


@PARTS.register_module()
class Claims(Asserted):
    """Verdicts on what a paper asserts: supported, contradicted or undecided, and by what.

    A folder of a grid that no claim speaks of has none.
    """

    usual_folder = "tables"
    tool = "check-claims"

    def make(self, source: Source, out: Path) -> Made:
        """Write ``claims.{md,tex,json}``."""
        if (claims := self.asserted(source)) is None:
            raise NothingToShow("no claims are about it")
        judged = judge_grids(claims, {source.name: source.results})
        return Made(write_claims(judged, out, source.path), notes(judged))
