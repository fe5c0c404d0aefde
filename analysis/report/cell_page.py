"""The page of one cell: scores, config, training, its worst and best clips."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from analysis.report import charts, pages
from analysis.report.clips import ClipSection
from analysis.report.summary import Facts, in_words
from analysis.report.tables import DataTable, Entry, Records, clip_table, run_table
from analysis.runs.controls import flat_headers
from analysis.runs.results import select
from analysis.runs.saved_clips import first_runs
from analysis.tables import Table, pairs
from auralsam2.config_identity import counted

ABSENT = "(absent)"


class ConfigView(NamedTuple):
    """How a cell's config differs."""

    # Cell that it is compared with; None where it is that cell, or there is no config.
    base: str | None = None
    differences: DataTable | None = None  # one row a key
    whole: DataTable | None = None  # every key of the cell's own config
    problem: str = ""  # why there is nothing, or ""


def cell_page(
    table: Table,
    records: Records,
    cell: str,
    clips: ClipSection,
    links: Mapping[str, tuple[str, str] | None],
    folder: Path,
) -> str:
    """Return the page of a cell.

    ``links`` are ``before`` and ``after`` -> cell and address, or None; run folders are named from
    ``folder``.
    """
    results = table.results
    own = select(results.runs, cell=cell).sort_values("seed")
    runs = {
        int(seed): (records[cell, int(seed)], Path(run_dir))
        for seed, run_dir in zip(own["seed"], own["run_dir"], strict=True)
    }
    return pages.render(
        "report_cell.html.j2",
        title=f"{cell} · {results.title}",
        cell=cell,
        grid=results.title,
        links=links,
        facts=_facts(table, cell),
        runs=run_table(table, records, folder, cell=cell),
        config=config_view(table, cell),
        charts=charts.drawn(runs),
        clips=clips,
        clip_scores=clip_table(results, cell, pairs(table.mean)),
    )


def config_view(table: Table, cell: str) -> ConfigView:
    """Compare a cell's config with that of the reference, or of the first cell."""
    results = table.results
    base = str(results.reference if results.reference in results.cells else results.cells[0])
    try:
        own = read_config(first_runs(results)[cell].folder)
        other = None if cell == base else read_config(first_runs(results)[base].folder)
    except ValueError as error:
        return ConfigView(problem=str(error))
    if own is None:
        return ConfigView(problem="The run's folder has no config.py.")
    keys = [[Entry(key), Entry(value)] for key, value in own.items()]
    whole = DataTable("config", "Every key of the config", ["key", "value"], keys, code=True)
    if other is None:
        return ConfigView(whole=whole)
    rows = [list(map(Entry, difference)) for difference in compare_configs(other, own)]
    caption = f"Differences from {base}"
    differences = DataTable("differences", caption, ["key", base, cell], rows, code=True)
    return ConfigView(base, differences, whole)


def read_config(run_dir: Path) -> dict[str, str] | None:
    """Return dotted key -> value of a run's resolved config; None where there is none.

    Left out are the seed, which says which repetition it is, and what is no part of a run's
    identity (`auralsam2.config_identity`); of weight files only the name is there.

    Raises:
        ValueError: where ``config.py`` is no config.
    """
    path = run_dir / "config.py"
    if not path.is_file():
        return None
    from auralsam2.config import peek

    found = counted(peek(str(path)))
    return {key: repr(value) for key, value in found.items() if key != "seed"}


def compare_configs(base: Mapping[str, str], own: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """Return every key whose value differs, in the order of the first config, with both values.

    Where one config has a value and the other a component with keys of its own, as where a part is
    switched off, the component is one value.
    """
    base, own = _folded(base, own), _folded(own, base)
    pairs = ((key, base.get(key, ABSENT), own.get(key, ABSENT)) for key in {**base, **own})
    return [(key, left, right) for key, left, right in pairs if left != right]


def _folded(config: Mapping[str, str], other: Mapping[str, str]) -> dict[str, str]:
    """Write the keys below a key that has a value of its own in the other config as that value."""
    folded: dict[str, str] = {}
    for key, value in config.items():
        parts = key.split(".")
        above = (".".join(parts[:end]) for end in range(1, len(parts)))
        node = next((path for path in above if path in other), None)
        if node is None:
            folded[key] = value
        else:
            text = f"{key[len(node) + 1 :]}={value}"
            folded[node] = f"{folded[node]}, {text}" if node in folded else text
    return folded


def _facts(table: Table, cell: str) -> Facts:
    axes = table.results.axes.get(cell, {})
    facts = [(axis, label) for axis, label in axes.items() if label != cell]
    if cell == table.results.reference:
        facts.append(("role", "reference cell"))
    columns = pairs(table.mean)
    scored = zip(columns, flat_headers(columns), table.mean.loc[cell].notna(), strict=True)
    return facts + [
        (name, in_words(table, cell, column)) for column, name, known in scored if known
    ]
