"""Ways of prompting: who encodes how often, and that the official one answers as SAM2 does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch

from auralsam2 import config
from auralsam2.engine.benchmark import prompting
from auralsam2.engine.benchmark.ledger import Ledger
from auralsam2.engine.benchmark.prompting import CLICK, CLIP, FIRST, HEARD_AGAIN, REST, SOUND
from auralsam2.engine.evaluate import build_model
from auralsam2.predictor import AuralSAM2VideoPredictor
from auralsam2.predictor.ways import (
    Clicks,
    ClicksAndSound,
    ClicksBesideAdapter,
    OfficialClicks,
    Shown,
    synthetic_clip,
)

FRAMES, SIDE = 6, 128
"""A window of the fuser and one frame more."""


@pytest.fixture(scope="module")
def clip() -> Shown:
    return synthetic_clip(FRAMES, SIDE, seed=3)


@pytest.fixture(scope="module")
def adapter() -> Any:
    return build_model(
        config.load("methods/sama_avs_mini_v1m", {"model.audio_encoder.channels": "both"})
    ).eval()


@pytest.fixture
def ways(predictor: AuralSAM2VideoPredictor, clip: Shown, adapter: Any) -> dict[str, Clicks]:
    predictor.add_all_frames_to_correct_as_cond = True
    return {
        "official": OfficialClicks(predictor, clip),
        "kept": Clicks(predictor, clip),
        "heard": ClicksAndSound(predictor, clip),
        "beside": ClicksBesideAdapter(predictor, clip, adapter),
    }


@contextmanager
def answers_of(way: Clicks) -> Iterator[list[torch.Tensor]]:
    """Masks that a way's propagations yield."""
    masks: list[torch.Tensor] = []
    propagate = way.answers.propagate_in_video

    def keep(*args: Any, **options: Any) -> Iterator[Any]:
        for answer in propagate(*args, **options):
            masks.append(answer[2].clone())
            yield answer

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(way.answers, "propagate_in_video", keep)
        yield masks


def test_frames_are_encoded_once_but_beside_an_adapter(ways: dict[str, Clicks]) -> None:
    found = {name: turn.passes for name, turn in prompting._round(ways).items()}
    assert {name: passes[CLIP] for name, passes in found.items()} == {
        "official": FRAMES,
        "kept": FRAMES,
        "heard": FRAMES,
        "beside": 2 * FRAMES,
    }
    # The official predictor keeps the last frame alone: it encodes what is clicked or answered.
    assert (found["official"][CLICK], found["official"][REST]) == (1, 3)
    for name in ("kept", "heard", "beside"):
        assert found[name][CLICK] == found[name][REST] == 0
    assert found["heard"][SOUND] == 0 and found["beside"][SOUND] == FRAMES
    # To answer the first click, all frames that the fuser sees together are encoded.
    assert (found["kept"][FIRST], found["heard"][FIRST]) == (1, 5)


def test_an_encoder_that_does_not_hear_sees_nothing_again(
    predictor: AuralSAM2VideoPredictor, clip: Shown
) -> None:
    model = build_model(
        config.load("methods/gavs_mini_v1m", {"model.audio_encoder.channels": "both"})
    )
    way = ClicksBesideAdapter(predictor, clip, model.eval())
    (found,) = prompting._round({"beside": way}).values()
    assert found.passes == {FIRST: 1, CLIP: 2 * FRAMES, CLICK: 0, REST: 0}


def test_without_sound_both_answer_alike_and_with_it_otherwise(ways: dict[str, Clicks]) -> None:
    masks = {}
    for name, way in ways.items():
        with answers_of(way) as masks[name]:
            for event in (FIRST, CLIP, REST):
                dict(way.events())[event]()
        way.close()
        assert len(masks[name]) == FRAMES + 4
    for name, equal in {"kept": True, "beside": True, "heard": False}.items():
        pairs = list(zip(masks["official"], masks[name], strict=True))
        assert all(torch.equal(*pair) for pair in pairs) == equal
    # A click that nobody sees in an empty place would be answered alike by all.
    assert min(float((mask > 0).float().mean()) for mask in masks["official"][:1]) > 0


def test_a_second_click_is_followed_in_every_way(ways: dict[str, Clicks], clip: Shown) -> None:
    for name, way in ways.items():
        events = dict(way.events())
        with answers_of(way) as masks:
            for event in (FIRST, CLIP, CLICK, REST):
                events[event]()
        way.close()
        middle = clip.middle
        for frame in range(middle, FRAMES):
            before, after = masks[frame], masks[FRAMES + frame - middle]
            assert not torch.equal(before, after), (name, frame)


def test_parts_are_found_by_their_calls(ways: dict[str, Clicks]) -> None:
    """Every part has its own; where none is called any more, its name would be missing here."""
    found = {name: Counter(prompting._taken_apart(way)) for name, way in ways.items()}
    shared = {"resize", "encode", "memory attention", "mask decoder", "memory encoder", "other"}
    assert set(found["official"]) == shared
    assert set(found["kept"]) == shared | {"keep features"}
    listening = {"log-mel", "audio encoder", "fuser", "prompts"}
    assert set(found["heard"]) == set(found["kept"]) | listening
    assert set(found["beside"]) == set(found["kept"]) | {"log-mel", "audio encoder", HEARD_AGAIN}
    for parts in found.values():
        assert parts["other"] < 0.3 * sum(parts.values())


def test_nothing_stays_watched(ways: dict[str, Clicks]) -> None:
    way = ways["heard"]
    before = [vars(owner).get(name) for owner, name, _ in way.watched()]
    with Ledger().watching(*way.watched()):
        pass
    assert [vars(owner).get(name) for owner, name, _ in way.watched()] == before
