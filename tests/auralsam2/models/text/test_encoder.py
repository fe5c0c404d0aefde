"""Freezing, cache and padding of any text encoder, on one that counts letters."""

from collections.abc import Hashable

import pytest
import torch
from torch import nn

from auralsam2.models.feature_cache import FeatureStore
from auralsam2.models.text.encoder import TextEncoder, TokenStates

WORDS, WIDTH = 3, 4


class LetterCounter(TextEncoder):
    """A linear map of each word's length; counts how often it is asked."""

    out_channels = WIDTH

    def __init__(self, weight: float = 1.0, **arguments: bool) -> None:
        super().__init__(**arguments)
        self.linear = nn.Linear(1, WIDTH)
        nn.init.constant_(self.linear.weight, weight)
        nn.init.constant_(self.linear.bias, 0.5)
        self.asked: list[list[str]] = []
        self.freeze()

    def encode(self, text: list[str]) -> TokenStates:
        self.asked.append(text)
        words = [line.split()[:WORDS] for line in text]
        lengths = [[*map(len, line), *[0] * (WORDS - len(line))] for line in words]
        counts = torch.tensor(lengths, dtype=torch.float32, device=self.linear.weight.device)
        return TokenStates(self.linear(counts.unsqueeze(-1)), counts > 0)

    def identity(self) -> Hashable:
        return WORDS


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch) -> FeatureStore:
    """One of this test alone."""
    own = FeatureStore()
    monkeypatch.setattr(TextEncoder, "store", own)
    return own


def num_kept(cache: FeatureStore) -> int:
    """Expressions; every one has states and a mask."""
    return cache.used // (WORDS * WIDTH * 4 + WORDS)


TEXT = ["the dog", "a very loud cat", "the dog"]


def test_with_and_without_cache_the_outputs_are_the_same() -> None:
    cached, plain = LetterCounter(), LetterCounter(cache=False)
    for _ in range(2):
        assert torch.equal(cached(TEXT), plain(TEXT))
    assert cached.asked == [["the dog"], ["a very loud cat"]]
    assert len(plain.asked) == 6


def test_encoders_of_the_same_weights_share_the_cache(cache: FeatureStore) -> None:
    LetterCounter()(TEXT)
    twin = LetterCounter()
    twin(TEXT)
    assert not twin.asked and num_kept(cache) == 2
    other = LetterCounter(weight=2.0)
    assert not torch.equal(other(TEXT), twin(TEXT)) and len(other.asked) == 2


def test_loaded_weights_are_not_answered_from_older_ones() -> None:
    encoder = LetterCounter()
    before = encoder(TEXT)
    whole = nn.ModuleDict({"text_encoder": encoder})
    whole.load_state_dict({"text_encoder.linear.weight": torch.full((WIDTH, 1), 3.0)}, strict=False)
    torch.testing.assert_close(encoder(TEXT) - 0.5, 3 * (before - 0.5))


def test_another_precision_is_another_encoder() -> None:
    encoder = LetterCounter()
    assert encoder(TEXT).dtype == torch.float32
    assert encoder.double().linear.weight.dtype == torch.float64
    encoder.encode = lambda text: TokenStates(  # type: ignore[method-assign]
        torch.zeros(len(text), WORDS, WIDTH, dtype=torch.float64), torch.ones(len(text), WORDS)
    )
    assert encoder(TEXT).dtype == torch.float64


def test_padding_is_handed_on_unless_asked_otherwise(cache: FeatureStore) -> None:
    published, masked = LetterCounter()(TEXT), LetterCounter(mask_padding=True)(TEXT)
    assert (published[0, 2] == 0.5).all() and (masked[0, 2] == 0).all()
    assert torch.equal(published[0, :2], masked[0, :2])
    assert torch.equal(published[1], masked[1])
    assert num_kept(cache) == 2  # the same states serve both


def test_a_frozen_encoder_has_no_gradient_and_stays_in_eval_mode() -> None:
    encoder = LetterCounter().train()
    assert not encoder.training and not encoder.linear.training
    assert not encoder(TEXT).requires_grad


def test_a_trained_encoder_reads_batches_and_keeps_nothing(cache: FeatureStore) -> None:
    encoder = LetterCounter(frozen=False).train()
    encoder(TEXT).sum().backward()
    assert encoder.training and encoder.asked == [TEXT]
    assert encoder.linear.weight.grad is not None and cache.used == 0


def test_autocast_does_not_reach_a_frozen_encoder() -> None:
    encoder = LetterCounter(cache=False)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside = encoder(TEXT)
    assert inside.dtype == torch.float32 and torch.equal(inside, encoder(TEXT))
