"""The cache of token states alone."""

import torch

from auralsam2.models.text.text_cache import TextCache, TokenStates


def states(value: float) -> TokenStates:
    return TokenStates(torch.full((1, 2, 4), value), torch.tensor([[True, False]]))


def test_a_key_is_read_once() -> None:
    cache = TextCache()
    first = cache("a", lambda: states(1.0))
    again = cache("a", lambda: states(2.0))
    other = cache("b", lambda: states(3.0))
    assert torch.equal(first.states, again.states) and (other.states == 3).all()
    assert (cache.hits, cache.misses) == (1, 2)
    assert cache.used == 2 * (8 * 4 + 2)


def test_what_is_kept_is_nobodys_elses_memory() -> None:
    cache, given = TextCache(), states(1.0)
    cache("a", lambda: given).states.fill_(5.0)
    assert (cache("a", lambda: states(2.0)).states == 1).all()


def test_a_full_cache_answers_and_keeps_what_it_has() -> None:
    cache = TextCache(budget_mb=40 / 2**20)
    cache("a", lambda: states(1.0))
    assert (cache("b", lambda: states(2.0)).states == 2).all()
    assert (cache("b", lambda: states(3.0)).states == 3).all()
    assert (cache("a", lambda: states(4.0)).states == 1).all()
    assert cache.used <= cache.budget
