from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from scipy import stats

from analysis.claims.file import load_claims
from analysis.claims.judge import ClaimsError, judge
from analysis.claims.looks import (
    FILE_NAME,
    SMALLEST,
    Looks,
    LooksError,
    level_of_look,
    spent,
)
from analysis.runs.results import load_runs, of_seeds

FILE = """
claims = [
    dict(type="Beats", sentence="up is better", cell="up", other="b"),
    dict(type="Beats", sentence="same is better", cell="same", other="b"),
    dict(type="Beats", sentence="down is better", cell="down", other="b"),
]
"""
RECIPES = {"b": "0", "up": "1", "same": "2", "down": "3", "else": "4"}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "claims.py"
    path.write_text(FILE)
    return path


@pytest.fixture
def looks_of(
    planted: Callable[..., Path], tmp_path: Path, file: Path
) -> Callable[..., tuple[Looks, list[str]]]:
    """The looks at a grid in which "up" is better than "b", and what they say."""
    grid = planted({"up": 0.05, "down": -0.05, "same": 0.0}, num_seeds=6)

    def make(most: int = 6, recipes: dict[str, str] = RECIPES) -> tuple[Looks, list[str]]:
        said: list[str] = []
        claims = load_claims(str(file))
        folder = tmp_path / "grid"
        read = lambda: load_runs(grid)  # noqa: E731
        return Looks(claims, folder, most, recipes, read=read, say=said.append), said

    return make


def test_what_is_decided_needs_no_more_seeds(looks_of) -> None:
    looks, said = looks_of()
    assert looks.open_cells() == ["up", "b", "same", "down"]
    assert looks.decide([0]) == ["up", "b", "same", "down"]
    assert said == [], "one seed decides nothing"
    opened = [looks.decide(range(number)) for number in (2, 3, 4, 5, 6)]
    assert opened[-1] == ["same", "b"]
    assert looks.answers() == ["supported", "undecided", "contradicted"]
    assert said[0].startswith("look at 2 seeds, level 0.00069: ")
    assert any(line.startswith("  supported: up is better (+0.04") for line in said)
    (last,) = [line for line in said[-1:] if line.startswith("  undecided: same is better")]
    assert "against it: " in last


def test_levels_are_those_of_the_spending_and_what_they_were_judged_with(looks_of) -> None:
    looks, _ = looks_of()
    for number in range(1, 7):
        looks.decide(range(number))
    kept = json.loads(looks.path.read_text())
    assert [len(look["seeds"]) for look in kept["looks"]] == [2, 3, 4, 5, 6]
    levels = [look["level"] for look in kept["looks"]]
    assert sum(levels) == pytest.approx(0.05)
    assert levels[1] == pytest.approx(spent(0.05, 3 / 6) - spent(0.05, 2 / 6))
    decided = {v["claim"]: look for look in kept["looks"] for v in look["verdicts"]
               if v["answer"] != "undecided"}  # fmt: skip
    look = decided[0]
    again = judge(looks.claims, of_seeds(looks.read(), look["seeds"]), look["level"])[0]
    (verdict,) = [v for v in look["verdicts"] if v["claim"] == 0]
    assert again.answer == "supported" and again.estimate == pytest.approx(verdict["estimate"])
    assert verdict["num_seeds"] == len(look["seeds"])


def test_a_decided_claim_is_not_judged_again(looks_of) -> None:
    looks, _ = looks_of()
    for number in range(1, 7):
        looks.decide(range(number))
    shown = [[v["claim"] for v in look["verdicts"]] for look in looks.taken]
    assert shown[0] == [0, 1, 2] and shown[-1] == [1]


def test_going_on_takes_no_look_twice(looks_of) -> None:
    looks, said = looks_of()
    for number in (1, 2, 3):
        looks.decide(range(number))
    before, kept = looks.open_cells(3), looks.path.read_bytes()
    again, said_again = looks_of()
    again.read = lambda: pytest.fail("nothing has to be read")
    assert [again.decide(range(number)) for number in (2, 3)][-1] == before
    assert said_again == said and again.path.read_bytes() == kept
    assert again.open_cells(2) == looks.open_cells(2)


def test_another_plan_is_refused_with_all_that_differs(looks_of, file: Path) -> None:
    looks, _ = looks_of()
    looks.decide(range(2))
    file.write_text(FILE + "alpha = 0.1\n")
    with pytest.raises(LooksError) as caught:
        looks_of(most=12, recipes=RECIPES | {"up": "9"})
    said = str(caught.value)
    parts = (
        *("claims: ", "alpha: 0.05 when the first look was taken, 0.1 now", "max_seeds: 6 when"),
        *("12 now", "cells: ", "begin anew in another folder (--out)"),
    )
    for part in parts:
        assert part in said, part
    file.write_text(FILE)
    assert looks_of()[0].last == 2


def test_other_seeds_are_refused(looks_of) -> None:
    looks, _ = looks_of()
    looks.decide([0, 1])
    with pytest.raises(LooksError, match="seeds 0, 1 were looked at, in this order; got "):
        looks.decide([1, 0, 2])
    with pytest.raises(LooksError, match=r"got \[1\]"):
        looks.decide([1])


def test_claims_about_other_cells_are_refused_before_anything_starts(looks_of) -> None:
    with pytest.raises(LooksError) as caught:
        looks_of(recipes={"b": "0", "upp": "1"})
    assert "unknown cell 'up'" in str(caught.value) and "'down'" in str(caught.value)


def test_the_first_seed_tells_what_claims_ask_in_vain(looks_of, file: Path) -> None:
    file.write_text(FILE.replace('cell="up"', 'cell="up", metric="G"'))
    looks, _ = looks_of()
    with pytest.raises(ClaimsError, match="unknown metric 'G'"):
        looks.decide([0])
    assert not looks.path.exists()


@pytest.mark.parametrize("content", ["", "[]", '{"schema": 1}', '{"looks": 3}'])
def test_a_broken_file_is_an_error_and_no_new_beginning(looks_of, content: str) -> None:
    looks, _ = looks_of()
    looks.path.parent.mkdir(exist_ok=True)
    looks.path.write_text(content)
    with pytest.raises(LooksError, match=FILE_NAME):
        looks_of()


def test_all_is_spent_in_the_end_and_little_before() -> None:
    assert spent(0.05, 1.0) == pytest.approx(0.05)
    assert spent(0.05, 0.5) == pytest.approx(2 * stats.norm.sf(1.959964 / 0.5**0.5), rel=1e-4)
    assert spent(0.05, 0.5) == pytest.approx(0.0056, abs=1e-4), "Lan and DeMets, half way"


@pytest.mark.parametrize("most", [2, 3, 6, 10, 100])
@pytest.mark.parametrize("alpha", [0.05, 0.01])
def test_levels_of_all_looks_add_up_to_alpha(most: int, alpha: float) -> None:
    taken: list[float] = []
    for number in range(2, most + 1):
        level = level_of_look(alpha, number, most, sum(taken))
        assert level is None or level >= SMALLEST
        taken += [] if level is None else [level]
    assert sum(taken) == pytest.approx(alpha)
    assert taken == sorted(taken) or most == 100, "later looks have more, but many share the end"


def test_what_a_look_does_not_spend_the_next_one_has() -> None:
    assert level_of_look(0.05, 2, 100, 0.0) is None
    late = level_of_look(0.05, 5, 6, 0.0)
    assert late == pytest.approx(spent(0.05, 5 / 6))
