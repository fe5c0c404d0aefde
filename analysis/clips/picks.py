"""Which clips are shown: picked by rule, never by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from analysis.runs.controls import MUTE_KINDS, base_split, is_control, parse_control, split_header
from analysis.runs.results import Results, seed_means, select
from analysis.runs.saved_clips import clip_scores, first_runs
from analysis.runs.splits import table_columns
from analysis.statistics.significance import reference_cell
from auralsam2.messages import unknown_name

Scores = Mapping[str, float]
"""Clip -> score."""


class NoPicksError(ValueError):
    """A rule that the runs have no scores for."""


class Question(NamedTuple):
    """What clips are picked from."""

    results: Results  # the runs
    cell: str  # whose failures are looked for
    split: str  # first one that is no control
    metric: str  # first one that is shown of it
    other: str | None  # cell that it is compared with, or None: see `best_other`

    def scores(self, cell: str, split: str | None = None) -> Scores:
        """Return the scores of a cell's first seed, by default on the question's own split."""
        seed = first_runs(self.results)[cell].seed
        return clip_scores(self.results, cell, seed, split or self.split, self.metric)

    def of(self, cell: str) -> str:
        """Name a cell's first seed."""
        return f"{cell} (seed {first_runs(self.results)[cell].seed})"

    @property
    def where(self) -> str:
        """Name the split."""
        return split_header(self.split)

    @property
    def up(self) -> int:
        """Sign that puts the worst score first."""
        return self.results.scale(self.metric).sign


class Picked(NamedTuple):
    """The clips that a rule picks."""

    clips: tuple[str, ...]  # names, the first one first
    captions: tuple[str, ...]  # of each: what was ranked, in words
    values: tuple[float, ...]  # of each: what was ranked, the smallest first
    title: str  # the rule in words, without the number of clips
    num_clips: int  # that it has picked from
    # Split -> what it is called: other splits whose masks show what the rule is about
    beside: Mapping[str, str] = {}
    other: str | None = None  # cell that was compared with, or None


def lowest_score(question: Question) -> Picked:
    """Rank by how low the cell scores."""
    scores = question.scores(question.cell)
    words = "Lowest" if question.up > 0 else "Highest"
    title = f"{words} {question.metric} of {question.of(question.cell)} on {question.where}"
    captions = {clip: f"{question.metric} {score:.2f}" for clip, score in scores.items()}
    return _ranked({clip: question.up * score for clip, score in scores.items()}, captions, title)


def listens_least(question: Question) -> Picked:
    """Rank by how little the cell loses, or how much it gains, as it hears another sound.

    The other sound is that of another clip; without such a split, of the first control split in
    which something is heard, or else of any.

    Raises:
        NoPicksError: without a control split.
    """
    control = _control(question)
    if control is None:
        raise NoPicksError(
            f"no control split of '{question.split}' has scores of {question.cell}: add "
            "evaluation.counterfactuals = ['swapped'] to the config"
        )
    both = _both(question.scores(question.cell), question.scores(question.cell, control))
    sound = split_header(control).rpartition(", ")[2]
    title = (
        f"Smallest loss of {question.metric} of {question.of(question.cell)} with {sound}, "
        f"on {question.where}"
    )
    captions = {c: f"{question.metric} {a:.2f}; {sound} {b:.2f}" for c, (a, b) in both.items()}
    values = {clip: question.up * (a - b) for clip, (a, b) in both.items()}
    return _ranked(values, captions, title)._replace(beside={control: sound})


def largest_loss(question: Question) -> Picked:
    """Rank by how far the cell is behind the other one; where it is not, it is not ranked."""
    return _against(question, "Largest loss", 1.0)


def largest_gain(question: Question) -> Picked:
    """Rank by how far the cell is ahead of the other one; where it is not, it is not ranked."""
    return _against(question, "Largest gain", -1.0)


RULES: dict[str, Callable[[Question], Picked]] = {
    "lowest": lowest_score,
    "listens-least": listens_least,
    "largest-loss": largest_loss,
    "largest-gain": largest_gain,
}
"""Name -> rule. Each ranks all clips, for `pick` to take the first ones; ties go by the clips'
names, and scores that are no numbers do not count."""


def check_rules(names: Sequence[str]) -> list[str]:
    """Return rules that are asked for, each once; all where none is named; refuse unknown ones."""
    for name in names:
        if name not in RULES:
            raise ValueError(unknown_name("rule", name, RULES))
    return list(dict.fromkeys(names)) or list(RULES)


