"""Scores after corrective clicks as results of their own: a cell with its sound, and without."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from analysis.runs.controls import base_split
from analysis.runs.results import Results, select
from analysis.runs.splits import table_columns
from auralsam2.clicked_splits import UNCLICKED, Clicked, parse_clicked

UNHEARD = ", no sound"
"""Stands behind the name of a cell whose sound had no part; not of one that hears nothing."""
NOTE = (
    "each click goes into the frame with the lowest J, there into the largest region that is "
    f"wrong; {UNCLICKED} is over the frames that get none of a row's own clicks; without "
    "sound nothing is segmented before the first click; encoder passes of a frame are those for "
    "clicks with sound and without"
)


def with_clicks(results: Results) -> Results:
    """Return results in which scores after clicks are of splits as all others."""
    if results.clicked.empty:
        return results
    scores = pd.concat([results.scores, results.clicked], ignore_index=True)
    made = dict.fromkeys(map(str, results.clicked["split"]))
    return replace(results, scores=scores, splits=(*results.splits, *made))


def after_clicks(results: Results) -> Results | None:
    """Return what runs scored after clicks; None where none did.

    Its cells stand once with their sound and once without, its splits are ``SPLIT_clicks_COUNT``.
    """
    if results.clicked.empty:
        return None
    parsed = {str(split): _parse(str(split)) for split in results.clicked["split"].unique()}
    heard = results.clicked["split"].map(lambda split: parsed[split].heard)
    hearing = set(results.clicked.loc[heard, "cell"])

    def called(cell: str, sound: bool) -> str:
        return f"{cell}{UNHEARD * (cell in hearing and not sound)}"

    scores = results.clicked.assign(
        cell=list(map(called, results.clicked["cell"], heard)),
        split=results.clicked["split"].map(lambda split: _name(parsed[split])),
    )
    both = {called(cell, sound): cell for cell in results.cells for sound in (True, False)}
    held = set(scores["cell"])
    cells = {name: cell for name, cell in both.items() if name in held}
    others = [cell for cell in results.cells if cell not in cells.values()]
    runs = [select(results.runs, cell=cell).assign(cell=name) for name, cell in cells.items()]
    counts = sorted(parsed.values(), key=lambda one: (results.splits.index(one.base), one.number))
    return replace(
        results,
        scores=scores,
        runs=pd.concat(runs, ignore_index=True),
        cells=tuple(cells),
        splits=tuple(dict.fromkeys(map(_name, counts))),
        metrics=tuple(dict.fromkeys(map(str, scores["metric"]))),
        title=f"{results.title}, after corrective clicks",
        reference=results.reference if results.reference in cells else None,
        axes={name: results.axes.get(cell, {}) for name, cell in cells.items()},
        notes=[NOTE, *([f"not clicked on: {', '.join(others)}"] if others else [])],
        whole=pd.DataFrame(),
        clicked=results.clicked.iloc[:0],
    )


def gains(clicked: Results) -> Results:
    """Return what each clip has gained since no click, in the results of `after_clicks`."""
    keys = ["cell", "seed", "base", "clip", "metric"]
    parsed = clicked.scores["split"].map(lambda split: _parse(str(split)))
    scores = clicked.scores.assign(base=[one.base for one in parsed])
    first = scores[[one.number == 0 for one in parsed]].set_index(keys)["value"]
    before = first.reindex(pd.MultiIndex.from_frame(scores[keys])).to_numpy()
    gained = scores.assign(value=scores["value"] - before)[list(clicked.scores.columns)]
    scales = {m: clicked.scale(m)._replace(bounds=None) for m in clicked.metrics}
    return replace(clicked, scores=gained, scales=scales)


def columns_of(clicked: Results, metric: str) -> list[tuple[str, str]]:
    """Return (split, metric) of all numbers of clicks, over whole clips, then unclicked frames."""
    own = [c for c in table_columns(clicked) if c[1].removeprefix(UNCLICKED) == metric]
    bases = list(dict.fromkeys(base_split(split) for split, _ in own))
    return sorted(own, key=lambda c: (bases.index(base_split(c[0])), c[1].startswith(UNCLICKED)))


def shown_metrics(clicked: Results) -> Sequence[str]:
    """Return the metrics over whole clips that some split shows, in their order."""
    shown = dict.fromkeys(metric for _, metric in table_columns(clicked))
    return [metric for metric in shown if not metric.startswith(UNCLICKED)]


def _parse(split: str) -> Clicked:
    clicked = parse_clicked(split)
    assert clicked is not None
    return clicked


def _name(clicked: Clicked) -> str:
    return clicked._replace(heard=True).name
