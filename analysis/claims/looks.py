"""Claims judged again and again while seeds are added, at levels that together keep their alpha.

After each seed from the second on, all claims are judged by the seeds so far, at the level that
`level_of_look` leaves to this look. What is decided stays so. Every look is kept in the folder of
the grid, so that going on after an interrupt spends nothing twice; a plan of looks that has changed
is refused.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from analysis.claims.claim import Claim
from analysis.claims.file import Claims
from analysis.claims.judge import judge
from analysis.claims.verdict import UNDECIDED, Verdict
from analysis.runs.results import Results, load_runs, of_seeds
from analysis.statistics.crossed_means import FEWEST_SEEDS
from auralsam2.messages import ProblemsError, unknown_name
from auralsam2.text_files import json_text, write_text

FILE_NAME = "looks.json"
"""In the folder of a grid: the plan of the looks, and what each has shown."""
SMALLEST = 1e-6
"""Level below which a look is not worth taking: what it could spend, the next one has."""
_SCHEMA = 1
_SHOWN = ("estimate", "low", "high", "p_corrected", "p_against_corrected", "num_seeds", "num_clips")


class LooksError(ProblemsError):
    """Looks that cannot go on as they were planned."""

    source = "looks"


class Looks:
    """The looks at the runs of one grid.

    Args:
        claims: that are to be decided, all of them about this grid.
        folder: of the grid, which keeps the looks.
        most: seeds after which it ends; the levels hang on it.
        recipes: cell of the grid -> identity of its config and data.
        read: returns the runs that there are; those of the folder where None.
        say: told each line of what a look shows.

    Raises:
        LooksError: where claims name cells that there are not, or looks were taken under another
            plan; all problems at once.
    """

    def __init__(
        self,
        claims: Claims,
        folder: Path,
        most: int,
        recipes: Mapping[str, str],
        *,
        read: Callable[[], Results] | None = None,
        say: Callable[[str], None] = print,
    ) -> None:
        self.claims, self.path, self.most = claims, folder / FILE_NAME, most
        self.read, self.say = read or partial(load_runs, folder), say
        self.cells_of = [_cells(claim) for claim in claims.claims]
        named = sorted(set().union(*self.cells_of))
        if problems := [unknown_name("cell", n, recipes) for n in named if n not in recipes]:
            raise LooksError(problems, source=f"claims '{claims.path}'")
        self._plan = {
            "schema": _SCHEMA,
            "claims": {
                "file": claims.path.name,
                "sha256": hashlib.sha256(claims.path.read_bytes()).hexdigest(),
            },
            "alpha": claims.alpha,
            "max_seeds": most,
            "cells": {name: recipes[name] for name in named},
        }
        self.taken = self._taken()

    @property
    def last(self) -> int:
        """Seeds of the last look, 0 before the first one."""
        return len(self.taken[-1]["seeds"]) if self.taken else 0

    def answers(self, number: int | None = None) -> list[str]:
        """Return the answer to each claim as it was decided up to a look at ``number`` seeds."""
        found = [UNDECIDED] * len(self.claims.claims)
        for look in self.taken:
            if number is None or len(look["seeds"]) <= number:
                for index, verdict in _by_index(look):
                    found[index] = verdict["answer"]
        return found

    def open_cells(self, number: int | None = None) -> list[str]:
        """Return the cells that claims name which are undecided after so many seeds."""
        answers = zip(self.answers(number), self.cells_of, strict=True)
        return list(dict.fromkeys(c for a, cells in answers if a == UNDECIDED for c in cells))

    def decide(self, seeds: Sequence[int]) -> list[str]:
        """Look at all runs of these seeds, unless that was done, and tell what it shows.

        Args:
            seeds: that every open cell has, in the order in which they came.

        Returns:
            The cells that open claims name.

        Raises:
            LooksError: where other seeds were looked at.
            ClaimsError: of `analysis.claims.judge.judge`; with the first seed already, by which
                nothing is decided.
        """
        self.taken = self._taken()
        number, stated = len(seeds), list(seeds)
        looked_at = self.taken[-1]["seeds"] if self.taken else []
        if looked_at[:number] != stated[: self.last]:
            was = ", ".join(map(str, looked_at))
            raise LooksError([f"seeds {was} were looked at, in this order; got {stated}"])
        if number > self.last:
            self._look(stated)
        for look in self.taken:
            if look["seeds"] == stated:
                for line in self._lines(look):
                    self.say(line)
        return self.open_cells(number)

    def _look(self, seeds: Sequence[int]) -> None:
        results = of_seeds(self.read(), seeds)
        before = sum(look["level"] for look in self.taken)
        level = level_of_look(self.claims.alpha, len(seeds), self.most, before)
        if len(seeds) < FEWEST_SEEDS or level is None:
            judge(self.claims, results)  # tells what the claims ask for in vain, no more
            return
        is_open = [answer == UNDECIDED for answer in self.answers()]
        verdicts = judge(self.claims, results, level)
        shown = [_verdict(index, one) for index, one in enumerate(verdicts) if is_open[index]]
        self.taken.append({"seeds": list(seeds), "level": level, "verdicts": shown})
        content = {**self._plan, "looks": self.taken}
        write_text(self.path, json_text(content))

    def _lines(self, look: Mapping[str, Any]) -> Iterator[str]:
        number = len(look["seeds"])
        decided = sum(answer != UNDECIDED for answer in self.answers(number))
        total = len(self.claims.claims)
        yield f"look at {number} seeds, level {look['level']:.2g}: {decided} of {total} decided"
        for index, verdict in _by_index(look):
            decides = f"; {verdict['decides']}" if verdict["decides"] else ""
            yield (
                f"  {verdict['answer']}: {self.claims.claims[index].sentence} "
                f"({verdict['estimate']:+.3f}{decides})"
            )

    def _taken(self) -> list[dict[str, Any]]:
        if not self.path.is_file():
            return []
        try:
            content = json.loads(self.path.read_text(encoding="utf-8"))
            looks = [dict(look) for look in content.pop("looks")]
            problems = [
                f"{key}: {_short(content.get(key))} when the first look was taken, "
                f"{_short(value)} now"
                for key, value in self._plan.items()
                if content.get(key) != value
            ]
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise LooksError([f"no file of looks ({error!r})"], source=str(self.path)) from error
        if problems:
            why = (
                "what the looks so far have spent was laid out for that; go on with it, or begin "
                "anew in another folder (--out), with seeds that nobody has looked at"
            )
            raise LooksError([*problems, why], source=str(self.path))
        return looks


def spent(alpha: float, share: float) -> float:
    """Return what may be spent of ``alpha`` once a ``share`` of the data is there.

    2 - 2 Φ(z / √share) with the two-sided quantile z of ``alpha``: next to nothing early, nearly
    all in the end, as O'Brien and Fleming's boundary does (Lan and DeMets, Biometrika 70, 1983).
    """
    from scipy.special import ndtr, ndtri

    return float(2 * ndtr(ndtri(alpha / 2) / share**0.5))


def level_of_look(alpha: float, number: int, most: int, before: float) -> float | None:
    """Return the level of a test after ``number`` of ``most`` seeds.

    Whatever the tests have in common, and these share seeds and clips, at least one errs no more
    often than the sum of their levels, which is what is spent.

    Args:
        alpha: of all looks together.
        number: seeds that are there.
        most: seeds after which it ends.
        before: what earlier looks have spent.

    Returns:
        None where it is not worth a look yet.
    """
    level = spent(alpha, number / most) - before
    return None if level < SMALLEST else level


def _cells(claim: Claim) -> list[str]:
    return list(dict.fromkeys(cell for bound in claim.bounds(1) for cell, _ in bound.weights))


def _by_index(look: Mapping[str, Any]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    return ((verdict["claim"], verdict) for verdict in look["verdicts"])


def _verdict(index: int, verdict: Verdict) -> dict[str, Any]:
    numbers = {name: getattr(verdict, name) for name in _SHOWN}
    decides = "" if verdict.needed is None else verdict.needed.text
    return {"claim": index, "answer": verdict.answer, **numbers, "decides": decides}


def _short(value: Any) -> str:
    text = value["sha256"][:10] if isinstance(value, dict) and "sha256" in value else repr(value)
    return text if len(text) <= 60 else text[:59] + "…"
