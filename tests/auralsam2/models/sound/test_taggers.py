"""CLAP and AST from folders, tiny and random: seconds, names, and what they hear."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from auralsam2.models.sound.taggers import ASTTagger, CLAPTagger, Tagger, seconds
from auralsam2.structures import Waveform
from tests.auralsam2.models.tiny_pretrained import ast, clap

T = 3
MAKERS = {CLAPTagger: clap, ASTTagger: ast}


@pytest.fixture(scope="module", params=MAKERS, ids=lambda kind: kind.__name__)
def tagger(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Tagger:
    folder: Path = MAKERS[request.param](tmp_path_factory.mktemp("tagger"))
    return request.param(2, weights=folder, classes=["guitar", "man"])


def noise(length: int, rate: int) -> Waveform:
    return Waveform(torch.randn(length, generator=torch.Generator().manual_seed(length)), rate)


def test_each_second_is_heard_alone_and_a_short_clip_repeats_its_last(tagger: Tagger) -> None:
    sounds = [noise(3 * tagger.rate, tagger.rate), noise(2 * tagger.rate, tagger.rate)]
    heard = tagger(torch.zeros(2, T, 2, 96, 64), ["a", "b"], sounds)
    assert heard.shape == (2, T, 2) and heard.isfinite().all()
    assert torch.equal(heard[1, 1], heard[1, 2]) and not torch.equal(heard[1, 0], heard[1, 1])
    torch.testing.assert_close(
        heard[0, 1], tagger.tag([sounds[0].samples.split(tagger.rate)[1]])[0]
    )
    tagger.whole_clip = True
    whole = tagger(torch.zeros(2, T, 2, 96, 64), ["a", "b"], sounds)
    tagger.whole_clip = False
    assert torch.equal(whole[:, 0], whole[:, 2]) and not torch.equal(whole[0, 0], heard[0, 0])


def test_of_a_longer_sound_the_seconds_of_the_frames_are_heard(tagger: Tagger) -> None:
    tagger.whole_clip = True
    sounds = [noise(n * tagger.rate, tagger.rate) for n in (5, 5, 3)]
    sounds[2] = sounds[0]._replace(samples=sounds[0].samples[: T * tagger.rate])
    heard = tagger(torch.zeros(3, T, 2, 96, 64), list("abc"), sounds)
    tagger.whole_clip = False
    assert torch.equal(heard[0], heard[1]), "nothing is drawn"
    assert torch.equal(heard[0], heard[2])


def test_another_rate_is_resampled(tagger: Tagger) -> None:
    slow = noise(3 * 8000, 8000)
    assert len(slow.at(tagger.rate)) == 3 * tagger.rate
    assert tagger(torch.zeros(1, T, 2, 96, 64), ["a"], [slow]).shape == (1, T, 2)


def test_without_waveforms_it_says_what_to_do(tagger: Tagger) -> None:
    with pytest.raises(ValueError, match="wrap each data set: dict\\(type='WithWaveform'"):
        tagger(torch.zeros(1, T, 2, 96, 64), ["a"])


def test_names_in_any_order(tagger: Tagger) -> None:
    folder = Path(tagger.network.config._name_or_path)
    other = type(tagger)(2, weights=folder, classes=["man", "guitar"])
    sound = noise(tagger.rate, tagger.rate).samples
    with torch.no_grad():
        torch.testing.assert_close(other.tag([sound]).flip(1), tagger.tag([sound]))


def test_seconds() -> None:
    cut = seconds(torch.arange(7.0), rate=2, num_frames=5)
    assert [s.tolist() for s in cut] == [[0, 1], [2, 3], [4, 5], [4, 5], [4, 5]]
    assert [s.tolist() for s in seconds(torch.ones(1), 2, 2)] == [[1, 0]] * 2
