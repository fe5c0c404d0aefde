"""A grid's runs to a folder of pages: ``index.html``, and ``cells/NN-NAME.html`` each."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from analysis.claims.file import Claims
from analysis.report import claims, embedded_figures, pages
from analysis.report.cell_page import cell_page
from analysis.report.clips import ClipSection
from analysis.report.clips import collect as collect_clips
from analysis.report.summary import all_notes, primary_column, provenance_facts, summary
from analysis.report.tables import Records, run_table, score_table
from analysis.runs.results import Results
from analysis.statistics.significance import can_be_tested
from analysis.tables import Table, footnote, make_table, measured_columns
from analysis.tables.write import texts
from auralsam2.engine import run_record
from auralsam2.listing import files_in
from auralsam2.text_files import write_text

_OWN_PAGE = re.compile(r"\d{2,}-[a-z0-9-]*\.html")


@dataclass(frozen=True)
class ReportOptions:
    """What a report shows."""

    num_clips: int = 3  # worst clips of a cell, and as many best ones; 0 for none
    # Of the runs' configs where masks are made, e.g. ``{"data.root": ...}``.
    overrides: Mapping[str, Any] = field(default_factory=dict)
    again: bool = False  # make masks anew
    # Wraps what takes long, e.g. `rich.progress.track`.
    track: Callable[[Iterable[Any]], Iterable[Any]] = iter
    # Folder of the figures that are shown as they are; None for the grid's own, where missing ones
    # are drawn.
    figures: Path | None = None
    claims: Claims | None = None  # that are judged; None for no such section


def write_report(results: Results, folder: Path, out: Path, options: ReportOptions) -> list[Path]:
    """Write the report of a grid's ``folder``: ``index.html`` and the pages of the cells.

    Pages of an earlier report in ``out`` are replaced. The results note what cannot be shown.
    """
    table = _table(results)
    records = {
        (str(run["cell"]), int(run["seed"])): run_record.read_without_clips(str(run["run_dir"]))
        for run in results.runs.to_dict("records")
    }
    names = page_names(results.cells)
    written, missing = _write_cells(table, records, names, folder, out / "cells", options)
    results.notes.extend(missing)
    results.lost.extend(missing)
    figures = options.figures
    if figures is None:
        figures = folder / "figures"
        embedded_figures.draw_missing(results, figures)
    links = {cell: f"cells/{name}" for cell, name in names.items()}
    index = _index(table, records, links, folder, figures, options.claims)
    return [write_text(out / "index.html", index), *written]


def page_names(cells: Iterable[str]) -> dict[str, str]:
    """Return cell -> file name: numbered, since letters alone may not tell cells apart."""
    return {
        cell: f"{number:02}-{re.sub('[^a-z0-9]+', '-', cell.lower()).strip('-')[:40]}.html"
        for number, cell in enumerate(cells, start=1)
    }


def _table(results: Results) -> Table:
    tested = can_be_tested(results)
    return make_table(
        results,
        difference=tested,
        significance=tested,
        spread="interval",
        columns=measured_columns(results),
    )


def _index(
    table: Table,
    records: Records,
    links: Mapping[str, str],
    folder: Path,
    figures: Path,
    asserted: Claims | None,
) -> str:
    return pages.render(
        "report_index.html.j2",
        title=table.results.title,
        facts=summary(table, records),
        notes=all_notes(table, records),
        scores=score_table(table, links),
        footnote=footnote(table),
        downloads=pages.downloads(texts(table, folder)),
        claims=claims.section(table.results, asserted, folder),
        figures=embedded_figures.collect(figures),
        runs=run_table(table, records, folder, links=links),
        provenance=provenance_facts(table.results, records),
    )


def _write_cells(
    table: Table,
    records: Records,
    names: Mapping[str, str],
    folder: Path,
    out: Path,
    options: ReportOptions,
) -> tuple[list[Path], list[str]]:
    """Write a page for every cell, and return them, and what clips cannot be shown, and why.

    Those of an earlier report are removed.
    """
    written = []
    problems: dict[str, list[str]] = {}
    beside = [None, *names.items(), None]
    for index, cell in enumerate(options.track(table.results.cells)):
        clips = _clips(table, cell, folder, options)
        if clips.problem:
            problems.setdefault(clips.problem, []).append(cell)
        links = {"before": beside[index], "after": beside[index + 2]}
        page = cell_page(table, records, cell, clips, links, folder)
        written.append(write_text(out / names[cell], page))
    for path in files_in(out, "*.html"):
        if _OWN_PAGE.fullmatch(path.name) and path not in written:
            path.unlink()
    missing = [
        f"no worst and best clips of {', '.join(cells)}: {problem}"
        for problem, cells in problems.items()
    ]
    return written, missing


def _clips(table: Table, cell: str, folder: Path, options: ReportOptions) -> ClipSection:
    if not options.num_clips:
        return ClipSection("", {})
    making = {"overrides": options.overrides, "again": options.again}
    column = primary_column(table)
    section = collect_clips(table.results, cell, column, num_clips=options.num_clips, **making)
    # In one line, and without the folder: where it lies is nobody's business who gets the page.
    problem = " ".join(section.problem.replace(f"{folder}/", "").split())
    return section._replace(problem=problem)
