from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from auralsam2.data.synthetic.expressions import NEEDS, Expression, candidates, need, phrase
from auralsam2.data.synthetic.words import LOOKS, SOUNDS, Description, Facts, facts_of
from auralsam2.data.synthetic.writer import Plan, layout_of

PLAN = Plan("ref_avs", (24, 1, 1, 1, 8), seed=5, num_frames=10, unseen=3)


def draw(indices: range) -> list[tuple[Facts, list[Expression]]]:
    layout = layout_of(PLAN)
    scenes = [(index, layout.scene(index)) for index in indices]
    return [(facts_of(s), layout.expressions(i, s)) for i, s in scenes]


@pytest.fixture(scope="module")
def clips() -> list[tuple[Facts, list[Expression]]]:
    """Of expressions that refer to something."""
    return draw(range(7)) + draw(range(8, 15)) + draw(range(16, 20))


@pytest.mark.parametrize(
    ("looks", "sound", "number", "text"),
    [
        (("left", "disc"), "silent", 0, "The silent disc on the left"),
        (("striped",), "low", 0, "The striped object making the low sound"),
        ((), "stops first", 0, "The object that falls silent first"),
        (
            ("small", "red", "top"),
            "first",
            1,
            "The first small red object at the top to make a sound",
        ),
        (("star", "dotted"), None, 7, "The dotted star"),
    ],
)
def test_descriptions_are_said(looks, sound, number, text) -> None:
    assert phrase(Description(looks, sound), number) == text


def test_no_two_descriptions_are_said_alike() -> None:
    said: dict[str, Description] = {}
    pairs = [(a, b) for a in LOOKS for b in LOOKS if a < b and LOOKS[a].slot != LOOKS[b].slot]
    for looks in [(), *((word,) for word in LOOKS), *pairs]:
        for sound in (None, *SOUNDS):
            description = Description(looks, sound)
            for text in {phrase(description, n) for n in range(6)}:
                assert said.setdefault(text, description) == description


def test_each_expression_fits_its_object_alone(clips) -> None:
    for facts, expressions in clips:
        assert 3 <= len(expressions) <= 5
        for expression in expressions:
            found = expression.description.extent(facts)
            alone = np.arange(len(facts.kinds)) == expression.referent
            np.testing.assert_array_equal(found.sure, alone)
            np.testing.assert_array_equal(found.possible, alone)


def test_expressions_of_a_clip_differ(clips) -> None:
    for _, expressions in clips:
        assert len({e.description for e in expressions}) == len(expressions)
        assert len({e.referent for e in expressions}) > 1


def test_neither_sight_nor_hearing_is_enough(clips) -> None:
    spoken = [(facts, e.description) for facts, all_ in clips for e in all_]
    seen = np.array([d.seen(f).possible.sum() for f, d in spoken])
    deaf = np.array([d.deaf(f).sum() for f, d in spoken])
    blind = np.array([d.blind(f).sum() for f, d in spoken])
    assert np.mean(seen > 1) > 0.75
    # Whoever knows the timbre of every class is still lost without hearing who sounds.
    assert np.mean(deaf > 1) > 0.6 and np.mean(1 / deaf) < 0.7
    assert np.mean(blind > 1) > 0.5
    assert np.mean((deaf > 1) & (blind > 1)) > 1 / 3
    kinds = Counter(need(d, f) for f, d in spoken)
    assert set(kinds) == set(NEEDS)


def test_silent_objects_are_referred_to(clips) -> None:
    heard = [f.sounding[:, e.referent].any() for f, all_ in clips for e in all_]
    present = np.concatenate([f.sounding.any(axis=0) for f, _ in clips])
    assert abs(np.mean(heard) - np.mean(present)) < 0.2


def test_null_expressions_sound_like_the_others(clips) -> None:
    null = [e for _, all_ in draw(range(27, 31)) for e in all_]
    assert len(null) >= 12 and all(e.referent is None for e in null)
    real = [e for _, all_ in clips for e in all_]
    mean = [np.mean([len(e.description.looks) for e in some]) for some in (null, real)]
    assert abs(mean[0] - mean[1]) < 0.5
    # Words of classes that are kept for test_u do not give themselves away.
    words = {word for e in null + real for word in e.description.looks}
    assert not words & {"ring", "cross", "crescent"}


def test_candidates_are_limited_to_the_objects_asked_for() -> None:
    facts = facts_of(layout_of(PLAN).scene(0))
    everything = candidates(facts)
    offered = candidates(facts, [1])
    assert {n for by_object in offered.values() for n in by_object} == {1}
    for kind, by_object in offered.items():
        assert by_object[1] == everything[kind][1]


def test_superfluous_words_have_no_use() -> None:
    facts = facts_of(layout_of(PLAN).scene(0))
    for kind, by_object in candidates(facts).items():
        for number, descriptions in by_object.items():
            for d in descriptions:
                assert d.referent(facts) == number and need(d, facts) == kind
                if kind == "eyes":
                    assert all(Description((w,)).referent(facts) is None for w in d.looks[1:])
                else:
                    assert d._replace(sound=None).referent(facts) is None
