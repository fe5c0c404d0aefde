"""Files of claims: config files that say what a paper asserts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from analysis.claims.claim import CLAIMS, Claim
from auralsam2 import config
from auralsam2.builder import ComponentArgumentError, UnknownComponentError
from auralsam2.custom_imports import CUSTOM_KEY, import_custom
from auralsam2.engine.grid_manifest import read_manifest
from auralsam2.messages import unknown_name

FILE_NAME = "claims.py"
"""What a file of claims is called that lies in the folder of a grid, or beside a recipe."""
_FOLDER, _OF_THE_PAPER = "claims", "auralsam2"
_KEYS = ("claims", "title", "alpha", CUSTOM_KEY)


@dataclass(frozen=True)
class Claims:
    """What a paper asserts: one family of Holm's correction."""

    name: str  # of the file, without .py
    title: str  # for people
    claims: tuple[Claim, ...]  # in the order of the file
    path: Path  # of the file
    # Probability that any claim of the file is judged wrongly, for it or against it, at most
    alpha: float = 0.05
    elsewhere: int = 0  # claims of the file that were left out, since they are about other grids

    @property
    def family(self) -> int:
        """For how many tests Holm's correction is: all claims of the file."""
        return len(self.claims) + self.elsewhere

    def about(self, grid: str) -> Claims:
        """Return those about a grid, by its folder's name."""
        own = tuple(claim for claim in self.claims if claim.speaks_of(grid))
        return replace(self, claims=own, elsewhere=self.family - len(own))


def load_claims(name_or_path: str | Path) -> Claims:
    """Read a file of claims.

    It is an mmengine config with ``claims``, a list of nodes ``dict(type="Beats", sentence=...,
    cell=..., other=...)``; ``title``; ``alpha``; and ``custom_imports`` for kinds of one's own.

    Args:
        name_or_path: a shipped file, e.g. ``paper_mini``, or the path of a ``.py`` file.

    Raises:
        FileNotFoundError: if there is no such file; the message lists the known ones.
        ConfigError: with all problems at once.
    """
    path = config.find(name_or_path, folder=_FOLDER)
    cfg = config.peek(str(path))
    problems = import_custom(cfg, path.parent)
    problems += [unknown_name("key", key, _KEYS) for key in cfg if key not in _KEYS]
    content = cfg.to_dict()
    nodes, alpha = content.get("claims"), content.get("alpha", Claims.alpha)
    if not isinstance(alpha, float) or not 0 < alpha < 0.5:
        problems.append(f"alpha: wanted a number between 0 and 0.5, got {alpha!r}")
    if not isinstance(nodes, (list, tuple)) or not nodes:
        problems.append("claims: wanted a list of nodes, e.g. [dict(type='Beats', ...)]")
        nodes = []
    built = [_build(index, node, problems) for index, node in enumerate(nodes)]
    if problems:
        raise config.ConfigError(problems, source=f"claims '{path}'")
    held = tuple(claim for claim in built if claim is not None)
    return Claims(path.stem, str(cfg.get("title", path.stem)), held, path, alpha)


def claims_for(folder: Path) -> Claims | None:
    """Return the claims about a grid, or about the grids below a folder, without being told which.

    They are those of ``claims.py`` in the folder; else the shipped ones of the grid's name; else
    the AuralSAM2 paper's about this grid, or all of them where the folder is none. None where there
    are none.

    Raises:
        ConfigError: of `load_claims`.
    """
    if (folder / FILE_NAME).is_file():
        return load_claims(str(folder / FILE_NAME))
    manifest = read_manifest(folder)
    if manifest is not None and f"{_FOLDER}/{manifest.name}" in config.names(_FOLDER):
        return load_claims(manifest.name)
    paper = load_claims(_OF_THE_PAPER)
    if manifest is not None:
        paper = paper.about(folder.resolve().name)
    return paper if paper.claims else None


def _build(index: int, node: Any, problems: list[str]) -> Claim | None:
    try:
        claim: Claim = CLAIMS.build(node)
        return claim
    except (UnknownComponentError, ComponentArgumentError, ValueError, TypeError) as error:
        problems += [f"claims.{index}: {line}" for line in str(error).splitlines()]
        return None
