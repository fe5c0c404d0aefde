"""Old spellings of arguments that have moved to another class."""

import re
from pathlib import Path
from typing import Any

import pytest

from auralsam2.config import ConfigError, config_hash, dump, load, parse_overrides
from auralsam2.moved_arguments import MOVES, REPLACED
from auralsam2.registry import INJECTIONS, MODELS, REGISTRIES
from auralsam2.signature import parameters_of

BASE = "auralsam2/mini_v1m"


def test_the_class_of_today_takes_all_that_the_old_one_took() -> None:
    for old, move in MOVES.items():
        registry = MODELS if old in MODELS.names() else INJECTIONS
        was, now = (parameters_of(registry.lookup(name)).known for name in (old, move.to))
        assert was.keys() | move.arguments == now.keys()
        assert not was.keys() & move.arguments
        assert all(now[argument].default is False for argument in move.arguments)


@pytest.mark.parametrize("value", [True, False])
def test_an_override_in_the_old_words_names_the_class_of_today(value: bool) -> None:
    old = load(BASE, parse_overrides([f"model.join_clips={value}"]))
    new = load(BASE, {"model.type": "ReleasedAuralSAM2", "model.join_clips": value})
    assert old.to_dict() == new.to_dict()
    assert old.model.type == "ReleasedAuralSAM2" and old.model.join_clips is value


def test_a_node_in_the_old_words_names_the_class_of_today() -> None:
    cfg = load(BASE, {"model.injection": dict(type="StepwiseInjection", leak_into_position=True)})
    assert cfg.model.injection.type == "ReleasedInjection"


def test_a_config_file_in_the_old_words_is_read(tmp_path: Path) -> None:
    cfg: Any = load(BASE)
    cfg.model.constant_audio_position = True
    cfg.model.injection.leak_into_position = True
    dump(cfg, tmp_path / "config.py")
    read = load(tmp_path / "config.py")
    assert (read.model.type, read.model.injection.type) == (
        "ReleasedAuralSAM2",
        "ReleasedInjection",
    )


def test_an_argument_that_never_was_is_still_refused() -> None:
    with pytest.raises(ConfigError, match="'joined_clips'; did you mean 'join_clips'"):
        load(BASE, {"model.joined_clips": True})


def test_both_spellings_are_one_run() -> None:
    """The hash of the old words is that of runs from before the move."""
    new = load(BASE, {"model.join_clips": True})
    old: Any = load(BASE)
    old.model.join_clips = True
    assert old.model.type == "AuralSAM2"
    assert config_hash(old) == config_hash(new) != config_hash(load(BASE))


def test_an_argument_that_is_no_more_is_refused_with_what_took_its_place() -> None:
    place = "in its place there is the argument width of model.image_encoder=dict"
    with pytest.raises(ConfigError, match=place):
        load("methods/tpavi_mini_v1m", {"model.resnet_width": 8})
    node = load("methods/tpavi_mini_v1m").model.to_dict()
    with pytest.raises(ConfigError, match=place):
        load("methods/tpavi_mini_v1m", {"model": dict(node, resnet_width=8)})


def test_what_took_the_place_of_a_name_is_there() -> None:
    """A name that is no more is none of today's, and what is named instead can be taken."""
    for name, place in REPLACED.items():
        component, _, argument = name.partition(".")
        found = [r for r in REGISTRIES.values() if component in r.names()]
        assert bool(found) == bool(argument)
        assert not argument or argument not in parameters_of(found[0].lookup(component)).known
        for node in re.findall(r"type='(\w+)'", place):
            assert any(node in r.names() for r in REGISTRIES.values())
