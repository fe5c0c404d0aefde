"""``auralsam2 benchmark``: tables, files, and what it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from auralsam2_tools.__main__ import main
from auralsam2_tools.benchmark import _parser

from auralsam2.engine.benchmark.cases import Asked, axes_of, measured
from auralsam2.engine.benchmark.report import Part, Reading, Report, Spread
from auralsam2.engine.benchmark.table import tables

FAST = ["--steps", "1", "--warmup", "0"]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory, write_tiny: Callable[..., Path]) -> Path:
    return write_tiny(tmp_path_factory.mktemp("tiny"), (3, 2, 5), seed=0)


def test_a_config_as_it_is_in_all_forms(tiny: Path, tmp_path: Path, run) -> None:
    files = ["--json", str(tmp_path / "x.json"), "--figure", str(tmp_path / "bars.png")]
    shown = run("benchmark", tiny.parent, *FAST, *files, "--seed", "3")
    for text in ("training step", "evaluated clip", "mask decoder", "not taken apart", "GFLOP/s"):
        assert text in shown
    (case,) = json.loads((tmp_path / "x.json").read_text())["measured"]
    train = case["values"][""]["train"]
    assert f"{train['parts']['backward']['operations'] / 1e9:,.2f}" in shown
    assert {path.suffix for path in tmp_path.glob("bars.*")} == {".png", ".pdf", ".csv"}
    run("make-figures", tmp_path / "x.json", "--out", tmp_path / "again")
    again, before = (tmp_path / "again" / "x.csv", tmp_path / "bars.csv")
    assert again.read_text() == before.read_text()
    told = run("make-figures", tmp_path / "x.json", "--clips", "2", "--failures", status=2)
    assert "is drawn without --clips, --failures" in told


def test_prompting_in_all_forms(tmp_path: Path, run) -> None:
    files = ["--json", str(tmp_path / "x.json"), "--figure", str(tmp_path / "speed.png")]
    small = ["--set", "data.image_size=64", "runtime.num_threads=1"]
    shown = run("benchmark", "auralsam2/mini_v1m", "--prompting", "2", *FAST, *files, *small)
    for text in ("SAM2 beside SAMAAVS", "lost, CPU", "encode with sound", "fuser sees 5 frames"):
        assert text in shown
    plain = json.loads((tmp_path / "x.json").read_text())
    assert plain["prompting"]["ways"]["AuralSAM2"]["passes"]["clip"] == 2
    run("make-figures", tmp_path / "x.json")
    assert (tmp_path / "x.csv").read_text() == (tmp_path / "speed.csv").read_text()


def test_a_model_that_trains_nothing_has_no_training_step(tiny: Path, run) -> None:
    root = f"data.root={tiny.parent / 'clips'}"
    overrides = ["--set", root, "data.image_size=64", "runtime.device=cpu"]
    shown = run("benchmark", "methods/unprompted_mini_v1m", *FAST, *overrides)
    assert "trained weights: none" in shown
    assert "evaluated clip" in shown and "training step," not in shown


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["auralsam2/mini_v1"], "unknown config 'auralsam2/mini_v1'"),
        (["auralsam2/mini_v1m", "--set", "model.fusion.depth=3"], "model.fusion.depth"),
        (["auralsam2/mini_v1m", "--set", "data.root=/nowhere"], "(--synthetic measures on"),
        (["auralsam2/hiera_tiny_v1m", "--set", "optim.amp=None"], "(--random-weights measures"),
        (["auralsam2/mini_v1m", "--scale", "clip=1", "clips=0"], "did you mean 'clips'"),
        (["auralsam2/mini_v1m", "--scale", "clip=1", "clips=0"], "such as clips=1,2,4"),
        (["auralsam2/mini_v1m", "--scale", "frames=2"], "add --synthetic"),
    ],
)
def test_what_cannot_be_measured_is_refused(arguments: list[str], said: str, run) -> None:
    assert said in run("benchmark", *arguments, status=2)


WITHOUT_EFFECT = {
    "--forecast": {
        *("--steps", "--warmup", "--seed", "--synthetic", "--random-weights", "--scale"),
        *("--json", "--figure", "--prompting", "--adapter"),
    },
    "--prompting": {"--synthetic", "--scale", "--forecast"},
    "": {"--adapter"},
}
"""Mode, none being a training step -> options that change nothing there."""
WITH_EFFECT = {
    "--forecast": {"--set"},
    "--prompting": {
        *("--set", "--steps", "--warmup", "--seed", "--random-weights"),
        *("--adapter", "--json", "--figure"),
    },
    "": {
        *("--set", "--steps", "--warmup", "--seed", "--random-weights", "--synthetic", "--scale"),
        *("--json", "--figure", "--forecast", "--prompting"),
    },
}
VALUES = {"--scale": ["clips=1"], "--json": ["x"], "--figure": ["x"]}


@pytest.mark.parametrize("mode", WITHOUT_EFFECT)
def test_options_without_effect_are_refused_together(
    mode: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    actions = {name: action for action in _parser()._actions for name in action.option_strings[-1:]}
    useless = WITHOUT_EFFECT[mode]
    assert actions.keys() - {mode, "--help"} == useless | WITH_EFFECT[mode], (
        "say of a new option what it does"
    )
    line = [mode] if mode else []
    for name in sorted(useless):
        line += [name] if actions[name].nargs == 0 else [name, *VALUES.get(name, ["3"])]
    with pytest.raises(SystemExit):
        main(["benchmark", "auralsam2/mini_v1m", *line])
    said = capsys.readouterr().err
    assert mode in said and all(name in said for name in useless)
    assert list(tmp_path.iterdir()) == []


def test_values_of_an_axis() -> None:
    assert axes_of(["clips=1,2", "image_size=64"]) == {"clips": [1, 2], "image_size": [64]}
    assert axes_of([]) == {}


def test_frames_clips_and_sides_are_varied(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def record(cfg, steps: int, warmup: int) -> int:
        from auralsam2.engine.splits import run_datasets

        cfg.data.test, cfg.evaluation.counterfactuals = {}, ()
        frames = run_datasets(cfg)["train"][0]["frames"]
        seen.append((cfg.data.batch_size, len(frames), frames.shape[-1], steps, warmup))
        return len(seen)

    monkeypatch.setattr("auralsam2.engine.benchmark.cases.benchmark", record)
    asked = Asked("auralsam2/mini_v1m", {"data.batch_size": 2}, True, False)
    found = list(measured(asked, axes_of(["frames=2,3", "image_size=64", "clips=1"]), 4, 5))
    assert seen == [(2, 2, 128, 4, 5), (2, 3, 128, 4, 5), (2, 5, 64, 4, 5), (1, 5, 128, 4, 5)]
    assert [name for name, _ in found] == ["frames", "image_size", "clips"]
    assert found[0][1] == {"2": 1, "3": 2}


def reading(name: str, **seconds: float) -> Reading:
    parts = {
        part: Part(Spread(value, 0.5 * value, 2 * value), int(1e9), 0.25, 2**20)
        for part, value in seconds.items()
    }
    total = Spread.of([sum(seconds.values())])
    shape = (2, 5, 3, 64, 64)
    return Reading(name, parts, total, total.times(0.8), total, 4e9, "float32", 7, shape, "memory")


def test_the_texts_of_the_tables() -> None:
    whole = Report(None, reading("evaluated clip", encode=0.5, metrics=1.5), {})
    ((title, cells, notes),) = tables("", {"": whole})
    assert title == "evaluated clip, clips of 5 frames at 64 px, 2 in a batch"
    row = [cells["encode", column] for column in ("ms", "quartiles", "share", "GFLOP", "of peak")]
    assert row == ["500.0", "250.0 to 1,000", "25.0%", "1.00", "25.0%"]
    assert cells["all", "ms"] == "2,000" and cells["all", "of peak"] == "25.0%"
    assert (
        "1,600 ms" in notes[0]
        and "2,000 ms of CPU" in notes[0]
        and "+25.0%" in notes[0]
        and "4 GFLOP/s" in notes[1]
    )

    train = reading("training step", encode=0.5)
    both = {"1": whole._replace(train=train), "2": whole}
    first, second = tables("clips", both)
    assert first[1]["encode, ms", "clips=1"] == "500.0"
    assert second[1]["metrics, ms", "clips=2"] == "1,500"
    assert second[1]["all, GFLOP", "clips=1"] == "2.00"
