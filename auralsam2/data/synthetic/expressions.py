"""Draw referring expressions for a scene: each fits one object, or, null ones, none."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import combinations
from typing import NamedTuple

import numpy as np

from auralsam2.data.synthetic.words import LOOKS, SOUNDS, Description, Facts

ORDER = ("size", "colour", "texture", "shape", "place")
MOST_LOOKS = 2
PLACE_PHRASES = {
    "left": "on the left",
    "right": "on the right",
    "top": "at the top",
    "bottom": "at the bottom",
}
PHRASES: dict[str | None, tuple[str, ...]] = {
    None: ("the {}",),
    "low": ("the {} making the low sound", "the {} with a low sound"),
    "high": ("the {} making the high sound", "the {} with a high sound"),
    "pulsed": ("the {} making the pulsed sound", "the {} that sounds in pulses"),
    "steady": ("the {} making the steady sound", "the {} with a steady sound"),
    "noisy": ("the {} making the noisy sound", "the {} that sounds like noise"),
    "silent": ("the silent {}", "the {} that makes no sound"),
    "sounding": ("the sounding {}", "the {} that can be heard"),
    "together": ("the {} that sounds together with another object",),
    "alone": ("the {} that is only heard on its own",),
    "first": ("the {} that sounds first", "the first {} to make a sound"),
    "last": ("the {} that is heard last", "the last {} to be heard"),
    "stops first": ("the {} that falls silent first",),
    "longest": ("the {} that sounds the longest",),
}
"""Word for a sound -> ways to say it; the braces stand for noun, adjectives and place."""

NEEDS = ("both", "ears", "both", "timbre", "eyes")
"""What the expressions of a clip need, one after the other, as far as the scene offers it."""

COUNTS = (3, 4, 5)
"""Expressions a clip."""


class Expression(NamedTuple):
    """A description in words; ``referent`` is the object's number, None for null expressions."""

    text: str
    description: Description
    referent: int | None


def phrase(description: Description, number: int = 0) -> str:
    """Say it in the way of that number, such as ``The silent disc on the left``."""
    by_slot = {LOOKS[word].slot: word for word in description.looks}
    words = [by_slot[slot] for slot in ORDER[:3] if slot in by_slot]
    words.append(by_slot.get("shape", "object"))
    if "place" in by_slot:
        words.append(PLACE_PHRASES[by_slot["place"]])
    ways = PHRASES[description.sound]
    text = ways[number % len(ways)].format(" ".join(words))
    return text[0].upper() + text[1:]


def need(description: Description, facts: Facts) -> str | None:
    """What it takes to find the one object that a description refers to.

    Returns:
        ``eyes``: no sound is mentioned; ``timbre``: the looks fit several objects, of which one
        can make such a sound; ``ears``: sight and knowledge of timbres leave several, hearing
        one; ``both``: hearing alone leaves several too. None where the sound, or a look
        without one, is superfluous.
    """
    if description.sound is None:
        return None if _has_superfluous(description, facts) else "eyes"
    if description.seen(facts).possible.sum() < 2:
        return None
    if description.deaf(facts).sum() < 2:
        return "timbre"
    return "ears" if description.blind(facts).sum() == 1 else "both"


def _has_superfluous(description: Description, facts: Facts) -> bool:
    """Whether fewer looks would do."""
    fewer = (tuple(w for w in description.looks if w != word) for word in description.looks)
    return any(description._replace(looks=looks).referent(facts) is not None for looks in fewer)


def candidates(
    facts: Facts, referents: Collection[int] | None = None
) -> dict[str, dict[int, list[Description]]]:
    """All descriptions of at most two looks, by what they need and by what they refer to.

    Only those of ``referents``, objects that may be referred to, where some are given.
    """
    found: dict[str, dict[int, list[Description]]] = {}
    wanted = range(len(facts.kinds)) if referents is None else referents
    for number in wanted:
        fitting = [w for w, look in LOOKS.items() if look.extent(facts).sure[number]]
        for looks in _look_sets(fitting):
            for sound in (None, *SOUNDS):
                description = Description(looks, sound)
                if description.referent(facts) != number:
                    continue
                kind = need(description, facts)
                if kind is not None:
                    found.setdefault(kind, {}).setdefault(number, []).append(description)
    return found


def is_rich(offer: dict[str, dict[int, list[Description]]], num_referents: int) -> bool:
    """Whether a scene's candidates need ears and eyes and refer to so many objects."""
    hard = offer.get("both", {}), offer.get("ears", {})
    return all(hard) and len(hard[0].keys() | hard[1].keys()) >= num_referents


def sample_expressions(
    rng: np.random.Generator, offer: dict[str, dict[int, list[Description]]]
) -> list[Expression]:
    """Draw the expressions of a clip from :func:`candidates`.

    Objects take turns, so that no expression's object can be told without its words.
    """
    chosen: list[Expression] = []
    turns = {n: 0 for by_object in offer.values() for n in by_object}
    for step in range(int(rng.choice(COUNTS))):
        for kind in (NEEDS[step], *NEEDS):
            description = _draw(rng, offer.get(kind, {}), turns, [e.description for e in chosen])
            if description is not None:
                break
        else:
            break
        number = next(n for n, all_ in offer[kind].items() if description in all_)
        turns[number] += 1
        chosen.append(Expression(phrase(description, int(rng.integers(6))), description, number))
    return chosen


def sample_null_expressions(
    rng: np.random.Generator, facts: Facts, donor: Callable[[], Facts]
) -> list[Expression]:
    """Draw expressions that fit no object of a scene, but one of another scene.

    Their words are those of other expressions, so that the words alone do not tell null ones.
    Every other expression names looks that the scene shows with a sound that they do not make.
    ``donor`` draws the facts of another scene.
    """
    chosen: list[Expression] = []
    count = int(rng.choice(COUNTS))
    while len(chosen) < count:
        for expression in sample_expressions(rng, candidates(donor())):
            description = expression.description
            shown = bool(description.seen(facts).possible.any())
            fresh = description not in [e.description for e in chosen]
            if fresh and description.is_null(facts) and shown == (len(chosen) % 2 == 0):
                chosen.append(expression._replace(referent=None))
                break  # one a donor, for variety
    return chosen


def _draw(
    rng: np.random.Generator,
    by_object: dict[int, list[Description]],
    turns: dict[int, int],
    taken: Collection[Description],
) -> Description | None:
    """Draw an object among those with the fewest turns, then its sound, then the description."""
    left = {n: [d for d in found if d not in taken] for n, found in by_object.items()}
    left = {n: found for n, found in left.items() if found}
    if not left:
        return None
    fewest = min(turns[n] for n in left)
    number = int(rng.choice([n for n in left if turns[n] == fewest]))
    sounds = list(dict.fromkeys(d.sound for d in left[number]))
    sound = sounds[int(rng.integers(len(sounds)))]
    fitting = [d for d in left[number] if d.sound == sound]
    return fitting[int(rng.integers(len(fitting)))]


def _look_sets(words: Iterable[str]) -> Iterator[tuple[str, ...]]:
    ordered = sorted(words, key=lambda word: (ORDER.index(LOOKS[word].slot), word))
    for size in range(MOST_LOOKS + 1):
        for looks in combinations(ordered, size):
            if len({LOOKS[word].slot for word in looks}) == size:
                yield looks
