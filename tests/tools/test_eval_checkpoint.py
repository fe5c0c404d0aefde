"""Other sounds and speed, from the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def config(write_tiny: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_tiny(tmp_path_factory.mktemp("eval"), (1, 1, 4), seed=2))


def test_every_sound_and_speed(config: str, tmp_path: Path, run) -> None:
    out = tmp_path / "scores.json"
    sounds = ["real", "silence", "swap", "noise", "offscreen"]
    shown = run("eval-checkpoint", config, "--audio", *sounds, "--speed", "--json", out)
    scores = json.loads(out.read_text())
    speed = scores.pop("speed")
    kinds = ["silence", "swapped", "noise", "offscreen"]
    assert set(scores) == {"test", *(f"test_audio_{kind}" for kind in kinds)}
    for split, found in scores.items():
        area = split.endswith(("silence", "noise", "offscreen"))
        assert set(found["metrics"]) == {"J", "F"} | ({"A"} if area else set())
        assert all(len(values) == 4 for values in found["per_clip"].values())
    assert f"A {scores['test_audio_silence']['metrics']['A']:.4f}" in shown
    assert f"speed: fps {speed['fps']:.1f}, decoder_fps {speed['decoder_fps']:.1f} (" in shown
    assert "num_threads 1" in shown


def splits_of(told: str) -> list[str]:
    return [line.split(":")[0] for line in told.splitlines() if " J " in line]


def test_one_sound_alone(config: str, run) -> None:
    told = run("eval-checkpoint", config, "--audio", "silence")
    assert splits_of(told) == ["test_audio_silence"]


def test_an_unknown_sound_is_told(config: str, run) -> None:
    told = run("eval-checkpoint", config, "--audio", "silent", status=2)
    assert "unknown sound 'silent'; did you mean 'silence'?" in told


def test_corrective_clicks_of_a_finished_run(config: str, run) -> None:
    clicks = ["--audio", "real", "--set", "evaluation.clicks=1"]
    told = run("eval-checkpoint", config, *clicks)
    ends = ("", "_clicks_0", "_clicks_1", "_clicks_0_unheard", "_clicks_1_unheard")
    assert splits_of(told) == [f"test{end}" for end in ends]
    assert told.count("unclicked/J ") == 4