def pick(results: Results, rule: str, *, num_clips: int, other: str | None = None) -> Picked:
    """Pick clips of the reference cell's first seed on the first test split by the first metric.

    Args:
        results: the runs.
        rule: name in `RULES`.
        num_clips: at most.
        other: cell to compare with, where the rule compares; by default the best one that was
            trained.

    Raises:
        ValueError: for an unknown rule or cell, or without a reference cell; `NoPicksError` where
            the runs have no scores for the rule.
    """
    check_rules([rule])
    cell = reference_cell(results)
    if other is not None and other not in results.cells:
        raise ValueError(unknown_name("cell", other, results.cells))
    column = first_column(results)
    if column is None:
        raise NoPicksError("no split but controls has a score")
    ranking = RULES[rule](Question(results, cell, *column, other))
    clips = ranking.clips[:num_clips]
    if not clips:
        raise NoPicksError(f"there is no such clip ({ranking.title})")
    captions, values = ranking.captions[:num_clips], ranking.values[:num_clips]
    return ranking._replace(clips=clips, captions=captions, values=values)


def first_column(results: Results) -> tuple[str, str] | None:
    """Return the first split that is no control and the first metric that is shown of it."""
    columns = [c for c in table_columns(results) if c[0] in results.splits]
    return next((c for c in columns if not is_control(c[0])), None)


def ranked(scores: Scores) -> list[str]:
    """Return clips by ascending score, ties by name; what is no number is left out."""
    known = [(value, clip) for clip, value in scores.items() if not np.isnan(value)]
    return [clip for _, clip in sorted(known)]


def best_first(results: Results, column: tuple[str, str], cells: Sequence[str]) -> list[str]:
    """Return those of the cells that have a score, by their mean over seeds, the best first."""
    own = select(seed_means(results.scores), split=column[0], metric=column[1]).dropna()
    by_cell = own.groupby("cell")["value"].mean()
    sign = results.scale(column[1]).sign
    # Equal ones keep the grid's order.
    return sorted((c for c in cells if c in by_cell.index), key=lambda c: -sign * by_cell[c])


def best_other(results: Results, column: tuple[str, str], cell: str) -> str | None:
    """Return the best cell beside another one, None where none has a score.

    One that trains nothing, such as an oracle, counts where all the others do neither.
    """
    best = best_first(results, column, [other for other in results.cells if other != cell])
    return next(iter([other for other in best if other in results.trained_cells] or best), None)


def _against(question: Question, words: str, sign: float) -> Picked:
    column = question.split, question.metric
    other = question.other or best_other(question.results, column, question.cell)
    if other is None or other == question.cell:
        raise NoPicksError(f"there is no other cell that {question.cell} can be compared with")
    both = _both(question.scores(question.cell), question.scores(other))
    title = (
        f"{words} in {question.metric} of {question.of(question.cell)} against "
        f"{question.of(other)} on {question.where}"
    )
    captions = {c: f"{question.metric} {a:.2f}, against {b:.2f}" for c, (a, b) in both.items()}
    values = {clip: sign * question.up * (a - b) for clip, (a, b) in both.items()}
    ahead = {clip: value for clip, value in values.items() if value < 0}
    picked = _ranked(ahead, captions, title)
    return picked._replace(num_clips=len(ranked(values)), other=other)


def _both(first: Scores, second: Scores) -> dict[str, tuple[float, float]]:
    return {clip: (first[clip], second[clip]) for clip in first if clip in second}


def _ranked(values: Scores, captions: Mapping[str, str], title: str) -> Picked:
    clips = tuple(ranked(values))
    return Picked(
        clips=clips,
        captions=tuple(captions[clip] for clip in clips),
        values=tuple(values[clip] for clip in clips),
        title=title,
        num_clips=len(clips),
    )


def _control(question: Question) -> str | None:
    scores = question.results.scores
    held = set(scores.loc[scores["cell"] == question.cell, "split"])
    controls = [
        (control.kind != "swapped", control.kind in MUTE_KINDS, number, split)
        for number, split in enumerate(question.results.splits)
        if (control := parse_control(split)) is not None
        and base_split(split) == question.split
        and split in held
    ]
    return min(controls)[-1] if controls else None
