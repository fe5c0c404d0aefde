"""Run folders, configs and checkpoints told apart."""

from pathlib import Path

import pytest

from auralsam2.engine.run_target import find_target


def test_a_run_folder_brings_its_weights_where_it_has_some(tmp_path: Path) -> None:
    (tmp_path / "config.py").touch()
    assert find_target(str(tmp_path), None) == (str(tmp_path / "config.py"), None)
    (tmp_path / "best.safetensors").touch()
    assert find_target(str(tmp_path), None).checkpoint == tmp_path / "best.safetensors"
    other = tmp_path / "other.safetensors"
    other.touch()
    assert find_target(str(tmp_path), other).checkpoint == other


def test_anything_else_is_a_config(tmp_path: Path) -> None:
    assert find_target("auralsam2/mini_v1m", None) == ("auralsam2/mini_v1m", None)


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no config\.py"):
        find_target(str(tmp_path), None)
    with pytest.raises(FileNotFoundError, match="no checkpoint at"):
        find_target("auralsam2/mini_v1m", tmp_path / "nothing.safetensors")
