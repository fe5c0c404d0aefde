"""Control splits: test sets heard with another sound, named ``SPLIT_audio_KIND``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from auralsam2.messages import unknown_name
from auralsam2.registry import DATASETS

REAL = "real"
"""What the sound of a split that is no control is called."""

SYNONYMS = {"swap": "swapped"}


def kinds() -> dict[str, str]:
    """Kind of sound -> name of the data set that gives it.

    Every registered data set with an attribute ``counterfactual`` counts, also one from outside.
    """
    found = {name: getattr(DATASETS.lookup(name), "counterfactual", None) for name in _own_names()}
    return {kind: name for name, kind in found.items() if kind}


def is_control(node: Mapping[str, Any]) -> bool:
    """Whether a data set's node gives clips another sound than theirs."""
    return bool(getattr(DATASETS.lookup(node["type"]), "counterfactual", None))


def with_controls(
    test: Mapping[str, Mapping[str, Any]], wanted: Iterable[str]
) -> dict[str, dict[str, Any]]:
    """Add control splits of ``wanted`` sounds behind the splits of ``test`` that they belong to.

    None is added to a control, nor where a split of its name stands.
    """
    names, wanted = kinds(), list(dict.fromkeys(wanted))
    nodes: dict[str, dict[str, Any]] = {}
    for split, node in test.items():
        nodes[split] = dict(node)
        for kind in () if is_control(node) else wanted:
            control = f"{split}_audio_{kind}"
            if control not in test:
                nodes[control] = {"type": names[kind], "dataset": dict(node)}
    return nodes


def heard_with(
    test: Mapping[str, Mapping[str, Any]], sounds: Iterable[str]
) -> dict[str, dict[str, Any]]:
    """Every test split under the asked sounds alone.

    Args:
        test: nodes by split; controls among them are taken where they are asked for.
        sounds: ``real`` and kinds of counterfactual sound; ``swap`` is ``swapped``.

    Raises:
        ValueError: naming every unknown sound.
    """
    asked = [SYNONYMS.get(sound, sound) for sound in sounds]
    known = [REAL, *kinds()]
    unknown = [unknown_name("sound", sound, known) for sound in asked if sound not in known]
    if unknown:
        raise ValueError("\n".join(unknown))
    real = [split for split, node in test.items() if not is_control(node)]
    nodes = with_controls(test, [kind for kind in asked if kind != REAL])
    names = {
        split if sound == REAL else f"{split}_audio_{sound}" for split in real for sound in asked
    }
    return {split: node for split, node in nodes.items() if split in names}


def _own_names() -> list[str]:
    DATASETS.import_from_location()
    return sorted(DATASETS.module_dict)
