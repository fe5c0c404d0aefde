from __future__ import annotations

import pickle

import pytest

from auralsam2.messages import ProblemsError, listed, nearest, unknown_name


class _ConfigError(ProblemsError):
    source = "config"


def test_all_problems_are_told_at_once_by_whoever_has_them() -> None:
    error = _ConfigError(["no seed", "no model"])
    assert str(error) == "config: 2 problems\n  - no seed\n  - no model"
    assert error.problems == ["no seed", "no model"]
    assert str(_ConfigError(["no seed"], source="mine.py")) == "mine.py: 1 problem\n  - no seed"


def test_a_listing_survives_the_way_from_another_process() -> None:
    error = _ConfigError(["no seed"], source="mine.py")
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.problems) == (str(error), ["no seed"])


@pytest.mark.parametrize(("shown", "ends"), [(1, "  - a\n  ... and 2 more"), (3, "  - c")])
def test_many_problems_are_counted(shown: int, ends: str) -> None:
    assert listed(["a", "b", "c"], "here", shown).endswith(ends)


def test_nearest_ignores_case() -> None:
    assert nearest("gatedsum", ["GatedSumFusion", "CrossAttentionFusion"]) == "GatedSumFusion"
    assert nearest("zzz", ["GatedSumFusion"]) is None


def test_message_without_a_guess_or_without_names() -> None:
    assert unknown_name("key", "zzz", ["seed"]) == "unknown key 'zzz'; known: seed"
    assert unknown_name("key", "zzz", []) == "unknown key 'zzz'; known: (none)"


def test_long_lists_are_cut() -> None:
    message = unknown_name("key", "?", [f"k{i:03}" for i in range(100)])
    assert message.endswith("k039, … (60 more)")
