"""A run's scores under corruptions: those of its own test, kept, added to, never lost."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analysis.robustness import scores as module
from analysis.robustness.scores import (
    CLEAN,
    CorruptionScores,
    OneCorruption,
    RunRobustness,
)
from auralsam2 import config as configs
from auralsam2.data.synthetic.writer import Plan, write_clips
from auralsam2.engine import robustness, run_record
from auralsam2.engine.evaluate import evaluate_model, trained_model
from auralsam2.engine.metric_scales import MetricScale
from auralsam2.engine.splits import test_datasets as build_tests

GAIN, BLUR = ({"type": "Gain"}, (-20.0, 20.0)), ({"type": "Blur"}, (4.0,))
DEAF = {f"model.{part}": None for part in ("sparse_prompt", "dense_prompt", "contrastive_loss")}


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("robustness") / "clips"
    write_clips(root, Plan("v1m", (1, 1, 4), seed=2, size=48, num_frames=2))
    return root


@pytest.fixture
def write_run(
    write_scored: Callable[..., object], tiny_model: dict[str, object], clips: Path, tmp_path: Path
) -> Callable[..., Path]:
    def write(name: str = "run", **overrides: object) -> Path:
        given = {**tiny_model, "data.root": str(clips), **overrides}
        cfg = configs.load("auralsam2/mini_v1m", given)
        model = trained_model(cfg, None)
        tested = evaluate_model(model, cfg, {"test": build_tests(cfg)["test"]}).splits["test"]
        write_scored(tmp_path / name, {"test": tested.per_clip})
        configs.dump(cfg, tmp_path / name / "config.py")
        return tmp_path / name

    return write


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, str]]:
    """Condition and clip of all that a model has scored."""
    calls: list[tuple[Any, str]] = []
    whole = robustness.condition_scores

    def count(*arguments: Any) -> Any:
        for one in whole(*arguments):
            calls.append((one.condition, one.clip))
            yield one

    monkeypatch.setattr(robustness, "condition_scores", count)
    return calls


def test_clean_scores_are_those_of_the_run_and_nothing_is_scored_twice(
    write_run, counted: list[tuple[Any, str]]
) -> None:
    run_dir = write_run()
    tested = {
        e["clip"]: e["value"] for e in run_record.read(run_dir).per_clip if e["metric"] == "J"
    }
    two = RunRobustness(corruptions=[GAIN], max_clips=2).of(run_dir)
    assert len(counted) == 2 * 3 and two.hears and two.left_out == {}
    frame = two.scores
    clean = frame[frame["corruption"] == CLEAN].set_index("clip")["J"]
    assert dict(clean) == {clip: tested[clip] for clip in list(tested)[:2]}
    assert set(frame["strength"]) == {0.0, -20.0, 20.0}

    every = RunRobustness(corruptions=[GAIN, BLUR]).of(run_dir)
    assert len(counted) == 4 * 4, "only what was not there"
    assert dict(every.scores[every.scores["corruption"] == CLEAN].set_index("clip")["J"]) == tested
    assert len(every.scores) == 4 * 4

    more = ({"type": "Gain"}, (-20.0, -30.0, 0.0))
    again = RunRobustness(corruptions=[more]).of(run_dir)
    assert len(counted) == 4 * 5 and {name for (name, _), _ in counted[16:]} == {"Gain"}
    gain = again.scores[again.scores["corruption"] == "Gain"]
    assert set(gain["strength"]) == {-20.0, -30.0}, "0 dB is the clean clip, which is there"

    read = RunRobustness(corruptions=[GAIN, BLUR])
    assert read.has(run_dir, {})
    stated = json.loads((run_dir / "robustness" / "Gain.json").read_text())
    assert stated["strengths"] == ["-30", "-20", "20"] and stated["clips"] == 4
    assert stated["settings"]["corruption"] == {"type": "Gain"}
    assert stated["settings"]["seed"] == 0 and stated["settings"]["split"] == "test"
    read.of(run_dir, again=True)
    assert len(counted) == 4 * 9


class Killed(BaseException):
    """As by kill -9: what was not kept before is lost."""


def test_a_run_that_is_killed_goes_on_where_it_was(
    write_run,
    counted: list[tuple[Any, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run_dir, asked = write_run(), RunRobustness(corruptions=[GAIN, BLUR])
    whole = robustness.condition_scores

    with monkeypatch.context() as patch:

        def killed(*arguments: Any) -> Any:
            for number, one in enumerate(whole(*arguments)):
                if number == 10:  # the second batch has begun
                    patch.setattr(CorruptionScores, "write", lambda *_: None)
                    raise Killed
                yield one

        patch.setattr(module, "MOST_LOST", 0.0)
        patch.setattr(robustness, "condition_scores", killed)
        with pytest.raises(Killed):
            asked.of(run_dir)
    assert not asked.has(run_dir, {})
    done = len(counted)
    found = asked.of(run_dir)
    # Four conditions of two batches of two; what was under way is scored with its batch.
    assert done == 11 and len(counted) - done == 4 * 4 - 10
    assert len(found.scores) == 4 * 4 and not found.scores.isna().any(axis=None)


def test_where_nothing_is_heard_corruptions_of_sound_cost_nothing(
    write_run, counted: list[tuple[Any, str]]
) -> None:
    run_dir = write_run(**DEAF)
    found = RunRobustness(corruptions=[GAIN, BLUR]).of(run_dir)
    assert not found.hears
    assert {condition for condition, _ in counted} == {(CLEAN, 0.0), ("Blur", 4.0)}
    by = found.scores.set_index(["corruption", "strength", "clip"]).sort_index()
    for strength in (-20.0, 20.0):
        np.testing.assert_array_equal(by.xs(("Gain", strength)), by.xs((CLEAN, 0.0)))
    kept = RunRobustness(corruptions=[GAIN, BLUR]).of(run_dir)
    assert not kept.hears and kept.scores.equals(found.scores)
    before = len(counted)
    RunRobustness(corruptions=[({"type": "Delay"}, (1.0,))]).of(run_dir)
    assert len(counted) == before


def test_a_corruption_that_the_data_do_not_have_is_left_out(
    write_run, monkeypatch: pytest.MonkeyPatch
) -> None:
    from auralsam2.data.datasets.corrupted import CorruptedClips

    def check(self: CorruptedClips) -> None:
        if not self.corruption.seen:
            raise ValueError("no waveform")

    monkeypatch.setattr(CorruptedClips, "check", check)
    found = RunRobustness(corruptions=[GAIN, BLUR]).of(write_run())
    assert found.left_out == {"Gain": "no waveform"}
    assert set(found.scores["corruption"]) == {CLEAN, "Blur"}


def test_unusual_arguments_and_splits_have_files_of_their_own(tmp_path: Path) -> None:
    nodes: list[Any] = [None, {"type": "Babble"}, {"type": "Babble", "voices": 2}]
    paths = [
        CorruptionScores(corruption=n, split=s).path(tmp_path) for n in nodes for s in ("test", "b")
    ]
    assert len({*paths}) == 6
    assert [paths[0].name, paths[2].name] == ["clean.csv", "Babble.csv"]


def test_every_bit_of_a_score_and_any_name_is_kept() -> None:
    kept = CorruptionScores(corruption=None, split="test")
    scored = {
        (float("inf"), "007"): (0.1 + 0.2, 1e-17, float("nan")),
        (-2.5, "NA"): (1.0, 0.0, 0.5),
    }
    scales = {name: MetricScale(bounds=(0.0, 1.0)) for name in ("J", "a b", "c")}
    content, facts = kept.encode(OneCorruption(scored, scales, False))
    read = kept.decode(content, facts)
    assert not read.hears and list(read.scored) == list(scored) and read.scales == scales
    np.testing.assert_array_equal([*read.scored.values()], [*scored.values()])
