"""What a paper's folder says of itself: every file, the runs behind it, the command, the code."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from analysis.paper.part import Recipe
from analysis.paper.source import Source, file_digest
from analysis.tables.text import escape_markdown, markdown_table
from auralsam2.engine.provenance import code_version, sources_hash
from auralsam2.text_files import write_text

JSON_NAME, TEXT_NAME = "manifest.json", "manifest.md"
SCHEMA = 1
MADE, KEPT, EMPTY, FAILED = "made", "kept", "nothing to show", "failed"


@dataclass
class Entry:
    """One part of one source."""

    part: str  # its class
    source: str  # name of the grid or sweep
    status: str  # "made", "kept" from an earlier call, "nothing to show" or "failed"
    settings: dict[str, Any]  # its node in the recipe
    command: str  # that makes it alone
    key: str  # of what it depends on; the same key means the same files
    files: dict[str, str] = field(default_factory=dict)  # path below the paper's folder -> SHA-256
    notes: list[str] = field(default_factory=list)  # what a reader must know
    # What is missing from the files; such an entry is made again
    lost: list[str] = field(default_factory=list)
    reason: str = ""  # why there is nothing

    def is_whole(self, folder: Path) -> bool:
        """Return whether nothing is lost, and all files are there as they were written."""
        return bool(self.files) and not self.lost and not self.changed(folder)

    def changed(self, folder: Path) -> list[str]:
        """Return the files that are gone, or are not what was written."""
        return [
            name
            for name, digest in self.files.items()
            if not (folder / name).is_file() or file_digest(folder / name) != digest
        ]


@lru_cache(maxsize=1)
def analysis_version() -> str:
    """Return a hash of the sources of analysis, ten digits."""
    return sources_hash(Path(__file__).resolve().parents[1], "*.py", "*.j2")


def read_entries(folder: Path) -> dict[tuple[str, str], Entry]:
    """Return (source, key) -> entry of an earlier manifest; nothing where it is not readable."""
    try:
        content = json.loads((folder / JSON_NAME).read_text(encoding="utf-8"))
        if content["schema"] != SCHEMA:
            return {}
        entries = [Entry(**entry) for entry in content["earlier"] + content["parts"]]
        return {(entry.source, entry.key): entry for entry in entries}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def write_manifest(
    folder: Path,
    recipe: Recipe,
    sources: Sequence[Source],
    entries: Sequence[Entry],
    problems: Sequence[str] = (),
    earlier: Sequence[Entry] = (),
) -> list[Path]:
    """Write ``manifest.json``, whole or not at all, and ``manifest.md`` for people.

    ``earlier`` are parts of an earlier call that are still to be looked at: a call that goes on
    after this one finds them there.
    """
    content = {
        "schema": SCHEMA,
        "title": recipe.title,
        "recipe": {"name": recipe.name, "sha256": file_digest(recipe.path)},
        "code_version": code_version(),
        "analysis_version": analysis_version(),
        "sources": {source.name: source.stated(folder) for source in sources},
        "problems": list(problems),
        "parts": [asdict(entry) for entry in entries],
        "earlier": [asdict(entry) for entry in earlier],
    }
    text = json.dumps(content, indent=1, default=repr)
    return [
        write_text(folder / JSON_NAME, f"{text}\n"),
        write_text(folder / TEXT_NAME, "\n".join([*_lines(content), ""])),
    ]


def _lines(content: Mapping[str, Any]) -> Iterator[str]:
    yield f"# {escape_markdown(content['title'])}"
    yield ""
    yield (
        f"Recipe `{content['recipe']['name']}`, code {content['code_version']}, analysis "
        f"{content['analysis_version']}; `{JSON_NAME}` has the digest of every file."
    )
    if content["problems"]:
        yield from ["", "Missing:", ""]
        yield from (f"- {escape_markdown(problem)}" for problem in content["problems"])
    for name, source in content["sources"].items():
        where = f"The {source['kind']} in {_code(source['folder'])}."
        yield from ["", f"## {escape_markdown(name)}", "", where]
        if source["unfinished"]:
            yield from ["", "Unfinished:", ""]
            yield from (f"- {escape_markdown(note)}" for note in source["unfinished"])
        own = [entry for entry in content["parts"] if entry["source"] == name]
        for entry in own:
            yield from ["", f"### {entry['part']}: {entry['status']}", ""]
            yield from [*(f"    {line}" for line in entry["command"].split("\n")), ""]
            yield from (f"- [{escape_markdown(path)}](<{quote(path)}>)" for path in entry["files"])
            yield from (f"- note: {escape_markdown(note)}" for note in entry["notes"])
            if entry["reason"]:
                yield f"- {escape_markdown(entry['reason'])}"
        if source["runs"]:
            header = ["cell", "seed", "run", "data", "code", "folder"]
            rows = map(_run_row, source["runs"])
            yield from ["", "### Runs", "", markdown_table(header, rows, words=range(len(header)))]


def _run_row(run: Mapping[str, Any]) -> list[str]:
    said = [escape_markdown(str(run[key])) for key in ("cell", "seed", "run_id")]
    return [*said, run["data_fingerprint"][:10], run["code_version"], _code(run["folder"])]


def _code(path: str) -> str:
    """Return a path as code where nothing in it would end that."""
    plain = path.isprintable() and not set("`|") & set(path)
    return f"`{path}`" if plain else escape_markdown(path)
