"""Sheets of clips that a rule picks: where the reference cell fails, and what others do there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import nan
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from analysis.clips.masks import ClipMasks, clip_masks, score_warning
from analysis.clips.picks import NoPicksError, Picked, best_first, first_column, pick
from analysis.figures import style
from analysis.figures.figure_text import wrap_name
from analysis.figures.qualitative import MOST_FRAMES, sheet
from analysis.runs.lost_runs import why_lost
from analysis.runs.results import Results
from analysis.runs.saved_clips import (
    Row,
    SavedClip,
    check_cells,
    clip_scores,
    first_runs,
    shown_clip,
    thinned,
    to_frame,
)
from analysis.statistics.significance import reference_cell

NAME = "failures"
MOST_ROWS = 4
"""Of masks, where no cells are named."""
_TITLE_CHARACTERS = {"page": 115, "column": 52}

Masks = Mapping[str, ClipMasks]


class NoMasksError(NoPicksError):
    """A sheet that is not drawn, since the reference's weights or data are gone."""


class Failures(NamedTuple):
    """What a sheet shows."""

    picked: Picked  # the clips, and the rule in words
    clips: tuple[SavedClip, ...]  # with the masks of all rows, in the same order
    notes: tuple[str, ...]  # rows that are left out, and masks that do not score what was recorded
    lost: tuple[str, ...] = ()  # those of the notes that are rows whose weights or data are gone


class _Shown(NamedTuple):
    label: str
    cell: str
    split: str


def collect(
    results: Results,
    rule: str = "lowest",
    *,
    num_clips: int = 4,
    cells: Sequence[str] | None = None,
    other: str | None = None,
    **making: Any,
) -> Failures:
    """Pick clips, and make their masks by the runs' own weights where no earlier call has.

    Rows are the reference cell, the same under another sound where the rule is about that, the
    cell that the rule compares with, and other cells, each by its first seed.

    Args:
        results: the runs.
        rule: name in `analysis.clips.picks.RULES`.
        num_clips: at most.
        cells: beside the reference; by default the best ones, up to `MOST_ROWS` rows in all.
        other: cell that the rule compares with; by default the best one that was trained.
        **making: ``overrides`` and ``again`` of `analysis.clips.masks.clip_masks`.

    Raises:
        ValueError: for an unknown rule or cell, or without a reference; `NoPicksError` where the
            runs have no scores for the rule, `NoMasksError` where the reference's weights or data
            are gone.
    """
    picked = pick(results, rule, num_clips=num_clips, other=other)
    column = first_column(results)
    assert column is not None
    made, lost = _masks(results, picked, _rows(results, picked, column, cells), making)
    lost = [f"{rule}: {problem}" for problem in lost]
    clips, notes = [], [*lost]
    for name in picked.clips:
        clip, warnings = _clip(results, made, name, column[1])
        clips.append(clip)
        notes += [f"{rule}: {warning}" for warning in warnings]
    return Failures(picked, tuple(clips), tuple(notes), tuple(lost))


def make(results: Results, folder: Path, rule: str = "lowest", **asked: Any) -> list[Path]:
    """Write ``failures_RULE.pdf``, ``.png`` and ``.csv``; nothing where a rule has nothing to pick.

    The results note what is left out, and why; ``asked`` is for `collect`.

    Raises:
        ValueError: for an unknown rule or cell, or without a reference cell.
    """
    try:
        numbers = collect(results, rule, **asked)
    except NoPicksError as error:
        note = f"no failure sheet '{rule}': {error}"
        results.notes.append(note)
        results.lost.extend([note] if isinstance(error, NoMasksError) else [])
        return []
    results.notes.extend(numbers.notes)
    results.lost.extend(numbers.lost)
    with style.paper_style():
        figure = sheet(numbers.clips, title=title(numbers), captions=captions(numbers))
        name = f"{NAME}_{rule.replace('-', '_')}"
        return style.save(figure, in_numbers(numbers), folder, name)


def title(numbers: Failures) -> str:
    """Return the rule in words, in lines as long as the sheet is wide."""
    shown, all_clips = len(numbers.clips), numbers.picked.num_clips
    text = f"{numbers.picked.title}: {shown} of {all_clips} clips, ties by name"
    return wrap_name(text, _TITLE_CHARACTERS["page" if shown > 1 else "column"])


def captions(numbers: Failures) -> list[str]:
    """Return each clip's name, and below it what it was ranked by."""
    pairs = zip(numbers.picked.clips, numbers.picked.captions, strict=True)
    return [f"{clip}\n{caption}" for clip, caption in pairs]


def in_numbers(numbers: Failures) -> pd.DataFrame:
    """Return `to_frame` with columns rule, ranked_by (smallest first) and score in front."""
    clips, picked = numbers.clips, numbers.picked
    frame = to_frame(list(clips))
    scores = [
        row.score[1] if row.score else nan for c in clips for row in c.rows for _ in c.seconds
    ]
    frame.insert(0, "rule", picked.title)
    frame.insert(
        2, "ranked_by", frame["clip"].map(dict(zip(picked.clips, picked.values, strict=True)))
    )
    frame.insert(4, "score", scores)
    return frame


def _rows(
    results: Results, picked: Picked, column: tuple[str, str], cells: Sequence[str] | None
) -> list[_Shown]:
    reference = reference_cell(results)
    shown = [_Shown(reference, reference, column[0])]
    shown += [
        _Shown(f"{reference}, {words}", reference, split) for split, words in picked.beside.items()
    ]
    compared = [] if picked.other is None else [picked.other]
    if cells is None:
        best = best_first(results, column, [c for c in results.cells if c != reference])
        others = list(dict.fromkeys([*compared, *best]))[: MOST_ROWS - len(shown)]
    else:
        others = list(dict.fromkeys([*compared, *check_cells(results, cells)]))
    return shown + [_Shown(cell, cell, column[0]) for cell in others if cell != reference]


def _masks(
    results: Results,
    picked: Picked,
    rows: Sequence[_Shown],
    making: Mapping[str, Any],
) -> tuple[dict[_Shown, Masks], list[str]]:
    """Return the masks of rows, the reference first, and rows that have none, and why."""
    made: dict[_Shown, Masks] = {}
    lost: list[str] = []
    for shown in rows:
        folder = first_runs(results)[shown.cell].folder
        try:
            made[shown] = clip_masks(folder, picked.clips, split=shown.split, **making)
        except Exception as error:
            problem = f"no masks of {shown.label}: {why_lost(error)}"
            if not made:
                raise NoMasksError(problem) from error
            lost.append(problem)
    return made, lost


def _clip(
    results: Results, made: Mapping[_Shown, Masks], name: str, metric: str
) -> tuple[SavedClip, list[str]]:
    """Return a clip with a row of each, and what is wrong with their masks."""
    first = next(iter(made.values()))[name]
    kept = thinned(len(first.frames), MOST_FRAMES)
    rows, warnings = [], []
    for shown, masks in made.items():
        seed = first_runs(results)[shown.cell].seed
        recorded = clip_scores(results, shown.cell, seed, shown.split, metric).get(name)
        if warning := score_warning(masks[name], metric, recorded):
            warnings.append(f"{shown.label}, {name}: {warning}")
        score = None if recorded is None else (metric, recorded)
        rows.append(Row(shown.label, seed, masks[name].prediction[kept], score))
    held = {"frames": first.frames, "truth": first.truth, "log_mel": first.log_mel}
    return shown_clip(name, kept, rows, **held), warnings
