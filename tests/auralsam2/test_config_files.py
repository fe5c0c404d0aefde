"""Shipped configs are found by name, others by path; one may inherit from another base."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from auralsam2 import config, config_files
from auralsam2.config import ConfigError, config_hash, find, load, names


def test_names_and_find(shipped: Path) -> None:
    assert names() == ["auralsam2/toy_v1m", "grids/demo"]
    assert names("grids") == ["grids/demo"]
    assert find("auralsam2/toy_v1m") == shipped / "auralsam2" / "toy_v1m.py"
    assert find("demo", folder="grids") == find("grids/demo")
    assert find(shipped / "grids" / "demo.py") == (shipped / "grids" / "demo.py").resolve()


def test_a_config_on_another_base(shipped: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (shipped / "auralsam2" / "big_v1m.py").write_text(
        "_base_ = '../_base_/toy.py'\noptim = dict(epochs=50)\nseed = 4\n"
    )
    (shipped / "methods").mkdir()
    (shipped / "methods" / "slow_v1m.py").write_text(
        "_base_ = [\n    '../auralsam2/big_v1m.py',\n]\n"
        "optim = dict(power=0.25, epochs=_base_.optim.epochs + 1)\n"
    )
    load_slow = partial(load, "methods/slow_v1m")
    big, toy = load_slow(), load_slow(base="auralsam2/toy_v1m")
    assert (big.seed, big.optim.epochs, big.optim.power) == (4, 51, 0.25)
    assert (toy.seed, toy.optim.epochs, toy.optim.power) == (0, 6, 0.25)
    assert config_hash(load_slow(base=shipped / "auralsam2" / "toy_v1m.py")) == config_hash(toy)
    pair = ("methods/slow_v1m", "auralsam2/toy_v1m")
    monkeypatch.setattr(config_files, "aliases", lambda: {"methods/slow_toy_v1m": pair})
    assert "methods/slow_toy_v1m" in names() and find("methods/slow_toy_v1m") == find(pair[0])
    for read in (load, config.peek):
        assert config_hash(read("methods/slow_toy_v1m")) == config_hash(toy)
    with pytest.raises(FileNotFoundError, match="did you mean 'auralsam2/toy_v1m'"):
        load_slow(base="auralsam2/toy_v1n")
    with pytest.raises(ConfigError, match="replaces the one config that a config inherits from"):
        load(shipped / "_base_" / "toy.py", base="auralsam2/toy_v1m")


def test_unknown_names_get_a_hint_and_the_list(shipped: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        load("auralsam2/toy_v1")
    assert "unknown config 'auralsam2/toy_v1'; did you mean 'auralsam2/toy_v1m'?" in str(
        caught.value
    )
    with pytest.raises(FileNotFoundError, match="no config file 'missing.py'"):
        find("missing.py")


def test_a_broken_file_is_a_config_error(tmp_path: Path) -> None:
    path = tmp_path / "broken.py"
    path.write_text("seed = 1 / 0\n")
    with pytest.raises(ConfigError, match="ZeroDivisionError"):
        load(path)
