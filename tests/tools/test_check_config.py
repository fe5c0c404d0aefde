from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from auralsam2_tools.check_config import main

from auralsam2.config import config_hash, load, names, validate
from auralsam2.registry import FUSIONS, REGISTRIES, Registry
from auralsam2.signature import TEXT, annotated_kinds, parameters_of


@pytest.fixture
def config_file(toy_config_dict: dict, tmp_path: Path) -> str:
    path = tmp_path / "toy.py"
    path.write_text("\n".join(f"{key} = {value!r}" for key, value in toy_config_dict.items()))
    return str(path)


def test_a_good_config_shows_its_hash(config_file: str, toy_config_dict: dict, run) -> None:
    expected = config_hash(toy_config_dict)[:16]
    assert run("check-config", config_file) == f"{config_file}: OK, hash {expected}\n"


def test_print_shows_the_config_with_its_overrides(config_file: str, run) -> None:
    overrides = ["optim.epochs=7", "model.fusion=GateFusion"]
    shown = run("check-config", config_file, "--print", "--set", *overrides)
    assert "epochs=7" in shown and "type='GateFusion'" in shown
    assert "SumFusion" not in shown


def test_problems_go_to_stderr_with_status_1(
    config_file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    overrides = ["optim.epochs=0", "model.fusion=SumFuson"]
    assert main([config_file, config_file, "--set", *overrides]) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.count("2 problems") == 2
    assert "did you mean 'SumFusion'?" in shown.err


def test_a_grid_gets_pointed_to_its_own_check(toy_components: None, tmp_path: Path, run) -> None:
    (tmp_path / "grids").mkdir()
    path = tmp_path / "grids" / "demo.py"
    path.write_text("base = 'x'\n")
    assert "run-grid" in run("check-config", path, status=1)


def test_overrides_without_equals_are_refused(run, config_file: str) -> None:
    assert "write KEY=VALUE" in run("check-config", config_file, "--set", "optim.epochs", status=2)


def test_every_shipped_config_is_valid(run) -> None:
    shipped = names("auralsam2")
    assert run("check-config", *shipped).count(": OK, hash") == len(shipped) > 5


def _arguments(registry: Registry) -> Iterator[tuple[str, str, frozenset[str]]]:
    """Component, argument and the kinds of its values, where they are stated."""
    for name in registry.names():
        for key, argument in parameters_of(registry.lookup(name)).known.items():
            if kinds := annotated_kinds(argument):
                yield name, key, kinds


def _told_of(text: object, model: dict[str, Any]) -> list[str]:
    cfg = load("auralsam2/mini_v1m")
    cfg.model.update(model)
    return [problem for problem in validate(cfg) if repr(text) in problem]


def test_values_that_no_loss_or_injection_knows_are_refused() -> None:
    asked = set()
    for part in ("mask_loss", "contrastive_loss", "injection"):
        for name, key, kinds in _arguments(REGISTRIES[part]):
            if TEXT in kinds:
                told = _told_of("nonsense", {part: {"type": name, key: "nonsense"}})
                assert told and told[0].startswith(f"model.{part}: "), (name, key)
                asked.add(key)
    assert {"placement", "order", "reduction", "anchors", "pool"} <= asked


@pytest.mark.parametrize("wrong", ["many", [1, 2]])
def test_what_is_no_number_is_refused_where_a_component_wants_one(wrong: object) -> None:
    numbers = [
        (name, key) for name, key, kinds in _arguments(FUSIONS) if kinds <= {"int", "float", "None"}
    ]
    assert len(numbers) > 5
    for name, key in numbers:
        (told,) = _told_of(wrong, {"fusion": {"type": name, key: wrong}})
        assert told.startswith(f"model.fusion.{key}: must be "), name


def test_wrong_values_are_told_together(run) -> None:
    wrong = [
        "evaluation.metrics.0.average=clips",
        "optim.optimizer.lr=1e-3x",
        "model.audio_depth=x",
        "model.contrastive_loss.temperature=[1]",
    ]
    shown = run("check-config", "auralsam2/mini_v1m", "--set", *wrong, status=1)
    assert "evaluation.metrics.0: unknown average='clips'; known: clip, frame" in shown
    assert "optim.optimizer.lr: must be float, got '1e-3x'" in shown
    assert "model.audio_depth: must be int, got 'x'" in shown
    assert "model.contrastive_loss.temperature: must be float, got [1]" in shown
