from __future__ import annotations

from pathlib import Path

import pytest
from auralsam2_tools.check_config import main

from auralsam2.config import config_hash, names


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
