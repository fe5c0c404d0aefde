"""Which control splits a config gets."""

from __future__ import annotations

import pytest

from auralsam2 import config as configs
from auralsam2.counterfactuals import heard_with, is_control, kinds, with_controls

CLIPS = dict(type="AVSBenchDataset", split="test")
SWAPPED = dict(type="AudioSwapped", dataset=CLIPS, seed=5)
TEST = {"test": CLIPS, "test_audio_swapped": SWAPPED}


def test_kinds_are_told_by_the_classes() -> None:
    assert kinds() == {
        "noise": "AudioNoise",
        "offscreen": "AudioOffscreen",
        "silence": "AudioSilence",
        "swapped": "AudioSwapped",
    }
    assert is_control(SWAPPED) and not is_control(CLIPS)


def test_controls_are_added_once_and_to_no_control() -> None:
    nodes = with_controls(TEST, ["swapped", "silence", "silence"])
    assert nodes == {**TEST, "test_audio_silence": dict(type="AudioSilence", dataset=CLIPS)}
    assert list(nodes)[0] == "test"
    assert with_controls(TEST, []) == TEST


def test_every_split_gets_its_own() -> None:
    seen, unseen = dict(type="RefAVSDataset", split="test_s"), dict(type="RefAVSDataset")
    nodes = with_controls({"test_s": seen, "test_u": unseen}, ["noise"])
    assert list(nodes) == ["test_s", "test_s_audio_noise", "test_u", "test_u_audio_noise"]
    assert nodes["test_u_audio_noise"]["dataset"] == unseen


def test_asked_sounds_alone_in_either_spelling() -> None:
    assert heard_with(TEST, ["real"]) == {"test": CLIPS}
    for spelled in ("swap", "swapped"):
        assert heard_with(TEST, [spelled]) == {"test_audio_swapped": SWAPPED}
    assert list(heard_with(TEST, ["real", "silence"])) == ["test", "test_audio_silence"]
    with pytest.raises(ValueError) as caught:
        heard_with(TEST, ["silense", "loud"])
    assert "did you mean 'silence'?" in str(caught.value)
    assert "unknown sound 'loud'; known: noise, offscreen, real" in str(caught.value)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("silence", "must be a list of kinds of sound, e.g. ['noise', 'offscreen'], got 'silence'"),
        (["swap", "silence"], "unknown kind of sound 'swap'; did you mean 'swapped'?"),
    ],
)
def test_config_names_kinds_in_a_list(value: object, said: str) -> None:
    with pytest.raises(configs.ConfigError) as caught:
        configs.load("auralsam2/mini_v1m", {"evaluation.counterfactuals": value})
    (problem,) = caught.value.problems
    assert problem.startswith("evaluation.counterfactuals: ") and said in problem


def test_config_and_its_hash() -> None:
    plain, more = (
        configs.load("auralsam2/mini_v1m", configs.parse_overrides(pairs))
        for pairs in ([], ["evaluation.counterfactuals=[silence,noise]"])
    )
    assert "counterfactuals" not in plain.evaluation
    assert more.evaluation.counterfactuals == ["silence", "noise"]
    assert configs.config_hash(plain) != configs.config_hash(more)
