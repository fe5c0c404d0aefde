"""Numbers for the sentences of a paper, as TeX macros."""

from __future__ import annotations

import string
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from analysis.paper.part import PARTS, Made, Part
from analysis.paper.source import Source
from analysis.runs.measures import EACH_PART, EXTRA_COLUMNS
from analysis.statistics.crossed_means import CLIPS, CLIPS_AND_SEEDS, Settings
from analysis.tables import measured_columns
from analysis.tables.macro_names import PREFIX, is_macro_name
from analysis.tables.macros import (
    OF_DIFFERENCES,
    SHOWN,
    SIGNS,
    Asked,
    Macro,
    Style,
    asked_macro,
    automatic_macros,
    check_names,
    write_macros,
)
from analysis.tables.numbers import Numbers as Lookup
from auralsam2.messages import unknown_name

_STYLE = tuple(f.name for f in fields(Style))
_OTHER = ("cell", "split")
_KEYS = ("cell", "split", "metric", "column", "minus", "show", "words", *_STYLE)


@PARTS.register_module()
@dataclass(kw_only=True)
class Numbers(Part):
    """Numbers as TeX macros, ``numbers.tex``, and what stands behind each, ``numbers.json``.

    A node of ``numbers`` is ``dict(cell=, split=, metric=)`` or ``dict(cell=, column=)``, with
    ``minus`` a difference, and what `Asked` and `Style` have; see docs/paper.md.

    Raises:
        ValueError: for names that are none of TeX's, and nodes that say nothing clear; all at once.
    """

    usual_folder = "numbers"
    names = ("columns", "scores")
    tool = "make-paper"

    # Name of the macro, behind the prefix -> node
    numbers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    scores: Sequence[str] = ()  # SPLIT:METRIC of that table; none for all that say something
    # Beside them, see make-tables --columns; None for all that were measured
    columns: Sequence[str] | None = None
    prefix: str = PREFIX
    # Cell -> its name in macros, where letters alone say too little
    cell_names: Mapping[str, str] = field(default_factory=dict)
    percent: bool = False  # print shares in percent
    digits: int | None = None  # behind the point; None for as many as the tables have
    interval: str = "[{low}, {high}]"
    reference: str | None = None  # another cell than the grid's own
    over: str = CLIPS_AND_SEEDS  # or "clips": intervals and tests for the trained models

    def __post_init__(self) -> None:
        super().__post_init__()
        problems = [*self._name_problems(), *self._column_problems()]
        style = Style(percent=self.percent, digits=self.digits, interval=self.interval)
        problems += _style_problems(vars(style))
        self._style, self._asked = style, dict[str, Asked]()
        for name, node in self.numbers.items():
            found = [*_node_problems(node)]
            problems += [f"numbers.{name}: {problem}" for problem in found]
            if not found:
                self._asked[name] = _asked(node, style)
        if problems:
            raise ValueError("\n".join(problems))

    def make(self, source: Source, out: Path) -> Made:
        """Write ``numbers.tex`` and ``numbers.json``.

        Raises:
            ValueError: naming every number that is not there, with the known cells, splits and
                metrics, and every name that would stand for two numbers.
        """
        results = source.against(self.reference)
        usual = measured_columns(results) if self.columns is None else self.columns
        lookup = Lookup(results, tuple(self.scores), tuple(usual), Settings(over=self.over))
        macros: list[Macro] = []
        problems = [
            f"cell_names: {unknown_name('cell', cell, results.cells)}"
            for cell in self.cell_names
            if cell not in results.cells
        ]
        for name, asked in self._asked.items():
            try:
                macros.append(asked_macro(f"{self.prefix}{name}", asked, lookup))
            except ValueError as error:
                problems.append(f"numbers.{name}: {error}")
        if problems:
            raise ValueError("\n".join(problems))
        macros += automatic_macros(lookup, self.prefix, self.cell_names, self._style)
        check_names(macros)
        return Made(write_macros(macros, lookup, out))

    def arguments(self, source: Source, out: Path) -> list[str]:
        """Return those of ``make-paper`` with the recipe; it makes the other parts, too."""
        paper = out.parents[len(Path(str(self.folder)).parts)]
        return [self.tool, str(source.path), "--recipe", self.recipe, "--out", str(paper)]

    def _name_problems(self) -> Iterator[str]:
        names = {
            "prefix": self.prefix,
            **{f"cell_names.{k}": v for k, v in self.cell_names.items()},
        }
        names |= {f"numbers.{name}": name for name in self.numbers}
        for where, name in names.items():
            if not (isinstance(name, str) and is_macro_name(name)):
                yield f"{where}: a macro's name has letters alone, got {name!r}"

    def _column_problems(self) -> Iterator[str]:
        known = (*EXTRA_COLUMNS, *EACH_PART)
        yield from (unknown_name("column", n, known) for n in self.columns or () if n not in known)
        if self.over not in (CLIPS, CLIPS_AND_SEEDS):
            yield unknown_name("over", self.over, (CLIPS, CLIPS_AND_SEEDS))


