"""Make what a recipe states, part by part; what is there and still right is kept."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis.paper.manifest import (
    EMPTY,
    FAILED,
    KEPT,
    MADE,
    Entry,
    analysis_version,
    read_entries,
    write_manifest,
)
from analysis.paper.part import NothingToShow, Part
from analysis.paper.recipe import Recipe
from analysis.paper.source import Source, file_digest
from auralsam2.engine.provenance import code_version


@dataclass(frozen=True)
class Paper:
    """What was made.

    Attributes:
        entries: one a part and source.
        problems: why parts are missing; nothing where all is well.
        manifests: paths.
    """

    entries: tuple[Entry, ...]
    problems: tuple[str, ...]
    manifests: tuple[Path, ...]


def make_paper(
    sources: Sequence[Source],
    recipe: Recipe,
    out: Path,
    *,
    again: bool = False,
    partial: bool = False,
    say: Callable[[str], None] = print,
) -> Paper:
    """Make a paper's tables, figures and pages.

    Each source has a folder of its name in ``out``. The manifest is written after every part, so
    that nothing is lost where the program is stopped.

    Args:
        sources: grids and sweeps.
        recipe: what to make.
        out: folder of the paper.
        again: also what is there already.
        partial: of grids with unfinished runs, too.
        say: is told each part.
    """
    before = {} if again else read_entries(out)
    usable, problems = _usable(sources, partial)
    problems += _unmatched(recipe, sources)
    entries: list[Entry] = []
    owners: dict[str, str] = {}  # file -> the part that wrote it first
    manifests: list[Path] = []
    for source in usable:
        for number, (node, part) in enumerate(recipe.parts):
            if not part.wants(source):
                continue
            entry = _make_part(node, part, source, out, before)
            say(f"{source.name}: {entry.part}: {entry.status}")
            entries.append(entry)
            if entry.status == FAILED:
                problems.append(f"{source.name}, {entry.part}: {entry.reason}")
            own = f"{entry.part} (parts.{number})"
            problems += [
                f"{name}: {other} and {own} both write it; give one of them another `folder`"
                for name in entry.files
                if (other := owners.setdefault(name, own)) != own
            ]
            manifests = write_manifest(out, recipe, usable, entries)
    return Paper(tuple(entries), tuple(problems), tuple(manifests))


def _usable(sources: Sequence[Source], partial: bool) -> tuple[list[Source], list[str]]:
    """Leave out what cannot be read, and grids that are not finished unless they may be."""
    usable, problems = [], []
    for source in sources:
        try:
            unfinished = source.unfinished
            _ = source.digest
        except (ValueError, OSError) as error:
            problems.append(f"{source.name}: {error}")
            continue
        if unfinished and not partial:
            listed = "".join(f"\n    - {note}" for note in unfinished)
            problems.append(
                f"{source.name}: left out, {len(unfinished)} of its runs are not finished; "
                f"run-grid goes on with them, --partial takes it as it is{listed}"
            )
            continue
        usable.append(source)
    return usable, problems


def _unmatched(recipe: Recipe, sources: Sequence[Source]) -> list[str]:
    """Say which parts name grids that are not there; a part for all of them may have none."""
    return [
        f"{node['type']}: no {part.reads} is called {' or '.join(map(repr, part.patterns))}"
        for node, part in recipe.parts
        if part.patterns != ("*",) and not any(part.wants(source) for source in sources)
    ]


def _make_part(
    node: dict[str, Any],
    part: Part,
    source: Source,
    out: Path,
    before: dict[tuple[str, str], Entry],
) -> Entry:
    folder = out / source.name / part.folder
    key = _key(node, part, source, folder)
    entry = Entry(
        part=str(node["type"]),
        source=source.name,
        status=MADE,
        settings=node,
        command=part.command(source, folder),
        key=key,
    )
    earlier = before.get((source.name, key))
    if earlier is not None and earlier.is_whole(out):
        entry.status, entry.files, entry.notes = KEPT, earlier.files, earlier.notes
        return entry
    try:
        made = part.make(source, folder)
    except NothingToShow as why:
        entry.status, entry.reason = EMPTY, str(why)
        return entry
    except (ValueError, LookupError, OSError, ImportError) as error:
        entry.status, entry.reason = FAILED, str(error)
        return entry
    entry.notes = [str(note) for note in made.notes]
    entry.files = {
        path.resolve().relative_to(out.resolve()).as_posix(): file_digest(path)
        for path in made.paths
    }
    return entry


def _key(node: dict[str, Any], part: Part, source: Source, folder: Path) -> str:
    held = {
        "node": node,
        "source": source.digest,
        "code": [code_version(), analysis_version()],
        "inputs": [[path.name, file_digest(path)] for path in part.inputs(source, folder)],
    }
    return hashlib.sha256(json.dumps(held, sort_keys=True).encode()).hexdigest()
