"""Make what a recipe states, part by part; what is there and still right is kept."""

from __future__ import annotations

import hashlib
import inspect
import json
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, field
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
from analysis.paper.part import NothingToShow, Part, Recipe
from analysis.paper.source import Source, file_digest
from auralsam2.engine.provenance import code_version
from auralsam2.messages import is_message, message
from auralsam2.text_files import write_text

STALE = "stale"
"""Folder of what an earlier call has made and this one has not."""
ERRORS = "errors.log"
"""What parts that failed have raised, and where."""


@dataclass(frozen=True)
class Paper:
    """What was made."""

    entries: tuple[Entry, ...]  # one a part and source
    problems: tuple[str, ...]  # why parts are missing; nothing where all is well
    # Of the manifests, and of the tracebacks of parts that failed, where some did
    paths: tuple[Path, ...]

    @property
    def notes(self) -> list[str]:
        """What a reader must know of each part."""
        return [
            f"{entry.source}, {entry.part}: {note}"
            for entry in self.entries
            for note in [*entry.notes, *([entry.reason] if entry.status == EMPTY else [])]
        ]


def make_paper(
    sources: Sequence[Source],
    recipe: Recipe,
    out: Path,
    *,
    again: bool = False,
    partial: bool = False,
) -> Paper:
    """Make a paper's tables, figures and pages, and print how each part has come out.

    Each source has a folder of its name in ``out``. The manifest is written after every part, so
    that nothing is lost where the program is stopped.

    Args:
        sources: grids and sweeps.
        recipe: what to make.
        out: folder of the paper.
        again: also what is there already.
        partial: of grids with unfinished runs, too.
    """
    usable, problems = _usable(sources, partial)
    problems += _unmatched(recipe, sources)
    (out / ERRORS).unlink(missing_ok=True)
    making = _Making(recipe, out, again, usable, problems)
    for source in usable:
        making.make(source)
    paths = making.write_manifest()
    paths += [out / ERRORS] if making.raised else []
    return Paper(tuple(making.entries), tuple(problems), tuple(paths))


@dataclass
class _Making:
    """A paper while it is made; the first fields are arguments of `make_paper`."""

    recipe: Recipe
    out: Path
    again: bool
    sources: Sequence[Source]  # that can be read
    problems: list[str]
    entries: list[Entry] = field(default_factory=list)
    raised: list[str] = field(default_factory=list)  # by parts that failed, with the traceback
    owners: dict[str, str] = field(default_factory=dict)  # file -> the part that wrote it first

    def __post_init__(self) -> None:
        self.held = read_entries(self.out)  # of an earlier call, still to be looked at

    def make(self, source: Source) -> None:
        """Make every part that is of a source."""
        moved = self._set_aside(source)
        for number, (node, part) in enumerate(self.recipe.parts):
            if part.wants(source):
                entry = self._make_part(node, part, source)
                print(f"{source.name}: {entry.part}: {entry.status}")
                self.entries.append(entry)
                self._note_problems(entry, number)
                self.write_manifest()
        for name in moved & self.owners.keys():
            (self.out / STALE / name).unlink()
        self.held = {key: held for key, held in self.held.items() if held.source != source.name}

    def write_manifest(self) -> list[Path]:
        """Write what has been made, and what a call that goes on after this one may still keep."""
        made = {(entry.source, entry.key) for entry in self.entries}
        earlier = [held for key, held in self.held.items() if key not in made]
        return write_manifest(
            self.out, self.recipe, self.sources, self.entries, self.problems, earlier
        )

    def _set_aside(self, source: Source) -> set[str]:
        """Move files of parts that are no longer as they were, since pages show what lies there.

        Returns:
            Their names.
        """
        current = set()
        for node, part in self.recipe.parts:
            inputs = part.inputs(source, part.place(source, self.out))
            if part.wants(source) and all(path.is_file() for path in inputs):
                current.add(self._key(node, part, source))
        moved = set()
        for (name, key), old in self.held.items():
            if name != source.name or key in current:
                continue
            for file in old.files.keys() - set(old.changed(self.out)):
                aside = self.out / STALE / file
                aside.parent.mkdir(parents=True, exist_ok=True)
                (self.out / file).replace(aside)
                moved.add(file)
        return moved

    def _make_part(self, node: dict[str, Any], part: Part, source: Source) -> Entry:
        folder = part.place(source, self.out)
        entry = Entry(str(node["type"]), source.name, MADE, settings=node, command="", key="")
        try:
            entry.command = part.command(source, folder)
            entry.key = self._key(node, part, source)
            earlier = None if self.again else self.held.get((source.name, entry.key))
            if earlier is not None and earlier.is_whole(self.out):
                entry.status, entry.files, entry.notes = KEPT, earlier.files, earlier.notes
                return entry
            made = part.make(source, folder)
            entry.notes, entry.lost = [str(n) for n in made.notes], [str(n) for n in made.lost]
            paths = [path.resolve() for path in made.paths]
            root = self.out.resolve()
            entry.files = {path.relative_to(root).as_posix(): file_digest(path) for path in paths}
        except NothingToShow as why:
            entry.status, entry.reason = EMPTY, str(why)
        except Exception as error:  # whatever a part or a model raises: the others are made
            entry.status, entry.reason = FAILED, _said(error)
            self.raised.append(f"{entry.source}, {entry.part}:\n{traceback.format_exc()}")
            write_text(self.out / ERRORS, "\n".join(self.raised))
        return entry

    def _note_problems(self, entry: Entry, number: int) -> None:
        where = f"{entry.source}, {entry.part}"
        said = [entry.reason] if entry.status == FAILED else []
        self.problems += [f"{where}: {text}" for text in [*said, *entry.lost]]
        own = f"{entry.part} (parts.{number})"
        for name in entry.files:
            if (other := self.owners.setdefault(name, own)) != own:
                self.problems.append(
                    f"{name}: {other} and {own} both write it; give one of them another `folder`"
                )

    def _key(self, node: dict[str, Any], part: Part, source: Source) -> str:
        """Everything that the files of a part depend on."""
        inputs = part.inputs(source, part.place(source, self.out))
        # The file that a part comes from may be the user's own.
        code = [code_version(), analysis_version(), file_digest(Path(inspect.getfile(type(part))))]
        held = {
            "node": node,
            "source": source.digest,
            "overrides": {key: repr(value) for key, value in sorted(source.overrides.items())},
            "code": code,
            "inputs": [[path.name, file_digest(path)] for path in inputs],
        }
        return hashlib.sha256(json.dumps(held, sort_keys=True, default=repr).encode()).hexdigest()


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


def _said(error: Exception) -> str:
    """What went wrong, with its kind where it was not raised to be read."""
    return message(error) if is_message(error) else f"{type(error).__name__}: {error}"