def _asked(node: Mapping[str, Any], style: Style) -> Asked:
    """Return what a node without problems asks for."""
    minus = node.get("minus")
    minus = {"cell": minus} if isinstance(minus, str) else minus
    cell, split = node["cell"], node.get("split", "")
    return Asked(
        cell,
        split,
        node.get("metric", ""),
        node.get("column", ""),
        None if minus is None else (minus.get("cell", cell), minus.get("split", split)),
        node.get("show", "mean" if minus is None else "difference"),
        tuple(node.get("words", ())),
        replace(style, **{key: node[key] for key in _STYLE if key in node}),
    )


def _node_problems(node: Any) -> Iterator[str]:
    if not isinstance(node, Mapping):
        yield f"wanted dict(cell=..., split=..., metric=...), got {node!r}"
        return
    yield from (unknown_name("key", key, _KEYS) for key in node if key not in _KEYS)
    if "cell" not in node:
        yield "whose number? say cell=..."
    scored = {"split", "metric"} & node.keys()
    if "column" in node and scored:
        yield "either split and metric, or column"
    elif "column" not in node and len(scored) < 2:
        yield "of what? say split=... and metric=..., or column=..."
    if (column := node.get("column")) is not None and column not in EXTRA_COLUMNS:
        yield unknown_name("column", str(column), EXTRA_COLUMNS)
    yield from _show_problems(node)
    yield from _style_problems({key: node[key] for key in _STYLE if key in node})


def _show_problems(node: Mapping[str, Any]) -> Iterator[str]:
    minus, words = node.get("minus"), node.get("words", ())
    show = node.get("show", "mean" if minus is None else "difference")
    if show not in SHOWN:
        yield unknown_name("show", str(show), SHOWN)
    elif show in OF_DIFFERENCES and minus is None:
        yield f"show={show!r} is of a difference: say minus=..., the cell to take from it"
    elif show == "mean" and minus is not None:
        yield "show='mean' is of one cell: leave out minus, or show='difference'"
    if isinstance(minus, Mapping):
        yield from (unknown_name("key of minus", k, _OTHER) for k in minus if k not in _OTHER)
    elif minus is not None and not isinstance(minus, str):
        yield f"minus: wanted a cell, or dict(cell=..., split=...), got {minus!r}"
    if "column" in node and (minus is not None or show not in ("mean", "seeds")):
        yield "a column has means alone: leave out minus and show"
    wanted = 3 if show == "words" else 0
    if isinstance(words, str) or len(words) != wanted:
        yield (
            "words are three, of a difference that is significant and above zero, significant and "
            f"below, not significant, with show='words'; got {words!r}"
        )


def _style_problems(style: Mapping[str, Any]) -> Iterator[str]:
    digits, sign = style.get("digits"), style.get("sign")
    if digits is not None and not (isinstance(digits, int) and digits >= 0):
        yield f"digits: wanted how many stand behind the point, got {digits!r}"
    if sign is not None and sign not in SIGNS:
        yield unknown_name("sign", str(sign), SIGNS)
    text = str(style.get("interval", "{low}{high}"))
    try:
        held = {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
    except ValueError:
        held = set()
    if held != {"low", "high"}:
        yield f"interval: wanted a text with {{low}} and {{high}}, got {text!r}"
