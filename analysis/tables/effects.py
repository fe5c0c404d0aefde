"""Main effects and interactions of a grid's axes as a table."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analysis.runs.controls import flat_headers
from analysis.runs.results import Results, select
from analysis.statistics.crossed_means import USUAL, Settings
from analysis.statistics.effects import GridEffects, grid_effects
from analysis.tables.contrast_rows import entry, marks_note, write_rows
from analysis.tables.layout import p_text, three_digits
from analysis.tables.make import digits

NAME = "effects"
_ABSENT = "–"


def to_frame(held: GridEffects) -> pd.DataFrame:
    """Return all numbers in long form.

    Returns:
        Columns kind, axes, levels and against (of one or two axes, joined by `` × ``), averaged
        and of (combinations of the other axes), what `significance.compare` has behind the cell,
        and statistic and rows of the tests of all levels together, whose rows have no levels.
    """
    stated = pd.DataFrame(
        [
            {
                "effect": effect.name,
                "kind": effect.kind,
                "axes": " × ".join(effect.axes),
                "levels": " × ".join(effect.levels),
                "against": " × ".join(effect.against),
                "averaged": effect.num_places,
                "of": effect.of,
            }
            for effect in held.effects
        ]
    )
    single = stated.merge(held.found, on="effect", how="inner").drop(columns="effect")
    return pd.concat([single, held.joint], ignore_index=True)


def write(results: Results, folder: Path, settings: Settings = USUAL) -> list[Path]:
    """Write ``effects.md``, ``.tex`` and ``.csv``; nothing where no two axes meet."""
    held = grid_effects(results, settings)
    if held is None:
        return []
    return write_rows(
        to_texts(held),
        to_frame(held),
        folder,
        NAME,
        of=results.title,
        words=(0, 1),
        title=f"{results.title}: main effects and interactions",
        footnote=footnote(held),
        notes=held.notes,
    )


def to_texts(held: GridEffects) -> pd.DataFrame:
    """Return a row an effect, and one for all levels of an axis together where it has several."""
    found = {(r["effect"], r["split"], r["metric"]): r for r in held.found.to_dict("records")}
    joint = {(r["axes"], r["split"], r["metric"]): r for r in held.joint.to_dict("records")}
    headers = dict(zip(held.columns, flat_headers(held.columns), strict=True))
    places = {
        c: digits(select(held.found, split=c[0], metric=c[1])["difference"]) for c in held.columns
    }
    rows = []
    for axes, own in groupby(held.effects, key=lambda effect: effect.axes):
        for effect in own:
            pairs = [f"{a} − {b}" for a, b in zip(effect.levels, effect.against, strict=True)]
            level = pairs[0] if len(pairs) == 1 else " × ".join(f"({pair})" for pair in pairs)
            row = {"": " × ".join(axes), "level": level}
            if not held.design.full:
                row["averaged over"] = f"{effect.num_places} of {effect.of}"
            for column, header in headers.items():
                numbers = found.get((effect.name, *column))
                row[header] = entry(numbers, places[column]) if numbers else _ABSENT
            rows.append(row)
        tests = {column: joint.get((" × ".join(axes), *column)) for column in headers}
        if any(test and test["rows"] > 1 for test in tests.values()):
            row = {"": " × ".join(axes), "level": "together"}
            row |= {headers[c]: _joint(test) if test else _ABSENT for c, test in tests.items()}
            rows.append(row)
    return pd.DataFrame(rows)


def footnote(held: GridEffects) -> str:
    """Say what the numbers are."""
    tested = held.joint[held.joint["rows"] > 1]
    together = (
        " Together: F-test of all of them over the same clips and seeds, which takes it that they "
        "vary alike; its p is corrected likewise."
    )
    return (
        "Main effect: a level minus the reference level, averaged over the other axes; "
        "interaction: the difference of such differences. "
        + marks_note(held.found, "the main effects, or the interactions, of a column")
        + together * bool(len(tested))
    )


def _joint(test: Mapping[Any, Any]) -> str:
    if np.isnan(test["p"]):
        return _ABSENT
    return f"F {three_digits(test['statistic'])}, p {p_text(test['p_holm'])}"
