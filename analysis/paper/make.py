"""Make what a recipe states, part by part; what is there and still right is kept."""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
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
from analysis.paper.workers import Measure, measuring
from auralsam2.engine.provenance import code_version
from auralsam2.messages import is_message, message

STALE = "stale"
"""Folder of what an earlier call has made and this one has not."""


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
    jobs: int = 1,
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
        jobs: measurements of runs at once, each in a process.
        say: is told each part.
    """
    held = read_entries(out)
    before = {} if again else held
    usable, problems = _usable(sources, partial)
    problems += _unmatched(recipe, sources)
    entries: list[Entry] = []
    owners: dict[str, str] = {}  # file -> the part that wrote it first
    with measuring(jobs) as measure:
        for source in usable:
            moved = _set_aside(source, recipe, held, out)
            for number, (node, part) in enumerate(recipe.parts):
                if not part.wants(source):
                    continue
                entry = _make_part(node, part, source, out, before, measure)
                say(f"{source.name}: {entry.part}: {entry.status}")
                entries.append(entry)
                if entry.status == FAILED:
                    problems.append(f"{source.name}, {entry.part}: {entry.reason}")
                problems += [f"{source.name}, {entry.part}: {text}" for text in entry.lost]
                own = f"{entry.part} (parts.{number})"
                problems += [
                    f"{name}: {other} and {own} both write it; give one of them another `folder`"
                    for name in entry.files
                    if (other := owners.setdefault(name, own)) != own
                ]
                earlier = [e for e in held.values() if (e.source, e.key) not in _keys(entries)]
                write_manifest(out, recipe, usable, entries, problems=problems, earlier=earlier)
            for name in moved & owners.keys():
                (out / STALE / name).unlink()
    looked_at = {source.name for source in usable}
    earlier = [entry for entry in held.values() if entry.source not in looked_at]
    manifests = write_manifest(out, recipe, usable, entries, problems=problems, earlier=earlier)
    return Paper(tuple(entries), tuple(problems), tuple(manifests))


def _keys(entries: Sequence[Entry]) -> set[tuple[str, str]]:
    return {(entry.source, entry.key) for entry in entries}


def _set_aside(
    source: Source, recipe: Recipe, before: Mapping[tuple[str, str], Entry], out: Path
) -> set[str]:
    """Move files of parts that are no longer as they were, since pages show what lies there.

    Returns:
        Their names.
    """
    current = set()
    for node, part in recipe.parts:
        folder = out / source.name / part.folder
        if part.wants(source) and all(path.is_file() for path in part.inputs(source, folder)):
            current.add(_key(node, part, source, folder))
    moved = set()
    for (name, key), old in before.items():
        if name != source.name or key in current:
            continue
        for file in old.files.keys() - set(old.changed(out)):
            aside = out / STALE / file
            aside.parent.mkdir(parents=True, exist_ok=True)
            (out / file).replace(aside)
            moved.add(file)
    return moved


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
    before: Mapping[tuple[str, str], Entry],
    measure: Measure | None,
) -> Entry:
    folder = out / source.name / part.folder
    entry = Entry(str(node["type"]), source.name, MADE, settings=node, command="", key="")
    try:
        entry.command = part.command(source, folder)
        entry.key = _key(node, part, source, folder)
        earlier = before.get((source.name, entry.key))
        if earlier is not None and earlier.is_whole(out):
            entry.status, entry.files, entry.notes = KEPT, earlier.files, earlier.notes
            return entry
        if measure is not None and (measurements := part.measurements(source)):
            measure(measurements)
            source = replace(source, again=False)  # that has just been done
        made = part.make(source, folder)
        entry.notes, entry.lost = [str(n) for n in made.notes], [str(n) for n in made.lost]
        entry.files = {
            path.resolve().relative_to(out.resolve()).as_posix(): file_digest(path)
            for path in made.paths
        }
    except NothingToShow as why:
        entry.status, entry.reason = EMPTY, str(why)
    except (
        Exception
    ) as error:  # whatever a part or a model raises: the others are made all the same
        entry.status, entry.reason = FAILED, _said(error)
    return entry


def _said(error: Exception) -> str:
    """What went wrong, with its kind where it was not raised to be read."""
    return message(error) if is_message(error) else f"{type(error).__name__}: {error}"


def _key(node: dict[str, Any], part: Part, source: Source, folder: Path) -> str:
    """Everything that the files of a part depend on."""
    held = {
        "node": node,
        "source": source.digest,
        "overrides": {key: repr(value) for key, value in sorted(source.overrides.items())},
        "code": [code_version(), analysis_version(), _code_digest(type(part))],
        "inputs": [[path.name, file_digest(path)] for path in part.inputs(source, folder)],
    }
    return hashlib.sha256(json.dumps(held, sort_keys=True, default=repr).encode()).hexdigest()


def _code_digest(kind: type) -> str:
    """Of the file that a part comes from, which may be the user's own."""
    return file_digest(Path(inspect.getfile(kind)))
