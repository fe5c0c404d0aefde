"""Numbers as TeX macros: what a recipe asks for, how it is printed, and the two files of it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from analysis.runs.controls import base_split, is_control
from analysis.runs.measures import EXTRA_COLUMNS
from analysis.runs.results import WHOLE
from analysis.tables.latex_text import escape
from analysis.tables.layout import Notation, p_text, three_digits
from analysis.tables.macro_names import collisions, macro_name
from analysis.tables.make import pairs
from analysis.tables.numbers import Numbers, Quantity, Term
from auralsam2.text_files import json_text, write_text

TEX, JSON = "numbers.tex", "numbers.json"
SCHEMA = 1
MINUS, PLUS = r"\ensuremath{-}", r"\ensuremath{+}"
"""Both within and without mathematics."""
SHOWN = ("mean", "difference", "interval", "low", "high", "p", "seeds", "clips", "words")
OF_DIFFERENCES = ("difference", "p", "words")
SIGNS = ("always", "negative", "never")


@dataclass(frozen=True)
class Style:
    """How numbers are printed."""

    percent: bool = False  # scores in percent, the sign of which a sentence writes
    # Behind the point; None for as many as the tables have, less the two of percent
    digits: int | None = None
    # "always", "negative" (numbers below zero alone) or "never" (how large it is); None for
    # "always" of differences and "negative" of all else
    sign: str | None = None
    interval: str = "[{low}, {high}]"


@dataclass(frozen=True)
class Asked:
    """A number that a recipe asks for by name."""

    cell: str
    split: str = ""
    metric: str = ""
    column: str = ""  # one of `EXTRA_COLUMNS` in the place of split and metric
    other: tuple[str, str] | None = None  # cell and split of what is taken from it
    show: str = "mean"  # one of `SHOWN`
    # Of "words": what is said of a difference that is significant and above zero, significant and
    # below, not significant
    words: tuple[str, ...] = ()
    style: Style = Style()


class Macro(NamedTuple):
    """A macro."""

    name: str  # without the backslash
    text: str  # LaTeX
    show: str  # one of `SHOWN`, or "count"
    what: str  # it stands for, for errors and comments
    quantity: Quantity | None = None  # None of counts


def asked_macro(name: str, asked: Asked, numbers: Numbers) -> Macro:
    """Return the macro of a number that is asked for.

    Raises:
        ValueError: where it is not there.
    """
    if asked.column:
        found = numbers.measure(asked.cell, asked.column)
        what = f"{EXTRA_COLUMNS[asked.column].header} of {asked.cell}"
        text = str(found.seeds) if asked.show == "seeds" else three_digits(found.value)
        return Macro(name, text, asked.show, what, found)
    term = Term(asked.cell, (asked.split, asked.metric))
    if asked.other is None:
        found = numbers.mean(term)
    else:
        cell, split = asked.other
        found = numbers.difference(term, Term(cell, (split, asked.metric)))
    return _printed(name, found, asked.show, asked.style, numbers, asked.words)


def automatic_macros(
    numbers: Numbers, prefix: str, cell_names: Mapping[str, str], style: Style
) -> Iterator[Macro]:
    r"""Yield the macros of all that the table shows.

    Of every cell and column the mean, ``\auralJSparseDense``, and its interval, ``...Interval``;
    of other cells than the reference the difference from it, ``...Difference``, with
    ``...DifferenceInterval`` and ``...DifferenceP``; the columns that are no scores,
    ``\auralParamsSparseDense``; and how many cells, seeds, runs and clips there are. What is not
    known has no macro.
    """
    yield from _counts(numbers, prefix)
    cells = numbers.results.cells
    called = {cell: cell_names.get(cell) or macro_name(cell) for cell in cells}
    columns = pairs(numbers.table.mean)
    heads = _heads([split for split, _ in columns])
    for split, metric in columns:
        for cell in cells:
            term = Term(cell, (split, metric))
            name = f"{prefix}{macro_name(metric)}{heads[split]}{called[cell]}"
            yield from _scores(name, term, numbers, style)
    for column, values in numbers.table.extras.items():
        for cell in map(str, values.dropna().index):
            name = f"{prefix}{macro_name(str(column))}{called[cell]}"
            yield asked_macro(name, Asked(cell, column=str(column)), numbers)


def check_names(macros: Sequence[Macro]) -> None:
    """Raise where one name would stand for several things.

    Raises:
        ValueError: naming all of them.
    """
    if problems := collisions([(macro.name, macro.what) for macro in macros]):
        raise ValueError("\n".join(problems))


def write_macros(macros: Sequence[Macro], numbers: Numbers, out: Path) -> list[Path]:
    """Write ``numbers.tex`` and ``numbers.json``."""
    title = _comment(numbers.results.title)
    lines = [
        f"% {title}: written by auralsam2 make-paper, do not edit. A macro swallows the space",
        r"% behind it: write \auralJSparseDense{}. Load it once, before \begin{document}.",
        *(f"\\newcommand{{\\{m.name}}}{{{m.text}}} % {_comment(m.what)}" for m in macros),
    ]
    content = {
        "schema": SCHEMA,
        "title": numbers.results.title,
        "reference": numbers.results.reference,
        "runs": {
            str(run["run_id"]): {"cell": run["cell"], "seed": run["seed"]}
            for run in numbers.results.runs.to_dict("records")
        },
        "macros": {macro.name: _stated(macro, numbers) for macro in macros},
    }
    return [
        write_text(out / TEX, "\n".join([*lines, ""])),
        write_text(out / JSON, json_text(content)),
    ]


def _counts(numbers: Numbers, prefix: str) -> Iterator[Macro]:
    results = numbers.results
    seeds = results.runs.groupby("cell")["seed"].nunique()
    yield Macro(f"{prefix}Cells", str(len(results.cells)), "count", "number of cells")
    yield Macro(f"{prefix}Runs", str(len(results.runs)), "count", "number of runs")
    several = _span(int(seeds.min()), int(seeds.max()))
    yield Macro(f"{prefix}Seeds", several, "count", "seeds of a cell")
    clips = results.scores[["split", "clip"]].drop_duplicates().groupby("split").size()
    for split, count in clips.items():
        if not is_control(str(split)):
            name = f"{prefix}Clips{macro_name(str(split))}"
            yield Macro(name, str(count), "count", f"clips of {split}")
    if results.reference in results.cells:
        text = escape(str(results.reference))
        yield Macro(f"{prefix}Reference", text, "count", "the reference cell")


def _span(least: int, most: int) -> str:
    return str(least) if least == most else f"{least} to {most}"


def _heads(splits: Sequence[str]) -> dict[str, str]:
    """Return what names say of splits: nothing of the only one, of its controls their kind."""
    bases = {base_split(split) for split in splits}
    return {
        split: macro_name(
            split.removeprefix(base_split(split)).removeprefix("_audio")
            if len(bases) == 1
            else split.replace("_audio_", "_")
        )
        for split in splits
    }


def _scores(name: str, term: Term, numbers: Numbers, style: Style) -> Iterator[Macro]:
    if not numbers.has(term):
        return
    yield from _with_interval(name, numbers.mean(term), "mean", numbers, style)
    reference, (split, metric) = numbers.results.reference, term.column
    if reference not in numbers.results.cells or term.cell == reference:
        return
    if is_control(split) or metric.endswith(WHOLE):
        return  # no table compares them
    try:
        found = numbers.difference(term, Term(str(reference), term.column))
    except ValueError:  # no clip and seed in common: the table has no difference either
        return
    name = f"{name}Difference"
    yield from _with_interval(name, found, "difference", numbers, style)
    if not math.isnan(found.p):
        yield _printed(f"{name}P", found, "p", style, numbers)


def _with_interval(
    name: str, found: Quantity, show: str, numbers: Numbers, style: Style
) -> Iterator[Macro]:
    yield _printed(name, found, show, style, numbers)
    if not math.isnan(found.low):
        yield _printed(f"{name}Interval", found, "interval", style, numbers)


def _printed(
    name: str,
    found: Quantity,
    show: str,
    style: Style,
    numbers: Numbers,
    words: Sequence[str] = (),
) -> Macro:
    """Return a number's macro, printed by the rules of the tables; an error where it is unknown."""
    metric = found.terms[0].column[1]
    what = f"{show} of {' minus '.join(map(str, found.terms))}"
    if style.percent and not numbers.is_share(metric):
        raise ValueError(f"{what}: {metric} does not go from 0 to 1, so that it has no percent")
    needed = {"interval": found.low, "low": found.low, "high": found.high, "p": found.p}
    if math.isnan(needed.get(show, 0.0)) or (show == "words" and math.isnan(found.p)):
        raise ValueError(f"{what}: {found.remark or 'it is not known'}")
    digits = numbers.digits(metric)
    if style.digits is not None:
        digits = style.digits + 2 * style.percent
    sign = style.sign or ("always" if found.is_difference else "negative")
    notation = Notation(minus=MINUS, plus=PLUS, percent=style.percent)

    def number(value: float) -> str:
        value = abs(value) if sign == "never" else value
        return notation.number(value, digits, signed=sign == "always")

    p = found.p if math.isnan(found.p_corrected) else found.p_corrected
    texts = {
        "seeds": lambda: str(found.seeds),
        "clips": lambda: str(found.clips),
        "p": lambda: rf"\ensuremath{{p {p_text(p)}}}",
        "words": lambda: _chosen(words, found),
        "interval": lambda: style.interval.format(low=number(found.low), high=number(found.high)),
        "low": lambda: number(found.low),
        "high": lambda: number(found.high),
    }
    text = texts.get(show, lambda: number(found.value))()
    return Macro(name, text, show, what, found)


def _chosen(words: Sequence[str], found: Quantity) -> str:
    above, below, undecided = words
    if not found.significant:
        return undecided
    return above if found.value > 0 else below


def _stated(macro: Macro, numbers: Numbers) -> dict[str, Any]:
    """Return what ``numbers.json`` says of a macro; what is not known is null."""
    stated: dict[str, Any] = {"text": macro.text, "shows": macro.show, "what": macro.what}
    if (found := macro.quantity) is None:
        return stated
    known = {key: getattr(found, key) for key in ("value", "low", "high", "p", "p_corrected")}
    terms = [
        {"cell": term.cell, "split": term.column[0], "metric": term.column[1]}
        for term in found.terms
    ]
    counts = {"num_seeds": found.seeds, "num_clips": found.clips}
    return {**stated, **known, "terms": terms, **counts, "runs": numbers.runs(found)}


def _comment(text: str) -> str:
    """Return any text as the rest of a line that TeX does not read."""
    return " ".join(text.split()).encode("ascii", "backslashreplace").decode()
