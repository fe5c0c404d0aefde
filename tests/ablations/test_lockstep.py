"""Which runs go side by side, on a real executor with trainings that train nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console

from ablations import lockstep
from ablations.executors.local import InlineExecutor, LocalExecutor
from ablations.lockstep import shared_by
from auralsam2 import config
from auralsam2.engine import run_record

from .conftest import labels


@pytest.fixture
def abreast(drive, console: Console, monkeypatch: pytest.MonkeyPatch):
    """Run cells of these names with the fake training; result and what was shown."""
    trained = "its image encoder is trained"
    monkeypatch.setattr(
        lockstep,
        "shared_by",
        lambda cfg: (None, trained) if cfg.optim.epochs == 3 else (str(cfg.seed), ""),
    )

    def call(*names: str, at_most: int = 0, **options):
        result = drive(*names, lockstep=at_most, **options)
        return result, console.file.getvalue()

    return call


def test_runs_of_a_key_go_together_and_others_apart(abreast, tmp_path: Path) -> None:
    result, shown = abreast("one", "two", "three", "four", seeds=(0, 1))
    assert len(result.finished) == 8 and not result.failed
    assert "3 runs side by side: one, seed 0; two, seed 0; four, seed 0" in shown
    assert "3 runs side by side: one, seed 1; two, seed 1; four, seed 1" in shown
    assert "three, seed 1: goes alone, its image encoder is trained" in shown
    assert "four, seed 0: epoch 4/4, loss 1.00" in shown
    assert "two, seed 1: done, test J 0.600 [" in shown
    for run in result.finished:  # each has its own log
        log = (run.run_dir / "log.txt").read_text()
        assert log.count("training") == 1 and f"training {run.cell.name}" in log
        assert log.count("a C library speaks") == 1


@pytest.mark.parametrize(
    ("at_most", "processes", "sizes"), [(0, 2, [3, 3]), (0, 6, [1] * 6), (4, 4, [4, 2])]
)
def test_every_process_gets_its_share_unless_a_number_is_stated(
    abreast, at_most: int, processes: int, sizes: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(InlineExecutor, "num_processes", processes, raising=False)
    monkeypatch.setattr(lockstep, "shared_by", lambda cfg: ("all", ""))
    _, shown = abreast("a", "b", seeds=(3, 4, 5), at_most=at_most)
    groups = [int(line.split()[1]) for line in shown.splitlines() if "runs side by side" in line]
    assert groups == [size for size in sizes if size > 1]
    assert shown.count("goes alone, ") == sizes.count(1)


def test_what_a_dead_process_took_along_goes_on_alone(abreast) -> None:
    result, shown = abreast("good", "boom", "apart", "die", executor=LocalExecutor(1))
    errors = {run.cell.name: error for run, error in result.failed}
    assert errors.keys() == {"boom", "die"}
    assert "the fuse is burnt" in errors["boom"] and "signal 9" in errors["die"]
    assert labels(result.finished) == ["good, seed 0", "apart, seed 0"]
    assert "die, seed 0: goes alone, its process died" in shown


def test_a_run_out_of_memory_comes_again_alone(abreast) -> None:
    result, shown = abreast("good", "oom", overrides={"data.batch_size": 4}, oom_retries=1)
    assert sorted(labels(result.finished)) == ["good, seed 0", "oom, seed 0"]
    assert "oom, seed 0: goes alone, it ran out of memory before" in shown
    (oom,) = [run for run in result.finished if run.cell.name == "oom"]
    assert run_record.read(oom.run_dir).attempts[0]["batch_size"] == 4


def test_an_interrupt_leaves_runs_that_the_next_call_does(
    abreast, fake_training, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(lockstep, "run_group", interrupted)
        with pytest.raises(KeyboardInterrupt):
            abreast("good", "better")
    assert labels(abreast("good", "better")[0].finished) == ["good, seed 0", "better, seed 0"]


def test_what_configs_share() -> None:
    def key(name: str = "auralsam2/mini_v1m", **changes: object) -> tuple[str | None, str]:
        return shared_by(config.load(name, {k.replace("__", "."): v for k, v in changes.items()}))

    usual, why = key()
    assert usual is not None and why == ""
    same = dict(model__fusion=dict(type="NoFusion"), optim__epochs=9, runtime__log_every=3)
    assert key(**same) == (usual, "")
    for change in (
        dict(seed=1),
        dict(data__image_size=256),
        dict(data__batch_size=2),
        dict(optim__amp="bfloat16"),
        dict(runtime__num_threads=3),
        dict(model__audio_encoder__channels="mean"),
    ):
        other, _ = key(**change)
        assert other not in (None, usual), change
    assert key(model__trained_parts=("image_encoder",)) == (None, "its image encoder is trained")
    assert key(model__backbone__frozen=False) == (None, "its image encoder is trained")
    for name, reason in {
        "methods/gavs_mini_v1m": "blocks of its image encoder are adapted",
        "methods/sama_avs_mini_v1m": "its image encoder hears",
        "methods/tpavi_mini_v1m": "it encodes frames in a way of its own",
    }.items():
        assert key(name) == (None, reason)
