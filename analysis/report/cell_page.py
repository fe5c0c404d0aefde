"""The page of one cell: scores, config, training, its worst and best clips."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from analysis.report import charts, pages
from analysis.report.clips import ClipSection
from analysis.report.config_diff import compare_configs, read_config
from analysis.report.data_table import Column, DataTable, Entry
from analysis.report.run_tables import Records, clip_table, run_table, score_headers
from analysis.report.score_table import in_words
from analysis.report.summary import Fact
from analysis.tables import Table, pairs


class CellLinks(NamedTuple):
    """Pages around a cell's own, as seen from it.

    Attributes:
        report: address of the report.
        before: (cell, address) of the one before, or None.
        after: of the one after, or None.
    """

    report: str
    before: tuple[str, str] | None
    after: tuple[str, str] | None


class ConfigView(NamedTuple):
    """How a cell's config differs.

    Attributes:
        base: cell that it is compared with; None where it is that cell, or there is no config.
        differences: one row a key.
        whole: every key of the cell's own config.
        problem: why there is nothing, or "".
    """

    base: str | None
    differences: DataTable | None
    whole: DataTable | None
    problem: str = ""


def cell_page(
    table: Table,
    records: Records,
    cell: str,
    clips: ClipSection,
    links: CellLinks,
    folder: Path,
) -> str:
    """Return the page of a cell.

    Args:
        table: of the grid.
        records: of all runs.
        cell: name.
        clips: worst and best.
        links: to other pages.
        folder: that run folders are named from.
    """
    runs = _runs(table, records, cell)
    drawn = [
        (chart, charts.draw(chart, f"chart{index}"))
        for index, chart in enumerate(charts.collect(runs))
    ]
    return pages.render(
        "report_cell.html.j2",
        title=f"{cell} · {table.results.title}",
        cell=cell,
        grid=table.results.title,
        links=links,
        facts=_facts(table, cell),
        runs=run_table(table, records, folder, cell=cell),
        config=config_view(table, cell),
        charts=drawn,
        clips=clips,
        clip_scores=clip_table(table.results, cell, pairs(table.mean)),
    )


def config_view(table: Table, cell: str) -> ConfigView:
    """Compare a cell's config with that of the reference, or of the first cell."""
    results = table.results
    base = results.reference if results.reference in results.cells else results.cells[0]
    try:
        own = read_config(_first_folder(table, cell))
        other = None if cell == base else read_config(_first_folder(table, str(base)))
    except ValueError as error:
        return ConfigView(None, None, None, str(error))
    if own is None:
        return ConfigView(None, None, None, "The run's folder has no config.py.")
    whole = DataTable(
        "config",
        "Every key of the config",
        [Column("key"), Column("value")],
        [[Entry(key), Entry(value)] for key, value in own.items()],
        code=True,
    )
    if other is None:
        return ConfigView(None, None, whole)
    rows = [
        [Entry(key), Entry(left), Entry(right)] for key, left, right in compare_configs(other, own)
    ]
    headers = [Column("key"), Column(str(base)), Column(cell)]
    differences = DataTable("differences", f"Differences from {base}", headers, rows, code=True)
    return ConfigView(str(base), differences, whole, "")


def _facts(table: Table, cell: str) -> list[Fact]:
    axes = table.results.axes.get(cell, {})
    facts = [Fact(axis, label) for axis, label in axes.items() if label != cell]
    if cell == table.results.reference:
        facts.append(Fact("role", "reference cell"))
    columns = pairs(table.mean)
    scored = zip(columns, score_headers(columns), table.mean.loc[cell].notna(), strict=True)
    return facts + [Fact(name, in_words(table, cell, c)) for c, name, known in scored if known]


def _runs(table: Table, records: Records, cell: str) -> dict[int, tuple[Any, Path]]:
    frame = table.results.runs
    own: Mapping[int, str] = dict(
        frame.loc[frame["cell"] == cell, ["seed", "run_dir"]].itertuples(index=False, name=None)
    )
    return {int(s): (records[(cell, int(s))], Path(str(own[s]))) for s in sorted(own)}


def _first_folder(table: Table, cell: str) -> Path:
    frame = table.results.runs
    return Path(str(frame[frame["cell"] == cell].sort_values("seed").iloc[0]["run_dir"]))
